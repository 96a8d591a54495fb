import assert from 'node:assert/strict';
import { test } from 'node:test';
import { base64, createPipeline, createPost, limitsWith, noStore, uuid } from '@pintle/core';
import { handClock, seeded, settled, testSeed } from './support/clock.js';

/** A pipeline on a hand-moved clock, and a network that answers what the test says. */
function setUp({ limits = {}, answers = () => ({ status: 200 }), ...options } = {}) {
  const clock = handClock(options.seed);
  const sent = [];
  const drops = [];
  let flying = 0;
  const fetch = async (url, init) => {
    assert.equal(flying++, 0, 'one batch in flight at a time');
    try {
      const body = JSON.parse(init.body);
      sent.push({ url, headers: init.headers, ...body, at: clock.now() });
      const { status, headers = {}, text = '' } = await answers(body.batch, sent.length);
      return { status, headers: { get: (name) => headers[name] ?? null }, text: async () => text };
    } finally {
      flying--;
    }
  };
  const all = limitsWith(limits);
  const pipeline = createPipeline({
    post: createPost({ fetch, clock, url: 'http://gateway/v1/batch', requestTimeoutMs: all.requestTimeoutMs }),
    store: noStore,
    clock,
    limits: all,
    plugins: [],
    routed: false,
    onDrop: (drop) => drops.push(drop),
    ...options,
  });
  let count = 0;
  const track = (more = {}) => {
    const messageId = `m${count++}`;
    return pipeline.accept(messageId, { type: 'track', messageId, event: messageId, userId: 'u', context: {}, ...more });
  };
  const ids = () => sent.map(({ batch }) => batch.map(({ messageId }) => messageId).join(' '));
  return { clock, sent, drops, pipeline, track, ids };
}

function balanced({ tracked, delivered, dropped, droppedBy, pending }) {
  assert.equal(delivered + dropped + pending, tracked);
  assert.equal(Object.values(droppedBy).reduce((sum, count) => sum + count, 0), dropped);
}

test('a batch goes when enough events wait, and a rest when it has waited long enough', async () => {
  const { clock, track, ids } = setUp({ limits: { flushAt: 3, flushIntervalMs: 100 } });
  for (let i = 0; i < 4; i++) void track();
  await settled();
  assert.deepEqual(ids(), ['m0 m1 m2']);
  await clock.advance(99);
  assert.equal(ids().length, 1);
  await clock.advance(1);
  assert.deepEqual(ids(), ['m0 m1 m2', 'm3']);
});

test('a batch is cut by count and by bytes', async () => {
  const { pipeline, track, sent, ids } = setUp({ limits: { flushAt: 1_000, batchItemsMax: 2 } });
  for (let i = 0; i < 5; i++) void track();
  await pipeline.flush();
  assert.deepEqual(ids(), ['m0 m1', 'm2 m3', 'm4']);

  const bytes = setUp({ limits: { flushAt: 1_000, batchBytesMax: 2_000 } });
  for (let i = 0; i < 6; i++) void bytes.track({ properties: { text: 'ä'.repeat(300) } });
  await bytes.pipeline.flush();
  assert.deepEqual(bytes.ids(), ['m0 m1', 'm2 m3', 'm4 m5']);
  assert.equal(sent.length, 3);
  for (const { batch, sentAt } of bytes.sent) {
    assert.ok(Buffer.byteLength(JSON.stringify({ batch, sentAt })) <= 2_000);
    assert.ok(batch.every((event) => event.sentAt === sentAt));
  }
});

for (const status of [408, 429, 500, 503, 599]) {
  test(`${status} is retried with the same ids, in order, until it passes`, async () => {
    const { clock, track, ids, pipeline } = setUp({
      limits: { flushAt: 2 },
      answers: (_, count) => ({ status: count <= 3 ? status : 200 }),
    });
    const outcomes = [track(), track(), track()];
    await settled();
    while (pipeline.stats().pending) await clock.advance(clock.nextIn());
    assert.deepEqual(ids().slice(0, 4).map((batch) => batch.slice(0, 5)), Array(4).fill('m0 m1'));
    for (const outcome of await Promise.all(outcomes)) assert.equal(outcome.status, 'delivered');
  });
}

test('retries wait with full jitter below a ceiling that doubles and is bounded', async () => {
  const seed = testSeed();
  const { clock, track, sent } = setUp({ seed, limits: { flushAt: 1 }, answers: () => ({ status: 500 }) });
  void track();
  await settled();
  for (let attempt = 1; attempt < 12; attempt++) {
    const before = clock.now();
    await clock.advance(clock.nextIn());
    const ceiling = Math.min(60_000, 1_000 * 2 ** (attempt - 1));
    const waited = clock.now() - before;
    assert.ok(waited >= 0 && waited <= ceiling, `attempt ${attempt} waited ${waited} of ${ceiling}`);
    assert.equal(sent.length, attempt + 1);
  }
});

