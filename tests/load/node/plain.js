// A transformation in plain Node: parse, call, stringify. `node plain.js TRANSFORMATION BATCHES WARM CELL`

import { cell } from './cell.js';
import { batches, transformation } from './input.js';

const { transformEvent } = await import(transformation.href);

await cell(batches, (batch) => {
  const outputs = [];
  const entries = JSON.parse(batch);
  for (let index = 0; index < entries.length; index++) {
    const { message, metadata } = entries[index];
    const output = transformEvent(message, () => metadata);
    if (output) outputs.push({ index, output });
  }
  return JSON.stringify(outputs);
});
