import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import * as clock from '../src/clock.js';
import * as console from '../src/console.js';
import * as reply from '../src/reply.js';
import { transformBatch } from '../src/batch.js';
import { transformEvents } from '../src/events.js';

beforeEach(() => {
  clock.begin(0);
  console.begin();
  reply.begin();
});

const inputs = (...ids) => ids.map((messageId) => ({ message: { messageId }, metadata: { messageId } }));
const entries = () => JSON.parse(new TextDecoder().decode(reply.finish()));

async function perEvent(handler, batch) {
  await transformEvents(handler, batch, (_, index) => `s/${index}`, () => ({}));
  return entries();
}

async function asBatch(handler, batch) {
  await transformBatch(handler, batch, () => 's', () => ({}));
  return entries();
}

test('entries come in the order of the inputs, however long each one takes', async () => {
  const slow = (event) => new Promise((resolve) => clock.setTimeout(resolve, event.messageId === 'a' ? 100 : 1, event));
  assert.deepEqual(await perEvent(slow, inputs('a', 'b')), [
    { index: 0, output: { messageId: 'a' } },
    { index: 1, output: { messageId: 'b' } },
  ]);
});

test('all events wait at the same time', async () => {
  let waiting = 0;
  let most = 0;
  await perEvent(async () => {
    most = Math.max(most, ++waiting);
    await new Promise((resolve) => clock.setTimeout(resolve, 10));
    waiting--;
  }, inputs('a', 'b', 'c'));
  assert.equal(most, 3);
});

test('what is returned decides', async () => {
  const returned = [null, undefined, [], [{ n: 1 }, { n: 2 }], 5, [{ n: 1 }, 'x'], [{ n: 1 }, { n: 1n }]];
  const found = await perEvent(({ messageId }) => returned[messageId], inputs(0, 1, 2, 3, 4, 5, 6));
  assert.deepEqual(found.slice(0, 7), [
    { index: 0, dropped: true },
    { index: 1, dropped: true },
    { index: 2, dropped: true },
    { index: 3, output: { n: 1 } },
    { index: 3, output: { n: 2 } },
    { index: 4, error: { message: 'returned event from transformEvent(event) is not an object' } },
    { index: 5, error: { message: 'returned event in events array from transformEvent(event) is not an object' } },
  ]);
  assert.equal(found.length, 8, 'one error and no part of an event that cannot be written');
  assert.match(found[7].error.message, /BigInt/);
});

test('a promise that never settles is the error of its event alone', async () => {
  const found = await perEvent(({ messageId }) => (messageId === 'a' ? new Promise(() => {}) : {}), inputs('a', 'b'));
  assert.deepEqual(found, [
    { index: 0, error: { message: 'transformEvent returned a promise that never settles' } },
    { index: 1, output: {} },
  ]);
});

test('transformBatch: results find their input by messageId, strangers go to the last', async () => {
  const found = await asBatch((events) => [events[1], { messageId: 'new' }, events[1], {}], inputs('a', 'b', 'c'));
  assert.deepEqual(found.map(({ index, dropped }) => [index, dropped ?? false]), [
    [1, false],
    [2, false],
    [1, false],
    [2, false],
    [0, true],
  ]);
});

test('transformBatch: inputs that share a messageId are answered one after the other', async () => {
  const found = await asBatch((events) => events, inputs('a', 'b', 'a', 'a'));
  assert.deepEqual(found.map(({ index }) => index), [0, 1, 2, 3]);
});

test('transformBatch: an element that is no object is the error of its place', async () => {
  const found = await asBatch((events) => [events[0], null, events[2]], inputs('a', 'b', 'c'));
  assert.deepEqual(found.map(({ index, error }) => [index, error?.message]), [
    [0, undefined],
    [1, 'returned event in events array from transformBatch(events) is not an object'],
    [2, undefined],
  ]);
});

test('transformBatch: what fails, fails every input', async () => {
  for (const handler of [() => ({}), () => { throw new Error('no'); }, async () => { throw new Error('no'); }, () => new Promise(() => {})]) {
    reply.begin();
    const found = await asBatch(handler, inputs('a', 'b'));
    assert.deepEqual(found.map(({ index }) => index), [0, 1]);
    assert.ok(found.every(({ error }) => error.message.length > 0));
  }
});
