import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { afterEach, beforeEach, test } from 'node:test';
import { promisify } from 'node:util';
import { Analytics } from '@pintle/node';
import { seeded, testSeed } from './support/clock.js';
import { startGateway } from './support/gateway.js';

const run = promisify(execFile);
const here = import.meta.dirname;
let gateway;
let clients;
beforeEach(async () => {
  gateway = await startGateway();
  clients = [];
});
afterEach(async () => {
  gateway.heal();
  for (const client of clients) await client.close();
  await gateway.close();
});

/** What each client reported to `onDrop`. */
const drops = new WeakMap();

function start(options = {}) {
  const dropped = [];
  const client = new Analytics('WK', {
    dataPlaneUrl: gateway.url,
    flushInterval: 20,
    onDrop: (drop) => dropped.push(drop),
    ...options,
    limits: { retryDelayMinMs: 10, retryDelayMaxMs: 50, ...options.limits },
  });
  clients.push(client);
  drops.set(client, dropped);
  return client;
}

const names = (count) => Array.from({ length: count }, (_, index) => `e${index + 1}`);
const trackAll = (client, events) => events.map((event) => client.track({ userId: 'u', event }));

test('every call’s wire form', async () => {
  const client = start();
  const timestamp = new Date(5);
  void client.identify({ userId: 7, traits: { plan: 'pro' } });
  void client.track({ userId: 'u', anonymousId: 'a', event: 'E', properties: { a: 1 }, timestamp, messageId: 'mine' });
  void client.page({ anonymousId: 'a', category: 'Docs', name: 'Start', properties: { url: '/x' } });
  void client.screen({ userId: 'u', name: 'Settings', context: { app: 'x' }, integrations: { All: false } });
  void client.group({ userId: 'u', groupId: 'g', traits: { seats: 2 } });
  void client.alias({ userId: 'new', previousId: 'old' });
  await client.flush();
  const library = { name: '@pintle/node', version: '0.1.0' };
  const [identify, track, page, screen, group, alias] = gateway.events.map(({ messageId, originalTimestamp, sentAt, ...rest }) => {
    assert.ok(messageId && sentAt && !Number.isNaN(Date.parse(originalTimestamp)));
    return rest;
  });
  const every = { channel: 'server', context: { library }, integrations: { All: true } };
  assert.deepEqual(identify, { ...every, type: 'identify', userId: '7', context: { library, traits: { plan: 'pro' } }, traits: { plan: 'pro' } });
  assert.deepEqual(track, { ...every, type: 'track', userId: 'u', anonymousId: 'a', event: 'E', properties: { a: 1 } });
  assert.deepEqual(page, { ...every, type: 'page', anonymousId: 'a', category: 'Docs', name: 'Start', properties: { url: '/x', name: 'Start', category: 'Docs' } });
  assert.deepEqual(screen, { ...every, type: 'screen', userId: 'u', name: 'Settings', properties: { name: 'Settings' }, context: { library, app: 'x' }, integrations: { All: false } });
  assert.deepEqual(group, { ...every, type: 'group', userId: 'u', groupId: 'g', traits: { seats: 2 } });
  assert.deepEqual(alias, { ...every, type: 'alias', userId: 'new', previousId: 'old' });
  assert.equal(gateway.events[1].messageId, 'mine');
  assert.equal(gateway.events[1].originalTimestamp, '1970-01-01T00:00:00.005Z');
  const [{ path, headers }] = gateway.requests;
  assert.equal(path, '/v1/batch');
  assert.equal(headers.authorization, `Basic ${Buffer.from('WK:').toString('base64')}`);
  assert.equal(headers.anonymousid, undefined);
  assert.equal(headers['content-encoding'], 'gzip');
});

test('small bodies and gzip: false go plain', async () => {
  const small = start();
  await small.track({ userId: 'u', event: 'E' });
  const plain = start({ gzip: false });
  await plain.track({ userId: 'u', event: 'E', properties: { text: 'x'.repeat(5_000) } });
  assert.deepEqual(gateway.requests.map(({ headers }) => headers['content-encoding']), [undefined, undefined]);
});

test('what cannot become an event is dropped with the reason, and nothing throws', async () => {
  const client = start();
  const outcomes = await Promise.all([
    client.track({ event: 'E' }),
    client.track({ userId: 'u' }),
    client.group({ userId: 'u' }),
    client.alias({ userId: 'u' }),
    client.track({ userId: 'u', event: 'E', timestamp: new Date(NaN) }),
    client.track(),
    client.track({ userId: 'u', event: 'E', properties: { text: 'x'.repeat(40_000) } }),
    client.track({ userId: 'u', event: 'E', properties: { big: 1n } }),
  ]);
  assert.deepEqual(outcomes.map(({ reason }) => reason), [...Array(6).fill('invalid'), 'too-large', 'invalid']);
  assert.match(outcomes[0].detail, /userId or an anonymousId/);
  assert.match(outcomes[1].detail, /track needs event/);
  assert.equal(drops.get(client).length, 8);
});

test('callbacks and promises tell the same', async () => {
  const client = start();
  const told = await new Promise((resolve) => {
    void client.track({ userId: 'u', event: 'E', messageId: 'm' }, resolve);
  });
  assert.deepEqual(told, { status: 'delivered', messageId: 'm' });
  const figures = await new Promise((resolve) => void client.flush(resolve));
  assert.equal(figures.delivered, 1);
});

