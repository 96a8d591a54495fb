// track-and-return.js URL COUNT [CLOSE_TIMEOUT]: a program that tracks and is done; it waits for nothing.
import { Analytics } from '@pintle/node';

const [url, count, closeTimeout = '10000'] = process.argv.slice(2);
const client = new Analytics('WK', {
  dataPlaneUrl: url,
  flushAt: 10_000,
  flushInterval: 600_000,
  closeTimeout: Number(closeTimeout),
  onDrop: () => {},
  limits: { retryDelayMinMs: 10, retryDelayMaxMs: 50 },
});
for (let i = 1; i <= Number(count); i++) void client.track({ userId: 'u', event: `e${i}` });
process.on('exit', () => {
  const { delivered, dropped, pending } = client.stats();
  console.log(JSON.stringify({ delivered, dropped, pending }));
});
