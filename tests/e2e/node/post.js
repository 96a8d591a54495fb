// node post.js URL WRITE_KEY EVENTS USERS: posts with the real client; prints how many were acknowledged.
import RudderAnalytics from '@rudderstack/rudder-sdk-node';

const [url, writeKey, events, users] = process.argv.slice(2);
const Client = RudderAnalytics.default ?? RudderAnalytics;
const perFlush = 50;
// Nothing is sent but by flush(): the client may have several flushes of its own under way at once, and then
// the order in which they arrive is anybody's.
const client = new Client(writeKey, { dataPlaneUrl: url, flushAt: perFlush * 2, flushInterval: 3_600_000 });

let acknowledged = 0;
const done = (error) => {
  if (error) throw error;
  acknowledged += 1;
};

for (let at = 0; at < Number(events); at += 1) {
  const user = `user-${at % Number(users)}`;
  const n = Math.floor(at / Number(users));
  client.track({ userId: user, event: 'Counted', properties: { n, user, email: `${user}@example.com` } }, done);
  if ((at + 1) % perFlush === 0) await client.flush();
}
await client.flush();
// The client calls back in a later turn.
await new Promise((resolve) => setTimeout(resolve, 100));
console.log(acknowledged);
process.exit(0);
