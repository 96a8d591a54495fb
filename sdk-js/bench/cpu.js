// Measures what an event costs a page's main thread in headless Chromium. JSON lines, times in microseconds per event:
//
//   scriptUs   JavaScript only            (Performance.getMetrics, ScriptDuration)
//   taskUs     everything on the thread   (TaskDuration)
//
// EVENTS (default 1,000) events of 200 bytes of properties, five every EVERY_MS (default 10), until the server has seen
// all of them. A real page tracks far less often; a longer EVERY_MS leaves the queues of all SDKs short.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { chromium } from 'playwright-core';
import { bundle, sdks } from './sdks.js';

const EVENTS = Number(process.env.EVENTS ?? 1_000);
const EVERY_MS = Number(process.env.EVERY_MS ?? 10);
const ROUNDS = Number(process.env.ROUNDS ?? 3);
const WARM_UP = 100;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking'],
});

for (const [sdk, { source, load }] of Object.entries(sdks)) {
  const code = await bundle(source, 'iife');
  for (let round = 1; round <= ROUNDS; round++) {
    console.log(JSON.stringify({ sdk, round, events: EVENTS, everyMs: EVERY_MS, ...(await measure(code, load)) }));
  }
}
await browser.close();

async function measure(code, load) {
  const server = await startServer(code);
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(server.url);
    const devtools = await context.newCDPSession(page);
    await devtools.send('Performance.enable');
    const metrics = async () => {
      const { metrics } = await devtools.send('Performance.getMetrics');
      return Object.fromEntries(metrics.map(({ name, value }) => [name, value * 1e6]));
    };
    await page.evaluate(`(${load})('${server.url}').then((track) => { window.trackOne = track; })`);
    await trackMany(page, WARM_UP);
    await server.seen(WARM_UP);
    const [before, requestsBefore] = [await metrics(), server.requests()];
    await trackMany(page, EVENTS);
    await server.seen(WARM_UP + EVENTS);
    const after = await metrics();
    const each = (name) => Math.round((after[name] - before[name]) / EVENTS);
    return { scriptUs: each('ScriptDuration'), taskUs: each('TaskDuration'), requests: server.requests() - requestsBefore };
  } finally {
    await context.close();
    server.close();
  }
}

function trackMany(page, count) {
  return page.evaluate(
    ([count, everyMs]) =>
      new Promise((done) => {
        let next = 0;
        const some = () => {
          for (let i = 0; i < 5 && next < count; i++) window.trackOne(`Event ${next++ % 10}`, { text: 'x'.repeat(180), next });
          if (next < count) setTimeout(some, everyMs);
          else done();
        };
        some();
      }),
    [count, EVERY_MS],
  );
}

/** The page, the settings that the other SDKs fetch, and a sink that counts distinct message ids. */
async function startServer(code) {
  const ids = new Set();
  let requests = 0;
  let look = () => {};
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://sink');
    if (request.method === 'POST') {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      requests++;
      for (const [, id] of Buffer.concat(chunks).toString().matchAll(/"messageId":"([^"]+)"/g)) ids.add(id);
      response.end('ok');
      return look();
    }
    const [type, body] = answer(pathname, code);
    response.writeHead(200, { 'content-type': type }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    requests: () => requests,
    seen: (count) =>
      new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`${ids.size} of ${count} events came within 2 minutes`)), 120_000);
        look = () => {
          if (ids.size < count) return;
          clearTimeout(late);
          resolve();
        };
        look();
      }),
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function answer(pathname, code) {
  if (pathname.startsWith('/sourceConfig')) {
    const off = { enabled: false };
    const config = { statsCollection: { errors: off, metrics: off } };
    const source = { id: 's', name: 's', writeKey: 'WK', enabled: true, workspaceId: 'w', dataplanes: {}, destinations: [], connections: [], config };
    return ['application/json', JSON.stringify({ source })];
  }
  if (pathname.endsWith('/settings')) {
    return ['application/json', JSON.stringify({ integrations: { 'Segment.io': { apiKey: 'WK' } }, plan: {} })];
  }
  if (pathname === '/sdk.js') return ['text/javascript', code];
  return ['text/html', '<!doctype html><title>Bench</title><script src="/sdk.js"></script>'];
}
