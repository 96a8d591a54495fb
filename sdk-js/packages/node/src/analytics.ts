import {
  type AnyEvents,
  batchEndpoint,
  type Callback,
  type Clock,
  createPipeline,
  createPost,
  type Drop,
  type EventType,
  type Fetch,
  guarded,
  limitsWith,
  noStore,
  systemClock,
  uuid,
} from '@pintle/core';
import type { Client } from './api.js';
import { atExit, keepAlive } from './exit.js';
import { gzipped } from './gzip.js';
import { type AnyCall, message } from './messages.js';
import { type AnalyticsOptions, CLOSE_TIMEOUT_MS, nodeLimits } from './options.js';

/** A client for one source. Make one per process and write key, and `close()` it at the end. */
export function createClient<Events extends object = AnyEvents>(
  writeKey: string,
  options: AnalyticsOptions,
): Client<Events> {
  if (!writeKey || !/^https?:\/\//.test(options?.dataPlaneUrl)) {
    throw new TypeError('pintle: a write key and dataPlaneUrl, an http(s) URL, are needed');
  }
  const { dataPlaneUrl, flushAt, flushInterval, maxQueueSize, closeTimeout = CLOSE_TIMEOUT_MS } = options;
  const wanted = { flushAt, flushIntervalMs: flushInterval, queueItemsMax: maxQueueSize, ...options.limits };
  const limits = limitsWith(wanted, nodeLimits);
  const clock = unheldClock();
  const integrations = options.integrations ?? { All: true };
  const pipeline = createPipeline({
    post: createPost({
      ...batchEndpoint(dataPlaneUrl, writeKey),
      fetch: options.fetch ?? (globalThis.fetch as Fetch),
      clock,
      requestTimeoutMs: limits.requestTimeoutMs,
      ...(options.gzip !== false && { encode: gzipped }),
    }),
    store: noStore,
    clock,
    limits,
    plugins: options.plugins ?? [],
    // A server's batch has many users, so there is no one id to route it by.
    routed: false,
    onDrop: options.onDrop ?? warn,
    ...(options.onFull && { onFull: options.onFull }),
  });
  let closing: ReturnType<typeof finish> | undefined;
  const forgetExit = atExit(() => (pipeline.stats().pending ? finish('the process ended') : undefined));

  async function finish(why: string) {
    await pipeline.flush(closeTimeout);
    pipeline.dropAll('closed', `${why}, and the server had not answered after ${closeTimeout} ms (closeTimeout)`);
    return pipeline.stats();
  }

  const call = (type: EventType) => (given: AnyCall, callback?: Callback) => {
    const messageId = given?.messageId || uuid(clock.random);
    if (closing) return pipeline.refuse(messageId, 'closed', 'the client was closed before the call', callback);
    try {
      const event = message(type, given, { messageId, now: clock.now(), integrations });
      return pipeline.accept(messageId, event, callback);
    } catch (error) {
      return pipeline.refuse(messageId, 'invalid', String(error), callback);
    }
  };

  return {
    identify: call('identify'),
    track: call('track') as Client<Events>['track'],
    page: call('page'),
    screen: call('screen'),
    group: call('group'),
    alias: call('alias'),
    async flush(callback) {
      const stats = await keepAlive(pipeline.flush());
      if (callback) guarded(() => callback(stats));
      return stats;
    },
    close() {
      forgetExit();
      closing ??= keepAlive(finish('the client was closed'));
      return closing;
    },
    get full() {
      return pipeline.isFull();
    },
    drained: pipeline.drained,
    stats: pipeline.stats,
  };
}

/** The system's clock, whose timers do not hold the process: at its end, `exit.ts` decides how long to wait. */
function unheldClock(): Clock {
  return {
    ...systemClock(),
    setTimeout: (run, ms) => setTimeout(run, ms).unref(),
    clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
  };
}

function warn({ reason, detail, messageId }: Drop) {
  if (reason !== 'plugin') console.warn(`pintle: dropped ${messageId}: ${reason} (${detail})`);
}
