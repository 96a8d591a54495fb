// Both command lines, against our gateway and, where PINTLE_URL and PINTLE_WRITE_KEY are set, against a running Pintle.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { startGateway } from './support/gateway.js';

const root = new URL('..', import.meta.url).pathname;

const programs = {
  node: {
    path: 'packages/node/conformance.js',
    calls: [
      { method: 'identify', args: [{ userId: 'u1', traits: { plan: 'pro' } }] },
      { method: 'track', args: [{ userId: 'u1', event: 'Order Completed', properties: { total: 12 } }] },
      { method: 'page', args: [{ userId: 'u1', name: 'Home' }] },
      { method: 'screen', args: [{ userId: 'u1', name: 'Settings' }] },
      { method: 'group', args: [{ userId: 'u1', groupId: 'g1' }] },
      { method: 'alias', args: [{ userId: 'u2', previousId: 'u1' }] },
      { method: 'track', args: [{ event: 'Nobody’s' }] },
    ],
    expected: { delivered: 6, dropped: 1 },
  },
  browser: {
    path: 'test/browser-cli.js',
    calls: [
      { method: 'identify', args: ['u1', { plan: 'pro' }] },
      { method: 'track', args: ['Order Completed', { total: 12 }] },
      { method: 'page', args: ['Home'] },
      { method: 'screen', args: ['Settings'] },
      { method: 'group', args: ['g1'] },
      { method: 'alias', args: ['u2'] },
      { method: 'track', args: ['Too large', { text: 'x'.repeat(40_000) }] },
    ],
    expected: { delivered: 6, dropped: 1 },
  },
};

async function converse(path, input) {
  const child = spawn(process.execPath, [root + path], { stdio: ['pipe', 'pipe', 'pipe'] });
  const [out, errors] = [[], []];
  child.stdout.on('data', (chunk) => out.push(chunk));
  child.stderr.on('data', (chunk) => errors.push(chunk));
  child.stdin.end(JSON.stringify(input));
  const [code] = await once(child, 'close');
  assert.equal(code, 0, Buffer.concat(errors).toString());
  return JSON.parse(Buffer.concat(out).toString());
}

const { PINTLE_URL, PINTLE_WRITE_KEY } = process.env;

for (const [name, { path, calls, expected }] of Object.entries(programs)) {
  test(`${name}: calls in, figures out`, async () => {
    const gateway = await startGateway();
    try {
      assert.deepEqual(await converse(path, { writeKey: 'WK', dataPlaneUrl: gateway.url, calls }), expected);
      assert.deepEqual(gateway.events.map(({ type }) => type), ['identify', 'track', 'page', 'screen', 'group', 'alias']);
    } finally {
      await gateway.close();
    }
  });

  test(`${name}: a running Pintle takes the same`, { skip: !(PINTLE_URL && PINTLE_WRITE_KEY) && 'PINTLE_URL and PINTLE_WRITE_KEY are not set' }, async () => {
    assert.deepEqual(await converse(path, { writeKey: PINTLE_WRITE_KEY, dataPlaneUrl: PINTLE_URL, calls }), expected);
  });
}
