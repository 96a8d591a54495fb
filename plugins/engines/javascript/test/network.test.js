import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import * as clock from '../src/clock.js';
import * as console from '../src/console.js';
import * as network from '../src/network.js';
import * as reply from '../src/reply.js';
import { transformEvents } from '../src/events.js';

const found = {};
network.install(found);
const { fetch, fetchV2 } = found;

beforeEach(() => {
  clock.begin(0);
  console.begin();
  network.begin();
  reply.begin();
});

/** The calls of the host, each a list of requests; answers what `answer` makes of one. */
function host(answer) {
  const calls = [];
  network.connect((requests) => {
    calls.push(requests);
    return requests.map(answer);
  });
  return calls;
}

const bytes = (text) => new TextEncoder().encode(text);
const ok = (text, headers = []) => ({ tag: 'ok', val: { status: 200, url: 'https://a.test/end', headers, body: bytes(text) } });

/** Runs the handler over so many inputs; returns what came of them. */
async function run(handler, count = 1) {
  const inputs = Array.from({ length: count }, (_, n) => ({ message: { n }, metadata: {} }));
  await transformEvents(handler, inputs, (_, index) => `s/${index}`, () => ({}));
  return JSON.parse(new TextDecoder().decode(reply.finish())).map(({ output, error }) => output ?? error);
}

test('all requests of a turn go out in one call', async () => {
  const calls = host(({ url }) => ok(JSON.stringify({ url })));
  const outputs = await run(async ({ n }) => {
    const one = await fetch(`https://a.test/${n}`);
    return { one, two: await fetch(`https://b.test/${n}`) };
  }, 3);
  assert.deepEqual(calls.map((call) => call.map(({ url }) => url)), [
    ['https://a.test/0', 'https://a.test/1', 'https://a.test/2'],
    ['https://b.test/0', 'https://b.test/1', 'https://b.test/2'],
  ]);
  assert.deepEqual(outputs[2], { one: { url: 'https://a.test/2' }, two: { url: 'https://b.test/2' } });
});

test('fetchV2 tells all of the answer, and keeps text that is no JSON', async () => {
  host(({ url }) => ok(url.endsWith('json') ? '{"a":1}' : 'plain', [['x-a', '1'], ['x-a', '2'], ['__proto__', 'p']]));
  const [output] = await run(async () => [await fetchV2('https://a.test/json'), await fetchV2('https://a.test/')]);
  assert.equal(output.url, 'https://a.test/end');
  assert.equal(output.status, 200);
  assert.deepEqual(output.body, { a: 1 });
  assert.equal(output.headers['x-a'], '1, 2');
  assert.ok(Object.hasOwn(output.headers, '__proto__'));
});

test('fetch says ERROR whatever fails, fetchV2 says what', async () => {
  host(({ url }) => (url === 'https://text.test/' ? ok('no JSON') : { tag: 'err', val: 'no way' }));
  const [output] = await run(async () => ({
    refused: await fetch('https://a.test/'),
    text: await fetch('https://text.test/'),
    nothing: await fetch(),
    message: await fetchV2('https://a.test/').catch(({ message }) => message),
    none: await fetchV2().catch(({ message }) => message),
  }));
  assert.deepEqual(output, { refused: 'ERROR', text: 'ERROR', nothing: 'ERROR', message: 'no way', none: 'fetch url is required' });
});

test('a request is described as it was meant', async () => {
  const calls = host(() => ok('{}'));
  await run(async () => {
    await fetch('https://a.test/', { method: 'post', headers: { 'X-A': 1 }, body: 'é' });
    await fetch(new URL('https://a.test/q'), { headers: [['Content-Type', 'text/csv']], body: 'a,b', redirect: 'manual' });
    await fetch('https://a.test/', { method: 'PUT', body: new URLSearchParams({ a: 'b c' }) });
    await fetch('https://a.test/', { method: 'PUT', body: new Uint8Array([1, 2]) });
    return {};
  });
  const shown = calls.flat().map(({ method, url, headers, body, follow }) => [method, url, headers, new TextDecoder().decode(body), follow]);
  assert.deepEqual(shown, [
    ['POST', 'https://a.test/', [['X-A', '1'], ['content-type', 'text/plain;charset=UTF-8']], 'é', true],
    ['GET', 'https://a.test/q', [['Content-Type', 'text/csv']], 'a,b', false],
    ['PUT', 'https://a.test/', [['content-type', 'application/x-www-form-urlencoded;charset=UTF-8']], 'a=b+c', true],
    ['PUT', 'https://a.test/', [], '\u0001\u0002', true],
  ]);
});

test('a host that throws fails the requests and nothing else', async () => {
  network.connect(() => { throw new Error('gone'); });
  const outputs = await run(async () => ({ said: await fetchV2('https://a.test/').catch(({ message }) => message) }), 2);
  assert.deepEqual(outputs, [{ said: 'gone' }, { said: 'gone' }]);
});

test('timers and requests do not wait for each other for ever', async () => {
  host(() => ok('{"a":1}'));
  const [output] = await run(async () => {
    const late = new Promise((resolve) => clock.setTimeout(resolve, 1000, 'late'));
    return { first: await Promise.race([fetch('https://a.test/'), late]), then: await late };
  });
  assert.deepEqual(output, { first: { a: 1 }, then: 'late' });
});
