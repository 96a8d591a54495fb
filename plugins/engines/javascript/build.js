// Builds the engine component: `node build.js OUT.wasm`.

import { fileURLToPath } from 'node:url';
import { rename, writeFile } from 'node:fs/promises';
import { componentize } from '@bytecodealliance/componentize-js';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const out = process.argv[2];
if (!out) {
  console.error('usage: node build.js OUT.wasm');
  process.exit(64);
}

const { component, imports } = await componentize({
  sourcePath: here('src/engine.js'),
  witPath: here('../../../wit'),
  worldName: 'script-engine-plugin',
  // Every feature is an import of the component. With none of them it imports nothing.
  disableFeatures: ['stdio', 'random', 'clocks', 'http', 'fetch-event'],
  debugBindings: process.env.PINTLE_DEBUG_BINDINGS === '1',
});
if (imports.length > 0) {
  console.error(`the engine imports ${imports.map(([module, name]) => `${module}.${name}`).join(', ')}`);
  process.exit(1);
}
await writeFile(`${out}.part`, component);
await rename(`${out}.part`, out);
