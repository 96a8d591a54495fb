// Fails when core and browser together outgrow their budget in package.json.
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const root = import.meta.dirname;
const { gzipBytesMax } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')).sizeBudget;
const { outputFiles } = await build({
  entryPoints: [`${root}/packages/browser/dist/esm/index.js`],
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2020',
  write: false,
});
const gzipBytes = gzipSync(outputFiles[0].contents, { level: 9 }).length;
const snippetBytes = gzipSync(readFileSync(`${root}/packages/browser/dist/pintle.min.js`), { level: 9 }).length;
console.log(JSON.stringify({ gzipBytes, gzipBytesMax, minifiedBytes: outputFiles[0].contents.length, snippetBytes }));
if (gzipBytes > gzipBytesMax) {
  console.error(`size: ${gzipBytes} bytes exceed the budget of ${gzipBytesMax} (sizeBudget in package.json)`);
  process.exitCode = 1;
}
