// With working storage: nothing is lost, nothing counts twice, and the order is kept.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { load, startBrowser, stats, stored, track, drops } from './support/browser.js';
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

const names = (from, to) => Array.from({ length: to - from + 1 }, (_, index) => `e${from + index}`);

/** Closes a tab as a person does: the page gets its `pagehide`. */
const leave = (page) => Promise.all([page.waitForEvent('close'), page.close({ runBeforeUnload: true })]);

/** Chromium does not hide tabs that have no window; the state and the event are what the SDK sees. */
const hide = (page) =>
  page.evaluate(() => {
    Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  });

/** Waits until this page has nothing pending. */
const settled = (page) => page.evaluate(async () => {
  while (sdk.stats().pending) await sdk.flush();
  return sdk.stats();
});

test('events arrive, in order, and leave nothing in storage', async () => {
  const page = await visitor.open();
  await load(page, gateway);
  await track(page, ...names(1, 45));
  const { tracked, delivered, dropped, pending } = await settled(page);
  assert.deepEqual({ tracked, delivered, dropped, pending }, { tracked: 45, delivered: 45, dropped: 0, pending: 0 });
  assert.deepEqual(gateway.names(), names(1, 45));
  assert.deepEqual(await stored(page, 'q'), []);
  assert.deepEqual(await stored(page, 'o'), []);
  assert.equal(gateway.duplicates, 0);
});

test('offline for a while: events wait and arrive when the network is back, without waiting for the backoff', async () => {
  const page = await visitor.open();
  await load(page, gateway, { limits: { retryDelayMinMs: 600_000, retryDelayMaxMs: 600_000 } });
  await visitor.context.setOffline(true);
  const failed = page.waitForEvent('requestfailed');
  await track(page, ...names(1, 5));
  await failed;
  await track(page, ...names(6, 30));
  assert.equal(gateway.requests.length, 0);
  assert.equal((await stored(page, 'q')).length, 30);
  await visitor.context.setOffline(false);
  await gateway.until(() => gateway.events.length === 30);
  assert.deepEqual(gateway.names(), names(1, 30));
  await settled(page);
});

test('a page closed with events queued: the next one delivers them', async () => {
  gateway.fail({ status: 503 });
  const page = await visitor.open();
  await load(page, gateway);
  await track(page, ...names(1, 30));
  await gateway.until(() => gateway.requests.length > 0);
  await leave(page);
  gateway.heal();
  const next = await visitor.open();
  await load(next, gateway);
  await track(next, 'e31');
  const { tracked, adopted, delivered } = await settled(next);
  assert.deepEqual({ tracked, adopted, delivered }, { tracked: 31, adopted: 30, delivered: 31 });
  assert.deepEqual(gateway.names(), names(1, 31));
  assert.deepEqual(await stored(next, 'q'), []);
});

test('a page closed while offline: another visit delivers', async () => {
  const page = await visitor.open();
  await load(page, gateway);
  await visitor.context.setOffline(true);
  await track(page, ...names(1, 3));
  await leave(page);
  await visitor.context.setOffline(false);
  const next = await visitor.open();
  await load(next, gateway);
  await settled(next);
  assert.deepEqual(gateway.names(), names(1, 3));
});

test('500, then 200: the same events once, in order', async () => {
  gateway.next({ status: 500 }, { status: 502 }, { status: 500 });
  const page = await visitor.open();
  await load(page, gateway);
  await track(page, ...names(1, 25));
  await settled(page);
  assert.deepEqual(gateway.names(), names(1, 25));
  const ids = gateway.requests.slice(0, 4).map(({ batch }) => batch[0].messageId);
  assert.equal(new Set(ids).size, 1, 'a retry keeps the message id');
});

test('an answer lost on its way: the events come again under the same ids', async () => {
  gateway.next('commit-and-cut');
  const page = await visitor.open();
  await load(page, gateway);
  await track(page, ...names(1, 5));
  await settled(page);
  assert.deepEqual(gateway.names(), names(1, 5));
  assert.equal(gateway.duplicates, 5);
});

test('429 with Retry-After: the pause is kept, even when asked to flush', async () => {
  gateway.next({ status: 429, headers: { 'retry-after': '1' } });
  const page = await visitor.open();
  await load(page, gateway);
  await track(page, 'e1');
  await gateway.until(() => gateway.requests.length === 1);
  const asked = performance.now();
  await settled(page);
  // The browser's clock and this one may differ by the time an answer travels.
  assert.ok(performance.now() - asked > 900);
  assert.deepEqual(gateway.names(), ['e1']);
  assert.equal(gateway.requests.length, 2);
});

