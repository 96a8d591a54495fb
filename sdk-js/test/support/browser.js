// Headless Chromium, and pages with the built SDK in it. The page's server and the gateway are two origins, as in life.
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';

const root = new URL('../..', import.meta.url).pathname;
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** One Chromium for a file of tests. */
export async function startBrowser() {
  if (!existsSync(executablePath)) {
    throw new Error(
      `there is no Chromium at ${executablePath}. Run scripts/lib/browser (Debian: apt-get install chromium), or set CHROMIUM`,
    );
  }
  const browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking'],
  });
  const site = await startSite();
  return {
    /** A new profile: nothing in storage. */
    async visitor(options = {}) {
      const context = await browser.newContext(options);
      /** Opens a page of the site in a tab. */
      const open = async (path = '/') => {
        const page = await context.newPage();
        page.on('pageerror', (error) => console.log(`# page error: ${error.stack}`));
        await page.goto(site.url + path);
        return page;
      };
      return { context, open, close: () => context.close() };
    },
    site,
    async close() {
      await browser.close();
      site.close();
    },
  };
}

/** Serves a page that has the SDK as `sdk` (all exports of @pintle/browser), and the file for plain pages. */
async function startSite() {
  const { outputFiles } = await build({
    entryPoints: [`${root}/packages/browser/dist/esm/index.js`],
    bundle: true,
    format: 'iife',
    globalName: 'sdk',
    write: false,
  });
  const html = '<!doctype html><meta charset="utf-8"><title>Shop</title><script src="/sdk.js"></script><body>shop</body>';
  const files = {
    '/sdk.js': ['text/javascript', outputFiles[0].text],
    '/pintle.min.js': ['text/javascript', readFileSync(`${root}/packages/browser/dist/pintle.min.js`)],
    '/empty': ['text/html', '<!doctype html><title>Elsewhere</title>'],
  };
  const server = createServer(({ url }, response) => {
    const [type, body] = files[url.split('?')[0]] ?? ['text/html', html];
    response.writeHead(200, { 'content-type': type }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    serve: (path, type, body) => (files[path] = [type, body]),
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Loads the SDK in the page; drops are collected in `drops`. */
export function load(page, gateway, options = {}, writeKey = 'WK') {
  return page.evaluate(
    ([writeKey, url, options]) => {
      window.drops = [];
      window.outcomes = [];
      sdk.load(writeKey, url, { onDrop: (drop) => window.drops.push(drop), ...options });
    },
    [writeKey, gateway.url, { flushInterval: 50, limits: { retryDelayMinMs: 20, retryDelayMaxMs: 200 }, ...options }],
  );
}

/** Tracks events of these names, without waiting for their fate. */
export function track(page, ...names) {
  return page.evaluate((names) => {
    for (const name of names) void sdk.track(name).then((outcome) => window.outcomes.push(outcome));
  }, names);
}

export const stats = (page) => page.evaluate(() => sdk.stats());
export const drops = (page) => page.evaluate(() => window.drops);
/** What the SDK has in the page's storage. */
export const stored = (page, part = '') =>
  page.evaluate((part) => Object.keys(localStorage).filter((key) => key.startsWith(`pintle.WK.${part}`)).sort(), part);

/** Lets the page write down at its end, behind the SDK's own listener, what became of its events. */
export function noteAtEnd(page) {
  return page.evaluate(() =>
    addEventListener('pagehide', () => {
      sessionStorage.setItem('end', JSON.stringify({ ...sdk.stats(), reasons: window.drops.map(({ reason }) => reason) }));
    }),
  );
}

/** What it wrote; read from the tab's next page. */
export const noted = (page) => page.evaluate(() => JSON.parse(sessionStorage.getItem('end')));
