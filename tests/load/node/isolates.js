// A transformation in a new isolate per batch. `node isolates.js TRANSFORMATION BATCHES WARM CELL`
//
// As little as such a service can do: no libraries, no log, no network, and synchronous calls throughout, which
// are the cheapest that isolated-vm has.

import { readFileSync } from 'node:fs';
import ivm from 'isolated-vm';
import { cell } from './cell.js';
import { batches, transformation } from './input.js';

const memoryLimit = 128;
const code = `${readFileSync(transformation, 'utf8')}
export function run(entries) {
  const outputs = [];
  for (let index = 0; index < entries.length; index++) {
    const { message, metadata } = entries[index];
    const output = transformEvent(message, () => metadata);
    if (output) outputs.push({ index, output });
  }
  return outputs;
}`;

await cell(batches, (batch) => {
  const isolate = new ivm.Isolate({ memoryLimit });
  const module = isolate.compileModuleSync(code);
  module.instantiateSync(isolate.createContextSync(), (name) => {
    throw new Error(`there is no ${name}`);
  });
  module.evaluateSync();
  const run = module.namespace.getSync('run', { reference: true });
  const outputs = run.applySync(undefined, [JSON.parse(batch)], { arguments: { copy: true }, result: { copy: true } });
  isolate.dispose();
  return JSON.stringify(outputs);
});
