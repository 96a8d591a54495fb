// Prints what each SDK adds to a page, as JSON lines: bytes minified, and with gzip -9.
import { gzipSync } from 'node:zlib';
import { bundle, sdks } from './sdks.js';

const seen = new Set();
for (const [sdk, { source }] of Object.entries(sdks)) {
  if (seen.has(source)) continue;
  seen.add(source);
  const code = await bundle(source, 'esm');
  console.log(JSON.stringify({ sdk, minifiedBytes: code.length, gzipBytes: gzipSync(code, { level: 9 }).length }));
}
