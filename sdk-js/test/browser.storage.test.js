// Without working storage: memory, a beacon of at most 64 KB at the end, and a report of the rest.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { load, noteAtEnd, noted, startBrowser, stats, stored, track } from './support/browser.js';
import { startGateway } from './support/gateway.js';

let browser, gateway, visitor;
before(async () => void (browser = await startBrowser()));
after(() => browser?.close());
beforeEach(async () => {
  gateway = await startGateway();
  visitor = await browser.visitor();
});
afterEach(async () => {
  await visitor.close();
  await gateway.close();
});

/** As where the user forbids it: the getter itself throws. */
const forbid = (page) =>
  page.evaluate(() => {
    Object.defineProperty(window, 'localStorage', {
      get() {
        throw new DOMException('The operation is insecure.', 'SecurityError');
      },
    });
  });
/** Really full: the browser's own quota. */
const fill = (page) =>
  page.evaluate(() => {
    for (let size = 1 << 22, index = 0; size >= 1; size >>= 1) {
      try {
        for (;;) localStorage.setItem(`other.${index++}`, 'x'.repeat(size));
      } catch {
        // Full for this size; smaller ones may still fit.
      }
    }
  });

/** Tracks `count` events of about 1.8 KB each. */
const trackMany = (page, count) =>
  page.evaluate((count) => {
    for (let i = 1; i <= count; i++) void sdk.track(`e${i}`, { text: 'x'.repeat(1_000) });
  }, count);

for (const [how, breakStorage] of [['forbidden', forbid], ['full', fill]]) {
  test(`storage ${how}: events are delivered from memory`, async () => {
    const page = await visitor.open();
    await breakStorage(page);
    await load(page, gateway);
    await track(page, 'e1', 'e2');
    await page.evaluate(() => sdk.identify('user-1', { plan: 'pro' }));
    assert.equal(await page.evaluate(() => sdk.getUserId()), 'user-1');
    assert.deepEqual(gateway.names(), ['e1', 'e2']);
    const [first, , third] = gateway.events;
    assert.equal(first.anonymousId, third.anonymousId);
    assert.equal(first.context.sessionId, third.context.sessionId);
  });

  test(`storage ${how}, page closes: the beacon takes 64 KB, the rest is reported, and the books balance`, async () => {
    const page = await visitor.open();
    await breakStorage(page);
    await load(page, gateway, { flushAt: 1_000, flushInterval: 600_000 });
    await noteAtEnd(page);
    await trackMany(page, 200);
    await page.goto(`${browser.site.url}/empty`);
    await gateway.until(() => gateway.events.length > 0);
    const books = await noted(page);
    assert.equal(books.tracked, 200);
    assert.equal(books.pending, 0);
    assert.equal(books.delivered + books.dropped, 200);
    assert.deepEqual(books.droppedBy, { unload: books.dropped });
    assert.deepEqual(books.reasons, Array(books.dropped).fill('unload'));
    assert.ok(books.delivered >= 30, `only ${books.delivered} fitted`);
    assert.equal(gateway.events.length, books.delivered);
    assert.ok(gateway.requests.every(({ bytes }) => bytes <= 65_536));
    assert.equal(gateway.requests.length, 1);
    assert.deepEqual(gateway.names(), Array.from({ length: books.delivered }, (_, index) => `e${index + 1}`));
  });
}

test('storage that becomes full: what was stored waits for the next page, the rest goes by beacon', async () => {
  gateway.fail({ status: 503 });
  const page = await visitor.open();
  await load(page, gateway, { limits: { retryDelayMinMs: 600_000, retryDelayMaxMs: 600_000 } });
  await track(page, 'stored1', 'stored2');
  await gateway.until(() => gateway.requests.length === 1);
  gateway.heal();
  await fill(page);
  await noteAtEnd(page);
  await trackMany(page, 3);
  await page.goto(`${browser.site.url}/empty`);
  await gateway.until(() => gateway.events.length === 3);
  assert.deepEqual(gateway.names(), ['e1', 'e2', 'e3']);
  const { delivered, dropped, pending } = await noted(page);
  assert.deepEqual({ delivered, dropped, pending }, { delivered: 3, dropped: 0, pending: 2 });
  assert.equal((await stored(page, 'q')).length, 2);
  await page.goto(`${browser.site.url}/`);
  await load(page, gateway);
  await gateway.until(() => gateway.events.length === 5);
});

test('storage that has room again takes what it had refused', async () => {
  gateway.fail({ status: 503 });
  const page = await visitor.open();
  await fill(page);
  await load(page, gateway);
  await track(page, 'e1');
  assert.deepEqual(await stored(page, 'q'), []);
  await page.evaluate(() => Object.keys(localStorage).forEach((key) => key.startsWith('other.') && localStorage.removeItem(key)));
  await page.goto(`${browser.site.url}/empty`);
  assert.equal((await stored(page, 'q')).length, 1);
});

test('a full queue drops the newest, names the limit, and keeps the order of the rest', async () => {
  gateway.fail({ status: 503 });
  const page = await visitor.open();
  await load(page, gateway, { limits: { queueItemsMax: 3, retryDelayMinMs: 20, retryDelayMaxMs: 50 } });
  await track(page, 'e1', 'e2', 'e3', 'e4', 'e5');
  assert.deepEqual((await stats(page)).droppedBy, { 'queue-full': 2 });
  gateway.heal();
  await gateway.until(() => gateway.events.length === 3);
  assert.deepEqual(gateway.names(), ['e1', 'e2', 'e3']);
});

test('a page that clears its storage takes no event with it', async () => {
  const page = await visitor.open();
  await load(page, gateway, { flushInterval: 600_000, trustBeacon: true });
  await track(page, 'e1', 'e2');
  await page.evaluate(() => localStorage.clear());
  await page.goto(`${browser.site.url}/empty`);
  await gateway.until(() => gateway.events.length === 2);
  await page.goto(`${browser.site.url}/`);
  await load(page, gateway, { flushInterval: 600_000 });
  await track(page, 'e3');
  await page.evaluate(() => localStorage.clear());
  await visitor.context.setOffline(true);
  await page.reload().catch(() => {});
  await visitor.context.setOffline(false);
  await page.goto(`${browser.site.url}/`);
  await load(page, gateway);
  await gateway.until(() => gateway.events.length === 3);
  assert.deepEqual(gateway.names(), ['e1', 'e2', 'e3']);
});
