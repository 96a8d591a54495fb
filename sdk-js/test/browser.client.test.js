// What calls put on the wire, and what the SDK knows about the visitor.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { drops, load, noteAtEnd, noted, startBrowser, stats, stored, track } from './support/browser.js';
import { startGateway } from './support/gateway.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

let browser, gateway, visitor;
before(async () => void (browser = await startBrowser()));
after(() => browser?.close());
beforeEach(async () => {
  gateway = await startGateway();
  visitor = await browser.visitor({ locale: 'de-AT', timezoneId: 'Europe/Vienna' });
});
afterEach(async () => {
  await visitor.close();
  await gateway.close();
});

/** Makes calls in the page, flushes, and returns the events that arrived. */
async function sent(page, run) {
  const before = gateway.events.length;
  await page.evaluate(run);
  await page.evaluate(() => sdk.flush());
  return gateway.events.slice(before);
}

test('a request: address, authorization, routing header, sentAt', async () => {
  const page = await visitor.open();
  await load(page, gateway);
  const [event] = await sent(page, () => void sdk.track('A'));
  const [{ path, headers, batch, sentAt }] = gateway.requests;
  assert.equal(path, '/v1/batch');
  assert.equal(headers.authorization, `Basic ${Buffer.from('WK:').toString('base64')}`);
  assert.equal(headers['content-type'], 'application/json');
  assert.equal(Buffer.from(headers.anonymousid, 'base64').toString(), event.anonymousId);
  assert.match(sentAt, ISO);
  assert.equal(batch[0].sentAt, sentAt);
});

test('what every event carries', async () => {
  const page = await visitor.open('/shop?utm_source=mail&utm_campaign=spring&utm_term=shoes&q=1');
  await load(page, gateway);
  const [event] = await sent(page, () => void sdk.track('Order Completed', { total: 12, at: new Date(0), gone: undefined }));
  const { messageId, anonymousId, originalTimestamp, sentAt, context, ...rest } = event;
  assert.match(messageId, UUID);
  assert.match(anonymousId, UUID);
  assert.match(originalTimestamp, ISO);
  assert.match(sentAt, ISO);
  assert.deepEqual(rest, {
    type: 'track',
    channel: 'web',
    event: 'Order Completed',
    properties: { total: 12, at: '1970-01-01T00:00:00.000Z' },
    integrations: { All: true },
  });
  const { sessionId, userAgent, screen, ...known } = context;
  assert.ok(sessionId > 1e12);
  assert.match(userAgent, /Chrome/);
  assert.deepEqual(Object.keys(screen), ['width', 'height', 'density', 'innerWidth', 'innerHeight']);
  assert.deepEqual(known, {
    library: { name: '@pintle/browser', version: '0.1.0' },
    locale: 'de-AT',
    timezone: 'Europe/Vienna',
    page: {
      path: '/shop',
      search: '?utm_source=mail&utm_campaign=spring&utm_term=shoes&q=1',
      url: `${browser.site.url}/shop?utm_source=mail&utm_campaign=spring&utm_term=shoes&q=1`,
      title: 'Shop',
      referrer: '',
      referring_domain: '',
      initial_referrer: '$direct',
      initial_referring_domain: '',
    },
    campaign: { source: 'mail', name: 'spring', term: 'shoes' },
    sessionStart: true,
    traits: {},
  });
});