test('faults of every kind: all arrive once, in order', async () => {
  const seed = testSeed();
  const random = seeded(seed);
  const faults = [null, null, { status: 500 }, { status: 429, headers: { 'retry-after': '0' } }, { status: 408 }, 'cut', 'commit-and-cut'];
  gateway.judge(({ batch }) => (batch.length > 40 ? { status: 413 } : faults[Math.floor(random() * faults.length)]));
  const client = start();
  const outcomes = trackAll(client, names(300));
  for (const { status } of await Promise.all(outcomes)) assert.equal(status, 'delivered', `seed ${seed}`);
  assert.deepEqual(gateway.names(), names(300), `seed ${seed}`);
  const { tracked, delivered, pending } = client.stats();
  assert.deepEqual([tracked, delivered, pending], [300, 300, 0]);
});

test('Retry-After is kept', async () => {
  gateway.next({ status: 503, headers: { 'retry-after': '1' } });
  const client = start();
  void client.track({ userId: 'u', event: 'E' });
  await gateway.until(() => gateway.requests.length === 1);
  const asked = performance.now();
  await client.flush();
  assert.ok(performance.now() - asked > 900);
  assert.equal(gateway.requests.length, 2);
});

test('a server that never answers is given up after requestTimeoutMs, and tried again', async () => {
  gateway.next('hang');
  const client = start({ limits: { requestTimeoutMs: 50 } });
  assert.equal((await client.track({ userId: 'u', event: 'E' })).status, 'delivered');
  assert.equal(gateway.requests.length, 2);
});

test('400 for one event: its neighbours arrive', async () => {
  gateway.judge(({ batch }) => (batch.some(({ event }) => event === 'e5') ? { status: 400, body: 'event is not a valid rudder event\n' } : null));
  const client = start();
  const outcomes = await Promise.all(trackAll(client, names(10)));
  assert.deepEqual(outcomes.filter(({ status }) => status === 'dropped').map(({ detail }) => detail), ['400 event is not a valid rudder event']);
  assert.deepEqual(gateway.names(), names(10).filter((name) => name !== 'e5'));
});

test('the queue is bounded: full says so, and drained waits until there is room', async () => {
  gateway.fail({ status: 503 });
  const changes = [];
  const client = start({ maxQueueSize: 10, onFull: (full) => changes.push(full) });
  const outcomes = trackAll(client, names(12));
  assert.equal(client.full, true);
  assert.deepEqual(drops.get(client).map(({ reason }) => reason), ['queue-full', 'queue-full']);
  const drained = client.drained();
  gateway.heal();
  await drained;
  assert.equal(client.full, false);
  assert.deepEqual(changes, [true, false]);
  await Promise.all(outcomes);
  assert.deepEqual(gateway.names(), names(10));
});

test('a producer that heeds the signal loses nothing, however small the queue', async () => {
  const client = start({ maxQueueSize: 20, flushAt: 5 });
  for (const event of names(500)) {
    if (client.full) await client.drained();
    void client.track({ userId: 'u', event });
  }
  await client.flush();
  assert.deepEqual(gateway.names(), names(500));
  assert.equal(client.stats().dropped, 0);
});

test('close with a dead server waits so long and no longer, and reports the rest', async () => {
  gateway.fail('hang');
  const client = start({ closeTimeout: 100 });
  const outcomes = trackAll(client, names(3));
  const { delivered, dropped, droppedBy, pending } = await client.close();
  assert.deepEqual([delivered, dropped, droppedBy, pending], [0, 3, { closed: 3 }, 0]);
  for (const outcome of await Promise.all(outcomes)) assert.match(outcome.detail, /closeTimeout/);
  assert.equal((await client.track({ userId: 'u', event: 'late' })).reason, 'closed');
});

test('close delivers what is queued', async () => {
  const client = start({ flushInterval: 600_000, flushAt: 10_000 });
  void trackAll(client, names(1_000));
  assert.equal((await client.close()).delivered, 1_000);
  assert.deepEqual(gateway.names(), names(1_000));
});

test('a program that tracks and returns from main: everything arrives, at once', async () => {
  gateway.next({ status: 500 }, 'cut');
  const begun = performance.now();
  const { stdout } = await run(process.execPath, [`${here}/support/track-and-return.js`, gateway.url, '250']);
  assert.ok(performance.now() - begun < 30_000, 'the flush interval of 10 minutes does not hold the process');
  assert.deepEqual(gateway.names(), names(250));
  assert.deepEqual(JSON.parse(stdout), { delivered: 250, dropped: 0, pending: 0 });
});

test('a program that ends with a dead server reports what it drops', async () => {
  gateway.fail({ status: 503 });
  const { stdout } = await run(process.execPath, [`${here}/support/track-and-return.js`, gateway.url, '5', '200']);
  assert.deepEqual(JSON.parse(stdout), { delivered: 0, dropped: 5, pending: 0 });
});

test('plugins', async () => {
  const client = start({ plugins: [{ beforeSend: async (event) => (event.event === 'e2' ? null : event) }] });
  void trackAll(client, names(3));
  await client.flush();
  assert.deepEqual(gateway.names(), ['e1', 'e3']);
  assert.deepEqual(client.stats().droppedBy, { plugin: 1 });
});

test('options that make no sense are refused at once', () => {
  assert.throws(() => new Analytics('WK'), /dataPlaneUrl/);
  assert.throws(() => new Analytics('', { dataPlaneUrl: gateway.url }), /write key/);
  assert.throws(() => new Analytics('WK', { dataPlaneUrl: 'events.example.com' }), /http/);
  assert.throws(() => new Analytics('WK', { dataPlaneUrl: gateway.url, flushAt: 0 }), /flushAt/);
});
