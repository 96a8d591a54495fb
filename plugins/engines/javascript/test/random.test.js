import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getRandomValues, random, randomUUID, stream, use } from '../src/random.js';

const drawn = (seed, count, draw = random) => {
  use(stream(seed));
  return Array.from({ length: count }, draw);
};

test('the same seed gives the same values, another seed others', () => {
  assert.deepEqual(drawn('1/a', 50), drawn('1/a', 50));
  assert.notDeepEqual(drawn('1/a', 5), drawn('1/b', 5));
  assert.notDeepEqual(drawn('1/ab', 5), drawn('1/ba', 5));
});

test('seeds that differ in one character at the end of a long text differ', () => {
  const seed = '18446744073709551615/508d5e8c-96e4-4301-bd46-1890dba5c86';
  assert.notDeepEqual(drawn(`${seed}6`, 3), drawn(`${seed}7`, 3));
});

test('values fill the range from 0 to 1 evenly', () => {
  const buckets = new Array(10).fill(0);
  for (let seed = 0; seed < 2000; seed++) for (const value of drawn(`s/${seed}`, 5)) buckets[Math.floor(value * 10)]++;
  for (const count of buckets) assert.ok(count > 850 && count < 1150, String(buckets));
});

test('UUIDs are of version 4 and none comes twice', () => {
  const seen = new Set();
  for (let seed = 0; seed < 2000; seed++) {
    const [id] = drawn(`s/${seed}`, 1, randomUUID);
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    seen.add(id);
  }
  assert.equal(seen.size, 2000);
});

test('getRandomValues fills integer arrays and refuses others', () => {
  use(stream('x'));
  const view = new Uint16Array(8).subarray(2, 6);
  assert.equal(getRandomValues(view), view);
  assert.ok(view.some((value) => value > 255));
  assert.deepEqual([...new Uint16Array(view.buffer, 0, 2)], [0, 0]);
  assert.throws(() => getRandomValues(new Float64Array(1)), TypeError);
  assert.throws(() => getRandomValues([1]), TypeError);
  assert.throws(() => getRandomValues(new Uint8Array(65537)), RangeError);
});