test('Retry-After is kept, as seconds and as a date, up to its limit', async () => {
  const cases = [
    ['7', 7_000],
    [(now) => new Date(now + 9_000).toUTCString(), 8_000],
    ['86400', 600_000],
    ['nonsense', 0],
  ];
  for (const [value, least] of cases) {
    const setup = setUp({
      limits: { flushAt: 1 },
      answers: (_, count) => {
        const header = typeof value === 'function' ? value(setup.clock.now()) : value;
        return count === 1 ? { status: 429, headers: { 'retry-after': header } } : { status: 200 };
      },
    });
    const { clock, track, sent, pipeline } = setup;
    void track();
    await settled();
    void pipeline.flush();
    pipeline.sender.retryNow();
    while (sent.length < 2) await clock.advance(clock.nextIn());
    const waited = sent[1].at - sent[0].at;
    assert.ok(waited >= least && waited <= least + 2_001, `${value}: ${waited}`);
  }
});

test('a network that fails and hangs is retried; the time limit ends the hanging request', async () => {
  const { clock, track, sent, pipeline } = setUp({
    limits: { flushAt: 1, requestTimeoutMs: 500 },
    answers: (_, count) => {
      if (count === 1) throw new TypeError('fetch failed');
      return { status: 200 };
    },
  });
  const outcome = track();
  await settled();
  await clock.advance(clock.nextIn());
  assert.equal((await outcome).status, 'delivered');
  assert.equal(sent.length, 2);
  balanced(pipeline.stats());
});

test('413 halves the batch until it fits, and an event that fits nowhere is dropped alone', async () => {
  const { pipeline, track, ids, drops } = setUp({
    limits: { flushAt: 100 },
    answers: (batch) => ({ status: batch.length > 2 || batch.some(({ messageId }) => messageId === 'm3') ? 413 : 200 }),
  });
  for (let i = 0; i < 6; i++) void track();
  const stats = await pipeline.flush();
  assert.deepEqual(drops.map(({ messageId, reason }) => [messageId, reason]), [['m3', 'too-large']]);
  assert.equal(stats.delivered, 5);
  assert.equal(ids()[0], 'm0 m1 m2 m3 m4 m5');
});

test('400 for one bad event does not cost its neighbours', async () => {
  const { pipeline, track, drops } = setUp({
    answers: (batch) => (batch.some(({ messageId }) => messageId === 'm5') ? { status: 400, text: 'invalid' } : { status: 200 }),
  });
  for (let i = 0; i < 8; i++) void track();
  const stats = await pipeline.flush();
  assert.equal(stats.delivered, 7);
  assert.deepEqual(drops.map(({ messageId, reason, detail }) => [messageId, reason, detail]), [['m5', 'refused', '400 invalid']]);
});

test('401 drops the batch with the server’s words, and reports the events', async () => {
  const { pipeline, track, drops, sent } = setUp({ answers: () => ({ status: 401, text: 'invalid write key\n' }) });
  const outcome = track({ properties: { a: 1 } });
  void track();
  await pipeline.flush();
  assert.deepEqual(await outcome, { status: 'dropped', messageId: 'm0', reason: 'refused', detail: '401 invalid write key' });
  assert.deepEqual(drops[0].event.properties, { a: 1 });
  assert.equal(sent.length, 1);
  assert.deepEqual(pipeline.stats().droppedBy, { refused: 2 });
});

test('what is too large, not JSON, or beyond the queue is dropped with the name of the limit', async () => {
  const { track, pipeline, drops } = setUp({
    limits: { queueItemsMax: 2, eventBytesMax: 1_000 },
    answers: () => new Promise(() => {}),
  });
  const loop = {};
  loop.loop = loop;
  void track({ properties: { text: 'x'.repeat(1_000) } });
  void track({ properties: loop });
  for (let i = 0; i < 3; i++) void track();
  assert.deepEqual(drops.map(({ reason }) => reason), ['too-large', 'invalid', 'queue-full']);
  assert.match(drops[0].detail, /eventBytesMax is 1000/);
  assert.match(drops[2].detail, /queueItemsMax is 2/);
  assert.equal(pipeline.isFull(), true);
  balanced(pipeline.stats());
});

test('a full queue says so once, and again when it is half empty', async () => {
  const changes = [];
  const { track, pipeline } = setUp({ limits: { queueItemsMax: 4, flushAt: 100 }, onFull: (full) => changes.push(full) });
  for (let i = 0; i < 5; i++) void track();
  assert.deepEqual(changes, [true]);
  const drained = pipeline.drained();
  await pipeline.flush();
  await drained;
  assert.deepEqual(changes, [true, false]);
});

test('an event that is larger than the whole queue does not make it full', async () => {
  const { track, pipeline, drops } = setUp({ limits: { queueBytesMax: 500 } });
  void track({ properties: { text: 'x'.repeat(1_000) } });
  assert.equal(drops[0].reason, 'queue-full');
  assert.equal(pipeline.isFull(), false);
  await pipeline.drained();
});