test('identify, group and alias, with what may be left out', async () => {
  const page = await visitor.open();
  await load(page, gateway);
  const events = await sent(page, () => {
    void sdk.identify('u1', { plan: 'free', age: 3 });
    void sdk.identify({ plan: 'pro' });
    void sdk.identify(7);
    void sdk.group('g1', { seats: 2 });
    void sdk.group({ seats: 3 });
    void sdk.alias('new', 'old');
    void sdk.alias('newer');
  });
  const seen = events.map(({ type, userId, previousId, groupId, traits, context }) => ({ type, userId, previousId, groupId, traits, known: context.traits }));
  const of = (fields) => ({ previousId: undefined, groupId: undefined, traits: undefined, ...fields });
  assert.deepEqual(seen, [
    of({ type: 'identify', userId: 'u1', traits: { plan: 'free', age: 3 }, known: { plan: 'free', age: 3 } }),
    of({ type: 'identify', userId: 'u1', traits: { plan: 'pro', age: 3 }, known: { plan: 'pro', age: 3 } }),
    of({ type: 'identify', userId: '7', traits: {}, known: {} }),
    of({ type: 'group', userId: '7', groupId: 'g1', traits: { seats: 2 }, known: {} }),
    of({ type: 'group', userId: '7', groupId: 'g1', traits: { seats: 3 }, known: {} }),
    of({ type: 'alias', userId: 'new', previousId: 'old', known: {} }),
    of({ type: 'alias', userId: 'newer', previousId: '7', known: {} }),
  ]);
});

test('page and screen, in every way they can be called', async () => {
  const page = await visitor.open();
  await load(page, gateway);
  const events = await sent(page, () => {
    void sdk.page();
    void sdk.page('Home');
    void sdk.page('Docs', 'Start');
    void sdk.page('Docs', 'Start', { a: 1 });
    void sdk.page('Home', { a: 1 });
    void sdk.page({ a: 1 });
    void sdk.page(null, 'Home', { a: 1 }, { integrations: { All: false } });
    void sdk.page(() => {});
    void sdk.screen('Settings', { a: 1 });
  });
  const seen = events.map(({ type, category, name, properties: { a, path, category: c, name: n } }) => [type, category, name, a, path, c, n]);
  assert.deepEqual(seen, [
    ['page', undefined, undefined, undefined, '/', undefined, undefined],
    ['page', undefined, 'Home', undefined, '/', undefined, 'Home'],
    ['page', 'Docs', 'Start', undefined, '/', 'Docs', 'Start'],
    ['page', 'Docs', 'Start', 1, '/', 'Docs', 'Start'],
    ['page', undefined, 'Home', 1, '/', undefined, 'Home'],
    ['page', undefined, undefined, 1, '/', undefined, undefined],
    ['page', undefined, 'Home', 1, '/', undefined, 'Home'],
    ['page', undefined, undefined, undefined, '/', undefined, undefined],
    ['screen', undefined, 'Settings', 1, undefined, undefined, 'Settings'],
  ]);
  assert.deepEqual(events[6].integrations, { All: false });
});

test('options of a call, callbacks in every place, and promises', async () => {
  const page = await visitor.open();
  await load(page, gateway, { integrations: { All: true, Webhook: false } });
  const [plain, special] = await sent(page, async () => {
    window.called = [];
    const callback = ({ status }) => window.called.push(status);
    void sdk.track('A', callback);
    void sdk.track('B', {}, { anonymousId: 'other', originalTimestamp: new Date(5), context: { app: 'x' }, integrations: { All: false } }, callback);
    void sdk.track('C', { a: 1 }, callback);
    await sdk.flush();
  });
  assert.deepEqual(plain.integrations, { All: true, Webhook: false });
  assert.equal(special.anonymousId, 'other');
  assert.equal(special.originalTimestamp, '1970-01-01T00:00:00.005Z');
  assert.equal(special.context.app, 'x');
  assert.deepEqual(special.integrations, { All: false });
  assert.deepEqual(await page.evaluate(() => window.called), Array(3).fill('delivered'));
  const outcome = await page.evaluate(() => sdk.track('D', {}, { timestamp: new Date(NaN) }));
  assert.equal(outcome.reason, 'invalid');
  // A batch has one anonymous id, the header's.
  for (const { headers, batch } of gateway.requests) {
    assert.deepEqual([...new Set(batch.map(({ anonymousId }) => anonymousId))], [Buffer.from(headers.anonymousid, 'base64').toString()]);
  }
});

