// A clock that stands still until a test moves it, and chance that can be repeated.

export function handClock(seed = 1) {
  let now = 1_700_000_000_000;
  let nextId = 1;
  const timers = new Map();
  const due = () => [...timers].filter(([, timer]) => timer.at <= now).sort(([, a], [, b]) => a.at - b.at)[0];
  return {
    now: () => now,
    setTimeout(run, ms) {
      timers.set(nextId, { run, at: now + ms });
      return nextId++;
    },
    clearTimeout: (id) => timers.delete(id),
    random: seeded(seed),
    /** When the next timer rings, from now; Infinity if there is none. */
    nextIn: () => Math.min(Infinity, ...[...timers.values()].map(({ at }) => at - now)),
    /** Moves on, rings what is due, and lets promises settle. */
    async advance(ms) {
      now += ms;
      for (let timer = due(); timer; timer = due()) {
        timers.delete(timer[0]);
        timer[1].run();
        await settled();
      }
      await settled();
    },
  };
}

/** Lets everything run that needs no timer and no network. */
export const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Mulberry32: 32 bits, the same for the same seed. */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x100000000;
  };
}

/** From PINTLE_SEED, or new; printed, so that a failure can be repeated. */
export function testSeed() {
  const seed = Number(process.env.PINTLE_SEED ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`PINTLE_SEED=${seed}`);
  return seed;
}