test('plugins change and drop events in turn, promises keep the order, and a plugin that throws harms one event', async () => {
  const { track, pipeline, sent, drops } = setUp({
    plugins: [
      { name: 'slow', beforeSend: async (event) => (await settled(), event) },
      {
        name: 'picky',
        beforeSend(event) {
          if (event.messageId === 'm1') return null;
          if (event.messageId === 'm2') throw new Error('oh');
          return { ...event, messageId: 'other', event: `${event.event}!` };
        },
      },
    ],
  });
  for (let i = 0; i < 4; i++) void track();
  await pipeline.flush();
  assert.deepEqual(sent.flatMap(({ batch }) => batch.map(({ messageId, event }) => [messageId, event])), [
    ['m0', 'm0!'],
    ['m3', 'm3!'],
  ]);
  assert.deepEqual(drops.map(({ messageId, reason, detail }) => [messageId, reason, detail]), [
    ['m1', 'plugin', 'picky dropped it'],
    ['m2', 'plugin', 'picky threw: Error: oh'],
  ]);
});

test('a callback that throws stops nothing', async (t) => {
  t.mock.method(console, 'error', () => {});
  const { pipeline, track } = setUp();
  const event = { type: 'track', messageId: 'x', originalTimestamp: '', context: {}, event: 'x' };
  const outcome = pipeline.accept('x', event, () => {
    throw new Error('in the callback');
  });
  void track();
  await pipeline.flush();
  assert.equal((await outcome).status, 'delivered');
  assert.equal(pipeline.stats().delivered, 2);
});

test('flush gives up waiting after its time, and says what is pending', async () => {
  const { clock, track, pipeline } = setUp({ answers: () => ({ status: 503 }) });
  void track();
  const flushed = pipeline.flush(100);
  await clock.advance(100);
  assert.equal((await flushed).pending, 1);
});

test('two events with one message id are two in the books', async () => {
  const { pipeline } = setUp();
  const event = { type: 'track', messageId: 'same', originalTimestamp: '', context: {}, event: 'x' };
  const outcomes = [pipeline.accept('same', event), pipeline.accept('same', event)];
  await pipeline.flush();
  for (const outcome of await Promise.all(outcomes)) assert.equal(outcome.status, 'delivered');
  assert.equal(pipeline.stats().delivered, 2);
});

test('whatever the server answers, the books balance, nothing is sent out of order, and everything has one fate', async () => {
  const seed = testSeed();
  const random = seeded(seed);
  for (let round = 0; round < 50; round++) {
    const statuses = [200, 200, 200, 200, 500, 503, 429, 408, 413, 400, 403];
    const { clock, track, pipeline, sent } = setUp({
      seed: Math.floor(random() * 2 ** 31),
      limits: { flushAt: 1 + Math.floor(random() * 10), batchItemsMax: 1 + Math.floor(random() * 8), queueItemsMax: 40 },
      answers: () => {
        if (random() < 0.1) throw new TypeError('fetch failed');
        return { status: statuses[Math.floor(random() * statuses.length)] };
      },
    });
    const fates = new Map();
    let calls = 0;
    for (let step = 0; step < 60; step++) {
      if (random() < 0.7) {
        calls++;
        void track().then(({ messageId, status }) => {
          assert.ok(!fates.has(messageId));
          fates.set(messageId, status);
        });
      } else {
        await clock.advance(Math.floor(random() * 3_000));
      }
      balanced(pipeline.stats());
    }
    for (let turn = 0; turn < 2_000 && pipeline.stats().pending; turn++) await clock.advance(Math.min(clock.nextIn(), 60_000));
    await settled();
    assert.equal(pipeline.stats().pending, 0, `seed ${seed}, round ${round}`);
    assert.equal(fates.size, calls);
    const firsts = [...new Set(sent.flatMap(({ batch }) => batch.map(({ messageId }) => Number(messageId.slice(1)))))];
    assert.deepEqual(firsts, [...firsts].sort((a, b) => a - b), `seed ${seed}, round ${round}`);
  }
});

test('ids are version 4 UUIDs, the same for the same chance', () => {
  const [first, second] = [uuid(seeded(5)), uuid(seeded(5))];
  assert.equal(first, second);
  const random = seeded(testSeed());
  for (let i = 0; i < 1_000; i++) {
    assert.match(uuid(random), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  }
});

test('headers survive any character', () => {
  assert.equal(Buffer.from(base64('Jürgen-日本'), 'base64').toString(), 'Jürgen-日本');
});

test('a limit that makes no sense is refused at once', () => {
  assert.throws(() => limitsWith({ flushAt: 0 }), /flushAt must be a positive number/);
  assert.throws(() => limitsWith({ batchBytesMax: NaN }), /batchBytesMax/);
});