test('calls before load are carried out by it, in order; ready tells', async () => {
  const page = await visitor.open();
  await page.evaluate(() => {
    window.early = [sdk.track('A'), sdk.identify('u1'), sdk.track('B')];
    sdk.ready(() => (window.wasReady = true));
    window.readyPromise = sdk.ready();
    window.before = sdk.stats();
  });
  await load(page, gateway);
  const outcomes = await page.evaluate(() => Promise.all(window.early));
  assert.deepEqual(outcomes.map(({ status }) => status), Array(3).fill('delivered'));
  assert.deepEqual(gateway.events.map(({ type, userId }) => [type, userId]), [['track', undefined], ['identify', 'u1'], ['track', 'u1']]);
  assert.deepEqual(await page.evaluate(async () => (await window.readyPromise, [window.wasReady, window.before.pending])), [true, 3]);
});

test('the visitor is known on the next page and in other tabs; reset forgets as much as asked', async () => {
  const page = await visitor.open();
  const other = await visitor.open();
  await load(page, gateway);
  await load(other, gateway);
  const heard = other.evaluate(() => new Promise((resolve) => addEventListener('storage', ({ newValue }) => newValue?.includes('u1') && resolve())));
  await page.evaluate(() => (void sdk.identify('u1', { a: 1 }), void sdk.group('g1', { b: 2 })));
  const ids = () => [sdk.getAnonymousId(), sdk.getUserId(), sdk.getUserTraits(), sdk.getGroupId(), sdk.getGroupTraits()];
  const [anonymousId, ...known] = await page.evaluate(ids);
  assert.deepEqual(known, ['u1', { a: 1 }, 'g1', { b: 2 }]);
  await heard;
  assert.equal(await other.evaluate(() => sdk.getUserId()), 'u1');
  await page.reload();
  await load(page, gateway);
  assert.deepEqual(await page.evaluate(ids), [anonymousId, ...known]);
  await page.evaluate(() => sdk.reset());
  assert.deepEqual(await page.evaluate(ids), [anonymousId, '', {}, '', {}]);
  await page.evaluate(() => sdk.reset(true));
  assert.notEqual((await page.evaluate(ids))[0], anonymousId);
  assert.equal(await page.evaluate(() => sdk.setAnonymousId('mine')), 'mine');
  await page.reload();
  await load(page, gateway);
  assert.equal((await page.evaluate(ids))[0], 'mine');
});

test('sessions: one start, the same id across pages, a new one after the time-out, and by hand', async () => {
  const page = await visitor.open();
  await load(page, gateway);
  await page.clock.install();
  const marks = (events) => events.map(({ context }) => [context.sessionId, context.sessionStart]);
  const [[id, start], [again, none]] = marks(await sent(page, () => (void sdk.track('A'), void sdk.track('B'))));
  assert.deepEqual([start, again, none], [true, id, undefined]);
  await page.reload();
  await load(page, gateway);
  assert.deepEqual(marks(await sent(page, () => void sdk.track('C'))), [[id, undefined]]);
  await page.clock.fastForward(29 * 60_000);
  assert.equal(await page.evaluate(() => sdk.getSessionId()), id);
  await page.clock.fastForward(2 * 60_000);
  assert.equal(await page.evaluate(() => sdk.getSessionId()), null);
  const [[next, begun]] = marks(await sent(page, () => void sdk.track('D')));
  assert.ok(next > id && begun === true);
  const byHand = await sent(page, () => (sdk.startSession(1234567890), void sdk.track('E'), void sdk.track('F'), sdk.endSession(), void sdk.track('G')));
  assert.deepEqual(marks(byHand), [[1234567890, true], [1234567890, undefined], [undefined, undefined]]);
});

test('consent pending: nothing is sent or stored; granted: everything goes, as the visitor who is known', async () => {
  const page = await visitor.open();
  await load(page, gateway);
  const known = await page.evaluate(() => sdk.getAnonymousId());
  await page.goto(`${browser.site.url}/first`);
  await page.evaluate(() => localStorage.setItem('before', JSON.stringify({ ...localStorage })));
  await load(page, gateway, { consent: 'pending' });
  await page.evaluate(() => {
    void sdk.track('A');
    history.pushState(null, '', '/second');
    void sdk.identify('u1');
    void sdk.track('B');
  });
  assert.notEqual(await page.evaluate(() => sdk.getAnonymousId()), known);
  assert.equal((await stats(page)).pending, 3);
  assert.ok(await page.evaluate(() => {
    const { before, ...now } = { ...localStorage };
    return before === JSON.stringify(now);
  }));
  await page.evaluate(() => (sdk.setConsent('pending'), sdk.setConsent('granted')));
  await gateway.until(() => gateway.events.length === 3);
  assert.deepEqual(gateway.events.map(({ anonymousId, userId, context }) => [anonymousId, userId, context.page.path]), [
    [known, undefined, '/first'],
    [known, 'u1', '/second'],
    [known, 'u1', '/second'],
  ]);
});

