/** Every limit has a name, and what is dropped at one names it. */
export interface Limits {
  /** Events waiting, the ones in flight included. More are dropped as `queue-full`. */
  queueItemsMax: number;
  /** Their JSON, in bytes. */
  queueBytesMax: number;
  /** Events in one request. */
  batchItemsMax: number;
  /** A request's body before compression. The server's own limit is 4,096,000. */
  batchBytesMax: number;
  /** One event's JSON. A larger one is dropped as `too-large`. */
  eventBytesMax: number;
  /** So many waiting events are sent at once. */
  flushAt: number;
  /** No event waits longer than this for company. */
  flushIntervalMs: number;
  /** The first retry comes within this time; it doubles with each further one. */
  retryDelayMinMs: number;
  /** And never exceeds this. */
  retryDelayMaxMs: number;
  /** A server that asks for a longer pause (`Retry-After`) is tried after this one. */
  retryAfterMaxMs: number;
  /** An unanswered request is given up and retried. */
  requestTimeoutMs: number;
  /** `flush()` resolves after this time at the latest. */
  flushTimeoutMs: number;
}

export const defaultLimits: Limits = {
  queueItemsMax: 5_000,
  queueBytesMax: 3_000_000,
  batchItemsMax: 100,
  batchBytesMax: 500_000,
  eventBytesMax: 32_768,
  flushAt: 20,
  flushIntervalMs: 2_000,
  retryDelayMinMs: 1_000,
  retryDelayMaxMs: 60_000,
  retryAfterMaxMs: 600_000,
  requestTimeoutMs: 30_000,
  flushTimeoutMs: 10_000,
};

/** The defaults with what the caller wants otherwise; a number that makes no sense is an error at once. */
export function limitsWith(wanted: Partial<Limits> = {}, defaults: Limits = defaultLimits): Limits {
  const limits = { ...defaults };
  for (const name of Object.keys(wanted) as (keyof Limits)[]) {
    const value = wanted[name];
    if (value === undefined) continue;
    if (!(value > 0)) throw new RangeError(`pintle: ${name} must be a positive number, not ${value}`);
    limits[name] = value;
  }
  return limits;
}
