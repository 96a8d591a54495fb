// One measured cell.

import { setImmediate } from 'node:timers/promises';

const [warm, measured] = process.argv.slice(4).map(Number);

/** Calls `one` with batch after batch, and says how much CPU time, in microseconds, one took: that of all threads. */
export async function cell(batches, one) {
  let bytes = 0;
  const turn = async (seconds) => {
    const until = performance.now() + seconds * 1000;
    let calls = 0;
    while (performance.now() < until) {
      bytes += one(batches[calls++ % batches.length]).length;
      // Whatever waits to be cleaned up is.
      await setImmediate();
    }
    return calls;
  };
  await turn(warm);
  bytes = 0;
  const before = process.cpuUsage();
  const calls = await turn(measured);
  const { user, system } = process.cpuUsage(before);
  if (bytes <= calls * '[]'.length) throw new Error('the transformation returns nothing');
  console.log((user + system) / calls);
}