test('consent pending may drop, and a page that closes while it is pending sends nothing', async () => {
  const page = await visitor.open();
  await load(page, gateway, { consent: 'pending', pendingConsent: 'drop' });
  await track(page, 'A');
  assert.deepEqual((await stats(page)).droppedBy, { consent: 1 });
  const other = await visitor.open();
  await load(other, gateway, { consent: 'pending' });
  await noteAtEnd(other);
  await track(other, 'B');
  await other.goto(`${browser.site.url}/empty`);
  const { tracked, pending, droppedBy } = await noted(other);
  assert.deepEqual([tracked, pending, droppedBy], [1, 0, { consent: 1 }]);
  assert.equal(gateway.requests.length, 0);
});

test('consent withdrawn: queued events are dropped and every stored id is forgotten; given again, it goes on', async () => {
  gateway.fail({ status: 503 });
  const page = await visitor.open();
  await load(page, gateway);
  await track(page, 'A', 'B');
  const before = await page.evaluate(() => sdk.getAnonymousId());
  await page.evaluate(() => sdk.setConsent('denied'));
  await track(page, 'C');
  assert.deepEqual((await stats(page)).droppedBy, { consent: 3 });
  assert.deepEqual(await stored(page), []);
  gateway.heal();
  await page.evaluate(() => sdk.setConsent('granted'));
  await track(page, 'D');
  await gateway.until(() => gateway.events.length === 1);
  assert.deepEqual(gateway.names(), ['D']);
  assert.notEqual(gateway.events[0].anonymousId, before);
});

test('plugins change and drop, and later events wait for a promise', async () => {
  const page = await visitor.open();
  await page.evaluate((url) => {
    window.drops = [];
    sdk.load('WK', url, {
      flushInterval: 20,
      onDrop: (drop) => window.drops.push(drop),
      plugins: [
        { beforeSend: (event) => new Promise((resolve) => setTimeout(resolve, event.event === 'slow' ? 100 : 0, event)) },
        { name: 'no-noise', beforeSend: (event) => (event.event === 'noise' ? null : { ...event, properties: { seen: true } }) },
      ],
    });
    for (const name of ['slow', 'noise', 'fast']) void sdk.track(name);
  }, gateway.url);
  await gateway.until(() => gateway.events.length === 2);
  assert.deepEqual(gateway.events.map(({ event, properties }) => [event, properties]), [['slow', { seen: true }], ['fast', { seen: true }]]);
  assert.deepEqual((await drops(page)).map(({ reason, detail, event }) => [reason, detail, event.event]), [['plugin', 'no-noise dropped it', 'noise']]);
});

test('a plain page: the stub collects calls until the script has come', async () => {
  const { readFileSync } = await import('node:fs');
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const snippet = /<script>[\s\S]*?<\/script>/
    .exec(readme)[0]
    .replace('https://cdn.example.com/pintle.min.js', '/pintle.min.js')
    .replace('https://events.example.com', gateway.url)
    .replace('WRITE_KEY', 'WK');
  browser.site.serve('/plain', 'text/html', `<!doctype html><title>Plain</title>${snippet}<script>pintle.track('Inline', { a: 1 })</script>`);
  const page = await visitor.open('/plain');
  await page.waitForFunction(() => typeof window.pintle.stats === 'function');
  await page.evaluate(() => window.pintle.track('Later'));
  assert.deepEqual(gateway.events.map(({ type, event }) => event ?? type), ['page', 'Inline', 'Later']);
});
