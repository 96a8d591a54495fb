import { type AnyEvents, type Callback, guarded, type Outcome, type Stats } from '@pintle/core';
import type { Client } from './api.js';
import { withoutCallback } from './arguments.js';
import { type Loaded, start } from './loaded.js';
import type { Method } from './messages.js';
import { EARLY_CALLS_MAX } from './options.js';

const NOTHING: Stats = { tracked: 0, adopted: 0, delivered: 0, dropped: 0, droppedBy: {}, pending: 0 };

/** A client. It takes calls at once, and sends them after `load`. */
export function createClient<Events extends object = AnyEvents>(): Client<Events> {
  let loaded: Loaded | undefined;
  /** What was called before `load`, in order. */
  let early: ((client: Loaded) => void)[] = [];
  let earlyEvents = 0;
  let readyCallbacks: (() => void)[] = [];

  /** Runs now, or when loaded. */
  function whenLoaded(run: (client: Loaded) => void) {
    if (loaded) run(loaded);
    else early.push(run);
  }

  function event(method: Method, given: unknown[]): Promise<Outcome> {
    const at = Date.now();
    const { args, callback } = withoutCallback(given);
    if (loaded) return loaded.call(method, args, at, callback);
    earlyEvents++;
    return new Promise((resolve) => {
      // Beyond the limit only the fact is kept, so that the books are right in the end.
      if (earlyEvents <= EARLY_CALLS_MAX) early.push((client) => void client.call(method, args, at, callback).then(resolve));
      else early.push((client) => void tooEarly(client, callback).then(resolve));
    });
  }

  function tooEarly(client: Loaded, callback?: Callback) {
    return client.pipeline.refuse(client.newId(), 'queue-full', `EARLY_CALLS_MAX is ${EARLY_CALLS_MAX}`, callback);
  }

  const person = () => loaded?.identity.value;

  // The overloads are the interface's; here each call is its name and its arguments.
  const events = Object.fromEntries(
    (['identify', 'track', 'page', 'screen', 'group', 'alias'] as const).map((method) => [
      method,
      (...args: unknown[]) => event(method, args),
    ]),
  ) as unknown as Pick<Client<Events>, Method>;

  return {
    ...events,
    load(writeKey, dataPlaneUrl, options = {}) {
      if (loaded) return;
      loaded = start(writeKey, dataPlaneUrl, options);
      for (const run of early.splice(0)) run(loaded);
      if (options.onLoaded) guarded(options.onLoaded);
      readyCallbacks.splice(0).forEach(guarded);
    },
    ready: (callback) =>
      new Promise((resolve) => {
        const run = () => {
          resolve();
          callback?.();
        };
        if (loaded) guarded(run);
        else readyCallbacks.push(run);
      }),
    reset: (anonymousIdToo = false) =>
      whenLoaded(({ identity, sessions, newId }) => {
        const another = anonymousIdToo ? { anonymousId: newId() } : {};
        identity.update({ userId: '', traits: {}, groupId: '', groupTraits: {}, ...another });
        sessions.renew();
      }),
    flush: (timeoutMs) => new Promise((resolve) => whenLoaded(({ pipeline }) => resolve(pipeline.flush(timeoutMs)))),
    setConsent: (consent) => whenLoaded((client) => client.setConsent(consent)),
    setAnonymousId(id) {
      whenLoaded(({ identity, newId }) => identity.update({ anonymousId: id || newId() }));
      return person()?.anonymousId ?? id ?? '';
    },
    getAnonymousId: () => person()?.anonymousId ?? '',
    getUserId: () => person()?.userId ?? '',
    getUserTraits: () => ({ ...person()?.traits }),
    getGroupId: () => person()?.groupId ?? '',
    getGroupTraits: () => ({ ...person()?.groupTraits }),
    getSessionId: () => loaded?.sessions.current(Date.now()) ?? null,
    startSession: (id) => whenLoaded(({ sessions }) => sessions.start(Date.now(), id)),
    endSession: () => whenLoaded(({ sessions }) => sessions.end()),
    stats: () => loaded?.pipeline.stats() ?? { ...NOTHING, tracked: earlyEvents, pending: earlyEvents },
  };
}
