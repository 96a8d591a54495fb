// Builds a component from the sources in src/:
//
//   node build.js engine OUT.wasm                       the engine, without imports
//   node build.js net-engine OUT.wasm                   the engine that can ask the host to fetch
//   node build.js transformation PREPARED.json OUT.wasm a stand-alone transformation
//   node build.js net-transformation PREPARED.json OUT.wasm one that can ask the host to fetch
//
// PREPARED.json is `{"ctx", "modules", "exports"}`: what the host would hand to the engine's `load`.

import { fileURLToPath } from 'node:url';
import { cp, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { componentize } from '@bytecodealliance/componentize-js';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const NETWORK = 'pintle:plugin/network@0.1.0';
const KINDS = {
  engine: { entry: 'plain.js', worldName: 'script-engine-plugin', allowed: [] },
  'net-engine': { entry: 'net.js', worldName: 'script-engine-net-plugin', allowed: [NETWORK] },
  transformation: { entry: 'standalone.js', worldName: 'transformation-plugin', allowed: [] },
  'net-transformation': { entry: 'standalone-net.js', worldName: 'transformation-net-plugin', allowed: [NETWORK] },
};

const [kind, ...paths] = process.argv.slice(2);
const out = paths.at(-1);
const isTransformation = kind === 'transformation' || kind === 'net-transformation';
if (!(kind in KINDS) || paths.length !== (isTransformation ? 2 : 1)) {
  console.error('usage: node build.js engine|net-engine OUT.wasm\n       node build.js transformation|net-transformation PREPARED.json OUT.wasm');
  process.exit(64);
}

const { entry, worldName, allowed } = KINDS[kind];
// A folder of its own: the prepared script lies beside the sources, and builds may run side by side.
const folder = await mkdtemp(join(tmpdir(), 'pintle-build-'));
try {
  await cp(here('src'), folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  if (isTransformation) await writeFile(join(folder, 'prepared.js'), await prepared(paths[0]));
  const { component, imports } = await componentize({
    sourcePath: join(folder, entry),
    witPath: here('../../../wit'),
    worldName,
    // Every feature is an import of the component. With none of them it imports what its world says.
    disableFeatures: ['stdio', 'random', 'clocks', 'http', 'fetch-event'],
    debugBindings: process.env.PINTLE_DEBUG_BINDINGS === '1',
  });
  const foreign = imports.filter(([module]) => !allowed.includes(module));
  if (foreign.length > 0) {
    console.error(`the component imports ${foreign.map(([module, name]) => `${module}.${name}`).join(', ')}`);
    process.exit(1);
  }
  await writeFile(`${out}.part`, component);
  await rename(`${out}.part`, out);
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** The module `prepared.js`: JSON is JavaScript, numbers of 64 bits excepted. */
async function prepared(path) {
  const { ctx, modules, exports } = JSON.parse(await readFile(path, 'utf8'));
  const text = JSON.stringify;
  return `export const ctx = ${text({ ...ctx, nowMs: String(ctx.nowMs), randomSeed: String(ctx.randomSeed) })};
export const modules = ${text(modules)};
export const exports = ${text(exports)};
`;
}
