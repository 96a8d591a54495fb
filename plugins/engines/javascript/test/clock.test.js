import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import * as clock from '../src/clock.js';

const target = { performance: {}, AbortSignal: {} };
clock.install(target);
beforeEach(() => clock.begin(1_700_000_000_000));

const runAll = () => {
  while (clock.runNextTimer());
};

test('time stands still but for the readings', () => {
  assert.equal(target.Date.now(), 1_700_000_000_000);
  assert.equal(new target.Date().toISOString(), '2023-11-14T22:13:20.000Z');
  for (let i = 0; i < 2000; i++) target.Date.now();
  assert.ok(target.Date.now() > 1_700_000_000_000);
});

test('timers fire in order of their time, and of their setting when it is the same', () => {
  const order = [];
  for (const [name, delay] of [['c', 30], ['a', 10], ['d', 30], ['b', 20], ['now', 0], ['e', 30]]) clock.setTimeout(() => order.push(name), delay);
  runAll();
  assert.deepEqual(order, ['now', 'a', 'b', 'c', 'd', 'e']);
  assert.ok(target.performance.now() >= 30 && target.performance.now() < 31);
});

test('a timer gets its arguments and can set others', () => {
  const seen = [];
  clock.setTimeout((a, b) => clock.setTimeout(() => seen.push(a + b), 5), 5, 1, 2);
  runAll();
  assert.deepEqual(seen, [3]);
});

test('a cleared timer does not fire, wherever it stands in the list', () => {
  const order = [];
  const ids = [1, 2, 3, 4].map((n) => clock.setTimeout(() => order.push(n), n));
  clock.clearTimeout(ids[0]);
  clock.clearTimeout(ids[3]);
  clock.clearTimeout(12345);
  clock.setTimeout(() => order.push(5), 9);
  runAll();
  assert.deepEqual(order, [2, 3, 5]);
});

test('an interval goes on until it is cleared', () => {
  let count = 0;
  const id = clock.setInterval(() => {
    if (++count === 3) clock.clearTimeout(id);
  }, 0);
  runAll();
  assert.equal(count, 3);
});

test('ten thousand timers at once are enough', () => {
  for (let i = 0; i < 10_000; i++) clock.setTimeout(() => {}, 1);
  assert.throws(() => clock.setTimeout(() => {}, 1), /more than 10000 timers/);
});

test('a new call has no timers of the call before', () => {
  clock.setTimeout(() => assert.fail('of the call before'), 1);
  clock.begin(0);
  assert.equal(clock.runNextTimer(), false);
});

test('Date can be extended, called and recognised', () => {
  class Mine extends target.Date {}
  assert.equal(new Mine().getTime(), 1_700_000_000_000);
  assert.ok(new Mine() instanceof target.Date);
  assert.ok(new Date(0) instanceof target.Date);
  assert.equal(typeof target.Date(), 'string');
  assert.equal(new target.Date(2020, 0).getFullYear(), 2020);
  assert.ok(Number.isNaN(new target.Date(undefined).getTime()));
});
