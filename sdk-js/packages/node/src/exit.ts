/**
 * The end of the process. The SDK's timers never hold a process back, so when nothing else is left to do, Node
 * emits `beforeExit`, and what is queued is sent then. `process.exit()`, signals without a handler and SIGKILL
 * skip this: what is queued at that moment is lost, unless `close()` was awaited before.
 */
export function atExit(finish: () => Promise<unknown> | undefined): () => void {
  const listener = () => {
    const finishing = finish();
    if (finishing) void keepAlive(finishing);
  };
  process.on('beforeExit', listener);
  return () => process.off('beforeExit', listener);
}

/** Holds the process until the promise is settled. */
export async function keepAlive<T>(work: Promise<T>): Promise<T> {
  const hold = setInterval(() => {}, 1 << 30);
  try {
    return await work;
  } finally {
    clearInterval(hold);
  }
}
