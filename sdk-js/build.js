// Builds all packages: ES modules with declarations, CommonJS with declarations, and the script for plain pages.
//
//     packages/<name>/dist/esm    tsc
//     packages/<name>/dist/cjs    tsc, with a package.json that says so
//     packages/browser/dist/pintle.min.js    esbuild
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';

const root = import.meta.dirname;
const tsc = `${root}/node_modules/.bin/tsc`;

// In order: browser and node are compiled against core's declarations.
for (const name of ['core', 'browser', 'node']) {
  const folder = `${root}/packages/${name}`;
  const dist = `${folder}/dist`;
  rmSync(dist, { recursive: true, force: true });
  execFileSync(tsc, ['-p', folder], { stdio: 'inherit' });
  execFileSync(tsc, ['-p', folder, '--module', 'commonjs', '--outDir', `${dist}/cjs`], { stdio: 'inherit' });
  mkdirSync(`${dist}/cjs`, { recursive: true });
  writeFileSync(`${dist}/cjs/package.json`, '{ "type": "commonjs" }\n');
}

await build({
  entryPoints: [`${root}/packages/browser/dist/esm/snippet.js`],
  outfile: `${root}/packages/browser/dist/pintle.min.js`,
  bundle: true,
  minify: true,
  format: 'iife',
  target: 'es2020',
});
