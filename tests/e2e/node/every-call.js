// node every-call.js CLIENT URL WRITE_KEY: makes each call once with a real client, and ends when the client says
// that everything was sent, or, in a browser, when stdin ends. CLIENT is rudder-node, segment-node, or rudder-browser
// with one of the ways in which it sends: rudder-browser:normal, :beacon, :batch.
import RudderAnalytics from '@rudderstack/rudder-sdk-node';
import { Analytics } from '@segment/analytics-node';
import { inBrowser } from './browser.js';

const [client, url, writeKey] = process.argv.slice(2);
const user = { userId: 'ada', anonymousId: 'anon-ada' };

const viaRudderNode = async () => {
  const Client = RudderAnalytics.default ?? RudderAnalytics;
  const rudder = new Client(writeKey, { dataPlaneUrl: url, flushAt: 100, flushInterval: 3_600_000 });
  rudder.identify({ ...user, traits: { plan: 'pro' } });
  rudder.track({ ...user, event: 'Order Completed', properties: { total: 19.5 } });
  rudder.page({ ...user, name: 'Home', properties: { path: '/' } });
  rudder.screen({ ...user, name: 'Start', properties: { dark: true } });
  rudder.group({ ...user, groupId: 'acme', traits: { seats: 3 } });
  rudder.alias({ ...user, previousId: 'old-ada' });
  await rudder.flush();
};

const viaSegmentNode = async () => {
  const segment = new Analytics({ writeKey, host: url, flushAt: 100 });
  segment.on('error', (error) => {
    console.error(error);
    process.exit(1);
  });
  segment.identify({ ...user, traits: { plan: 'pro' } });
  segment.track({ ...user, event: 'Order Completed', properties: { total: 19.5 } });
  segment.page({ ...user, name: 'Home', properties: { path: '/' } });
  segment.screen({ ...user, name: 'Start', properties: { dark: true } });
  segment.group({ ...user, groupId: 'acme', traits: { seats: 3 } });
  segment.alias({ ...user, previousId: 'old-ada' });
  await segment.closeAndFlush();
};

const [name, mode] = client.split(':');
const clients = {
  'rudder-node': viaRudderNode,
  'segment-node': viaSegmentNode,
  'rudder-browser': () => inBrowser(url, writeKey, mode),
};
await clients[name]();
process.exit(0);
