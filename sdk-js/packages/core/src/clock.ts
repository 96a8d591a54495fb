/** Time and chance come as an argument, so that tests turn the hands themselves and name their seed. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  setTimeout(run: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
  /** Evenly distributed in [0, 1) with at least 32 bits: message ids are made of it. */
  random(): number;
}

/** The real one. */
export function systemClock(): Clock {
  const word = new Uint32Array(1);
  return {
    now: () => Date.now(),
    setTimeout: (run, ms) => setTimeout(run, ms),
    clearTimeout: (timer) => clearTimeout(timer as Parameters<typeof clearTimeout>[0]),
    random: () => crypto.getRandomValues(word)[0]! / 0x100000000,
  };
}
