// What the command line names.

import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const [code, file] = process.argv.slice(2);

/** The module with the transformation. */
export const transformation = pathToFileURL(code);

/** The batches as text. Each is copied: what `split` gives are views of one text, which are slower to read. */
export const batches = readFileSync(file, 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => Buffer.from(line).toString());
