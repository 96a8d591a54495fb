// The real browser client in headless Chromium, on a page of this machine.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { once } from 'node:events';
import { chromium } from 'playwright-core';

const SDK = new URL('node_modules/@rudderstack/analytics-js/dist/npm/modern/bundled/esm/index.mjs', import.meta.url);
const PAGE = '<!doctype html><title>Shop</title><script type="module" src="/page.js"></script>';
// scripts/lib/browser says where it is.
const BROWSER = process.env.CHROMIUM ?? '/usr/bin/chromium';
const ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking'];
const MODES = {
  normal: {},
  beacon: { useBeacon: true, beaconQueueOptions: { flushQueueInterval: 1_000 } },
  batch: { queueOptions: { batch: { enabled: true, maxItems: 100, flushInterval: 1_000 } } },
};

/** The page: makes each call when the client is ready. */
const script = (url, writeKey, mode) => `
import { RudderAnalytics } from '/sdk.mjs';
const rudder = new RudderAnalytics();
rudder.load(${JSON.stringify(writeKey)}, ${JSON.stringify(url)}, {
  configUrl: ${JSON.stringify(url)}, ...${JSON.stringify(MODES[mode])},
});
rudder.ready(() => {
  rudder.setAnonymousId('anon-ada');
  rudder.identify('ada', { plan: 'pro' });
  rudder.track('Order Completed', { total: 19.5 });
  rudder.page('Home', { path: '/' });
  rudder.group('acme', { seats: 3 });
  rudder.alias('ada', 'old-ada');
  rudder.track('Last');
});
`;

const served = async (url, writeKey, mode) => {
  const files = { '/': ['text/html', PAGE], '/page.js': ['text/javascript', script(url, writeKey, mode)] };
  files['/sdk.mjs'] = ['text/javascript', await readFile(SDK)];
  const server = createServer((request, response) => {
    const [type, body] = files[request.url] ?? ['text/plain', ''];
    response.writeHead(body ? 200 : 404, { 'content-type': type }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
};

/** Makes the calls; the page stays until stdin ends. A beacon has no answer, so nothing here could tell when to go. */
export const inBrowser = async (url, writeKey, mode) => {
  const server = await served(url, writeKey, mode);
  const browser = await chromium.launch({ executablePath: BROWSER, args: ARGUMENTS });
  try {
    const page = await browser.newPage();
    const broken = new Promise((_, reject) => page.on('pageerror', reject));
    page.on('console', (line) => process.env.PINTLE_TEST_KEEP && console.error(line.text()));
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    await Promise.race([once(process.stdin.resume(), 'end'), broken]);
  } finally {
    await browser.close();
    server.close();
  }
};
