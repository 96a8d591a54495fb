// Makes the component: `node sdk/build.js OUT.wasm`. `pintle plugin build` runs it.

import { readFile, rename, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { componentize } from '@bytecodealliance/componentize-js';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const out = process.argv[2];

// A component has no files: the manifest becomes a module.
const manifest = await readFile(here('../manifest.json'), 'utf8');
await writeFile(here('manifest.js'), `export default ${JSON.stringify(manifest)};\n`);

const { component, imports } = await componentize({
  sourcePath: here('component.js'),
  witPath: here('wit'),
  worldName: 'destination-plugin',
  // Every feature is an import of the component, and a destination imports nothing.
  disableFeatures: ['stdio', 'random', 'clocks', 'http', 'fetch-event'],
});
if (imports.length > 0) {
  console.error(`it imports ${imports.map(([module, name]) => `${module}.${name}`).join(', ')}`);
  process.exit(1);
}
await writeFile(`${out}.part`, component);
await rename(`${out}.part`, out);