test('413: the batch is halved; an event that is too large alone is dropped with its reason', async () => {
  gateway.judge(({ batch }) => (batch.length > 3 || batch.some(({ event }) => event === 'e7') ? { status: 413 } : null));
  const page = await visitor.open();
  await load(page, gateway);
  await track(page, ...names(1, 20));
  const { delivered, droppedBy } = await settled(page);
  assert.equal(delivered, 19);
  assert.deepEqual(droppedBy, { 'too-large': 1 });
  assert.equal((await drops(page))[0].event.event, 'e7');
  assert.deepEqual(gateway.names(), names(1, 20).filter((name) => name !== 'e7'));
});

test('404: dropped at once, with the server’s words', async () => {
  gateway.fail({ status: 404, body: 'source is disabled\n' });
  const page = await visitor.open();
  await load(page, gateway);
  await track(page, 'e1', 'e2');
  await settled(page);
  assert.deepEqual((await drops(page)).map(({ reason, detail }) => [reason, detail]), Array(2).fill(['refused', '404 source is disabled']));
  assert.equal(gateway.requests.length, 1);
  assert.deepEqual(await stored(page, 'q'), []);
});

test('a reload in the middle of a batch: all arrive, in order', async () => {
  gateway.next('hang');
  const page = await visitor.open();
  await load(page, gateway);
  await track(page, ...names(1, 20));
  await gateway.until(() => gateway.requests.length === 1);
  await track(page, ...names(21, 30));
  await page.reload();
  await load(page, gateway);
  await track(page, ...names(31, 35));
  await settled(page);
  await gateway.until(() => gateway.events.length === 35);
  assert.deepEqual(gateway.names(), names(1, 35));
});

test('the last page of a visit: what is queued goes while it closes, to the beacon’s address without a preflight', async () => {
  const page = await visitor.open();
  await load(page, gateway, { flushInterval: 600_000 });
  await track(page, 'e1', 'e2');
  await page.goto(`${browser.site.url}/empty`);
  await gateway.until(() => gateway.events.length === 2);
  const [request] = gateway.requests;
  assert.equal(request.path, '/beacon/v1/batch');
  assert.equal(request.query.get('writeKey'), 'WK');
  assert.match(request.headers['content-type'], /^text\/plain/);
  assert.equal(request.headers.authorization, undefined);
  // Nobody saw the answer, so they are still stored; the next page sends them again under the same ids.
  assert.equal((await stored(page, 'q')).length, 2);
  await page.goto(`${browser.site.url}/`);
  await load(page, gateway);
  await settled(page);
  assert.deepEqual(gateway.names(), ['e1', 'e2']);
  assert.equal(gateway.duplicates, 2);
});

test('with trustBeacon what the browser took is not sent again', async () => {
  const page = await visitor.open();
  await load(page, gateway, { flushInterval: 600_000, trustBeacon: true });
  await track(page, 'e1', 'e2');
  await page.goto(`${browser.site.url}/empty`);
  await gateway.until(() => gateway.events.length === 2);
  assert.deepEqual(await stored(page, 'q'), []);
});

test('a tab that is only hidden learns the answer, and sends nothing twice', async () => {
  const page = await visitor.open();
  await load(page, gateway, { flushInterval: 600_000 });
  await track(page, 'e1', 'e2');
  await hide(page);
  await gateway.until(() => gateway.events.length === 2);
  assert.equal((await settled(page)).delivered, 2);
  assert.equal(gateway.duplicates, 0);
  assert.deepEqual(await stored(page, 'q'), []);
});

test('a tab that is hidden keeps the pause that the server asked for: what is stored needs no haste', async () => {
  gateway.next({ status: 429, headers: { 'retry-after': '600' } });
  const page = await visitor.open();
  await load(page, gateway);
  await track(page, 'e1');
  await gateway.until(() => gateway.requests.length === 1);
  await page.waitForFunction(() => performance.getEntriesByType('resource').some(({ name }) => name.endsWith('/v1/batch')));
  await hide(page);
  await page.goto(`${browser.site.url}/`);
  assert.equal(gateway.requests.length, 1);
  await load(page, gateway);
  await settled(page);
  assert.deepEqual(gateway.names(), ['e1']);
});

