import {
  batchEndpoint,
  createPipeline,
  createPost,
  type Drop,
  limitsWith,
  type Fetch,
  type Outcome,
  type Callback,
  type Pipeline,
  systemClock,
  uuid,
} from '@pintle/core';
import { createView, frozen } from './context.js';
import { createIdentity, type Identity } from './identity.js';
import { watchLeaving } from './leaving.js';
import { createMessages, type Method } from './messages.js';
import { type Consent, LEASE_MS, type LoadOptions } from './options.js';
import { createOutbox } from './outbox.js';
import { createSessions, type Sessions } from './session.js';
import { gated, localKeyValue, noKeyValue } from './storage.js';

/** A client that knows where events go. */
export interface Loaded {
  pipeline: Pipeline;
  identity: Identity;
  sessions: Sessions;
  newId(): string;
  call(method: Method, args: unknown[], at: number, callback?: Callback): Promise<Outcome>;
  setConsent(consent: Consent): void;
}

export function start(writeKey: string, url: string, options: LoadOptions): Loaded {
  if (!writeKey || !/^https?:\/\//.test(url)) {
    throw new TypeError('pintle: load needs a write key and the data plane as an http(s) URL');
  }
  const dataPlaneUrl = url.replace(/\/+$/, '');
  const { flushAt, flushInterval, trustBeacon = false, pendingConsent = 'buffer' } = options;
  const { leaseMs = LEASE_MS, ...wanted } = options.limits ?? {};
  const limits = limitsWith({ flushAt, flushIntervalMs: flushInterval, ...wanted });
  const clock = systemClock();
  const newId = () => uuid(clock.random);
  // Bound: the browser's fetch refuses to be called as a method of anything else.
  const fetch: Fetch = options.fetch ?? ((to, init) => globalThis.fetch(to, init as RequestInit));
  let consent: Consent = options.consent ?? 'granted';

  const prefix = `pintle.${writeKey}.`;
  const everything = options.storage === 'none' ? noKeyValue : localKeyValue();
  const storage = gated(everything, () => consent === 'granted');
  const identity = createIdentity(storage, `${prefix}id`, newId);
  const sessions = createSessions(storage, `${prefix}session`, options.sessions);
  const outbox = createOutbox({ storage, clock, prefix, leaseMs });
  const post = createPost({ ...batchEndpoint(dataPlaneUrl, writeKey), fetch, clock, requestTimeoutMs: limits.requestTimeoutMs });
  const pipeline = createPipeline({
    post,
    store: outbox,
    clock,
    limits,
    plugins: options.plugins ?? [],
    routed: true,
    onDrop: options.onDrop ?? warn,
  });
  const view = createView();
  const message = createMessages({ identity, sessions, integrations: options.integrations ?? { All: true } });
  /** What calls wait for while consent is pending; resolves with whether it was given. */
  let decision = openDecision();

  watchLeaving({
    pipeline,
    outbox,
    clock,
    fetch,
    dataPlaneUrl,
    writeKey,
    trustBeacon,
    requestTimeoutMs: limits.requestTimeoutMs,
    mayBeSent: () => consent === 'granted',
  });
  addEventListener('online', () => pipeline.sender.retryNow());
  setConsent(consent);

  function setConsent(now: Consent) {
    consent = now;
    pipeline.sender.pause(consent !== 'granted');
    if (consent === 'pending') {
      if (decision.made) decision = openDecision();
    } else if (consent === 'granted') {
      identity.remember();
      sessions.remember();
      pipeline.queue.persist();
      outbox.adopt(pipeline.adopt);
      decision.make(true);
    } else {
      pipeline.dropAll('consent', 'consent was denied');
      decision.make(false);
      identity.forget();
      sessions.forget();
      // What closed pages left behind goes as well; what other open tabs hold, they drop when they are told.
      for (const key of everything.keys()) if (key.startsWith(`${prefix}q.`)) everything.remove(key);
    }
  }

  return {
    pipeline,
    identity,
    sessions,
    newId,
    call(method, args, at, callback) {
      const messageId = newId();
      // Without consent nothing is even looked at: no session begins, and no trait is remembered.
      if (consent === 'denied' || (consent === 'pending' && pendingConsent === 'drop')) {
        return pipeline.refuse(messageId, 'consent', `consent is ${consent}`, callback);
      }
      const call = { method, args, at, messageId };
      try {
        if (consent === 'granted') return pipeline.accept(messageId, message({ ...call, view }), callback);
      } catch (error) {
        return pipeline.refuse(messageId, 'invalid', String(error), callback);
      }
      // Made when consent is given, for only then may the visitor's stored id be read; seen with the eyes of now.
      const later = { ...call, view: frozen(view) };
      const made = decision.wait.then((given) => (given ? message(later) : Promise.reject(new Error('no consent'))));
      return pipeline.accept(messageId, made, callback);
    },
    setConsent,
  };
}

function openDecision() {
  let resolve: (given: boolean) => void;
  const decision = {
    made: false,
    wait: new Promise<boolean>((resolver) => (resolve = resolver)),
    make(given: boolean) {
      decision.made = true;
      resolve(given);
    },
  };
  return decision;
}

/** Drops that nobody decided on deserve attention. */
function warn({ reason, detail, messageId }: Drop) {
  if (reason !== 'consent' && reason !== 'plugin') console.warn(`pintle: dropped ${messageId}: ${reason} (${detail})`);
}
