import type { PintleEvent } from './event.js';

/** Sees every event before it is queued, and may change or drop it. */
export interface Plugin {
  /** For the reason when it drops something. */
  name?: string;
  /** Returns the event to send, or null to drop it. Later events wait for a promise, so that order is kept. */
  beforeSend(event: PintleEvent): PintleEvent | null | Promise<PintleEvent | null>;
}

export type Passed = { event: PintleEvent } | { detail: string; dropped: PintleEvent };

/**
 * Runs the plugins one after the other. The answer is a promise only if a plugin gave one: an event that meets
 * no promise is stored before `track` returns, and even a page that closes in that moment has not lost it.
 */
export function runPlugins(plugins: readonly Plugin[], event: PintleEvent, from = 0): Passed | Promise<Passed> {
  for (let index = from; index < plugins.length; index++) {
    const plugin = plugins[index]!;
    const name = plugin.name ?? `plugin ${index}`;
    try {
      const result = plugin.beforeSend(event);
      if (isPromise(result)) {
        return Promise.resolve(result).then(
          (next) => (next ? runPlugins(plugins, next, index + 1) : { detail: `${name} dropped it`, dropped: event }),
          (error: unknown) => ({ detail: `${name} failed: ${String(error)}`, dropped: event }),
        );
      }
      if (!result) return { detail: `${name} dropped it`, dropped: event };
      event = result;
    } catch (error) {
      return { detail: `${name} threw: ${String(error)}`, dropped: event };
    }
  }
  return { event };
}

type Result = ReturnType<Plugin['beforeSend']>;

/** Anything with a `then`: polyfills and other windows have promises of their own. */
function isPromise(result: Result): result is Promise<PintleEvent | null> {
  return typeof (result as Partial<Promise<unknown>> | null)?.then === 'function';
}