test('a server without the beacon’s address costs no event: what it refuses there goes the usual way', async () => {
  gateway.judge(({ path }) => (path === '/v1/batch' ? null : { status: 404, body: '404 page not found\n' }));
  const page = await visitor.open();
  await load(page, gateway, { flushInterval: 600_000 });
  await track(page, 'e1', 'e2');
  await hide(page);
  await gateway.until(() => gateway.requests.length === 1);
  const { delivered, dropped } = await settled(page);
  assert.deepEqual([delivered, dropped], [2, 0]);
  assert.deepEqual(gateway.requests.map(({ path }) => path), ['/beacon/v1/batch', '/v1/batch']);
});

test('two tabs: neither sends or loses the other’s events', async () => {
  gateway.fail({ status: 503 });
  const [one, two] = [await visitor.open(), await visitor.open()];
  await load(one, gateway);
  await load(two, gateway);
  await track(one, ...names(1, 10));
  await track(two, ...names(11, 20));
  await gateway.until(() => gateway.requests.length >= 4);
  gateway.heal();
  const [first, second] = [await settled(one), await settled(two)];
  assert.deepEqual([first.adopted, first.delivered, second.adopted, second.delivered], [0, 10, 0, 10]);
  assert.equal(gateway.duplicates, 0);
  assert.deepEqual(gateway.names().filter((name) => Number(name.slice(1)) <= 10), names(1, 10));
  assert.deepEqual(gateway.names().filter((name) => Number(name.slice(1)) > 10), names(11, 20));
});

test('a tab that closes leaves its events to another that is open', async () => {
  const [one, two] = [await visitor.open(), await visitor.open()];
  await load(one, gateway);
  gateway.fail({ status: 503 });
  await load(two, gateway);
  await track(two, ...names(1, 5));
  await gateway.until(() => gateway.requests.length >= 1);
  await leave(two);
  gateway.heal();
  await gateway.until(() => gateway.events.length === 5);
  assert.deepEqual(gateway.names(), names(1, 5));
  assert.equal((await settled(one)).adopted, 5);
  assert.deepEqual(await stored(one), ['pintle.WK.id', 'pintle.WK.session']);
});

test('a tab that closes is not forgotten because the others are busy', async () => {
  const [one, two, three] = [await visitor.open(), await visitor.open(), await visitor.open()];
  await load(one, gateway);
  await load(two, gateway);
  gateway.judge(({ batch }) => (batch[0].event === 'busy' ? null : { status: 503 }));
  await load(three, gateway);
  await track(three, ...names(1, 5));
  await gateway.until(() => gateway.requests.some(({ fault }) => fault));
  for (const page of [one, two]) await page.evaluate(() => setInterval(() => void sdk.track('busy'), 200));
  await leave(three);
  gateway.heal();
  await gateway.until(() => gateway.names().filter((name) => name !== 'busy').length === 5);
});

test('a tab that crashes leaves its events to another when its lease ends', async () => {
  const leaseMs = 1_500;
  const [one, two] = [await visitor.open(), await visitor.open()];
  gateway.fail({ status: 503 });
  await load(two, gateway, { limits: { leaseMs } });
  await load(one, gateway, { limits: { leaseMs } });
  await track(two, ...names(1, 5));
  await gateway.until(() => gateway.requests.length >= 1);
  const crashed = two.waitForEvent('crash');
  void two.goto('chrome://crash').catch(() => {});
  await crashed;
  gateway.heal();
  await gateway.until(() => gateway.events.length === 5);
  assert.equal((await settled(one)).adopted, 5);
});

test('whatever is reloaded, closed and answered, everything arrives once and in order', async () => {
  const { seeded, testSeed } = await import('./support/clock.js');
  const seed = testSeed();
  const random = seeded(seed);
  const faults = [null, null, null, { status: 500 }, { status: 503 }, 'cut', 'commit-and-cut', { status: 429, headers: { 'retry-after': '0' } }];
  gateway.judge(() => faults[Math.floor(random() * faults.length)]);
  const page = await visitor.open();
  let count = 0;
  for (let visit = 0; visit < 8; visit++) {
    await load(page, gateway, { flushAt: 1 + Math.floor(random() * 5), flushInterval: 5 });
    for (let burst = 0; burst < 4; burst++) {
      const more = 1 + Math.floor(random() * 8);
      const seen = gateway.requests.length;
      await track(page, ...names(count + 1, count + more));
      count += more;
      if (random() < 0.5) await gateway.until(() => gateway.requests.length > seen);
    }
    await page.reload();
  }
  gateway.heal();
  await load(page, gateway);
  await settled(page);
  await gateway.until(() => gateway.events.length === count);
  assert.deepEqual(gateway.names(), names(1, count), `seed ${seed}`);
  assert.equal((await stats(page)).dropped, 0);
});
