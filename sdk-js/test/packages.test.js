// The packages as they are published: declarations, both module systems, versions, and no dependencies.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';

const root = new URL('..', import.meta.url).pathname;
const read = (path) => readFileSync(root + path, 'utf8');
const packages = ['core', 'browser', 'node'];

for (const mode of ['nodenext', 'bundler']) {
  test(`the built declarations serve a consumer (module resolution: ${mode})`, () => {
    try {
      execFileSync(`${root}node_modules/.bin/tsc`, ['-p', `${root}test/types/tsconfig.${mode}.json`], { encoding: 'utf8' });
    } catch (error) {
      assert.fail(error.stdout);
    }
  });
}

test('no public type is any', () => {
  for (const name of packages) {
    for (const file of readdirSync(`${root}packages/${name}/dist/esm`).filter((file) => file.endsWith('.d.ts'))) {
      const code = read(`packages/${name}/dist/esm/${file}`).replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
      assert.doesNotMatch(code, /\bany\b/, `${name}/${file}`);
    }
  }
});

test('require and import give the same names', async () => {
  const require = createRequire(import.meta.url);
  // The browser's too: a page that is rendered on a server imports it there.
  for (const name of packages) {
    const [required, imported] = [require(`@pintle/${name}`), await import(`@pintle/${name}`)];
    assert.deepEqual(Object.keys(required).sort(), Object.keys(imported).sort());
  }
  const { Analytics } = require('@pintle/node');
  const client = new Analytics('WK', { dataPlaneUrl: 'http://127.0.0.1:1' });
  assert.equal((await client.close()).tracked, 0);
});

test('a release has one version, and nothing but our own packages as dependencies', async () => {
  const { version } = JSON.parse(read('package.json'));
  for (const name of packages) {
    const described = JSON.parse(read(`packages/${name}/package.json`));
    assert.equal(described.version, version);
    assert.equal(described.license, 'Apache-2.0');
    assert.deepEqual(described.dependencies ?? {}, name === 'core' ? {} : { '@pintle/core': version });
    if (name !== 'core') assert.match(read(`packages/${name}/src/version.ts`), new RegExp(`NAME = '@pintle/${name}';\\nexport const VERSION = '${version}'`));
  }
});

test('the lockfile names no registry but npm’s', () => {
  for (const [, host] of read('package-lock.json').matchAll(/"resolved": "(https?:\/\/[^/]+)/g)) {
    assert.equal(host, 'https://registry.npmjs.org');
  }
});
