import type { AnyEvents, Callback, Context, EventName, Integrations, Outcome, Properties, Stats, Traits } from '@pintle/core';

type Id = string | number;

/** Whose event it is: at least one of the two. */
export type Whose = { userId: Id; anonymousId?: Id } | { anonymousId: Id; userId?: Id };

export interface Common {
  context?: Context;
  integrations?: Integrations;
  /** When it happened. Default: now. */
  timestamp?: Date | string;
  /** The server deduplicates by it. Default: a new one. */
  messageId?: string;
}

export type IdentifyCall = Whose & Common & { traits?: Traits };
export type TrackCall<E, P> = Whose & Common & { event: E } & ({} extends P ? { properties?: P } : { properties: P });
export type PageCall = Whose & Common & { name?: string; category?: string; properties?: Properties };
export type GroupCall = Whose & Common & { groupId: Id; traits?: Traits };
export type AliasCall = Common & { userId: Id; previousId: Id };

/**
 * Every call returns a promise of the event's fate. It resolves when the server has acknowledged the event, or when
 * it was dropped, and never rejects; the callback gets the same.
 */
export interface Client<Events extends object = AnyEvents> {
  identify(call: IdentifyCall, callback?: Callback): Promise<Outcome>;
  track<E extends EventName<Events>>(call: TrackCall<E, Events[E]>, callback?: Callback): Promise<Outcome>;
  page(call: PageCall, callback?: Callback): Promise<Outcome>;
  screen(call: PageCall, callback?: Callback): Promise<Outcome>;
  group(call: GroupCall, callback?: Callback): Promise<Outcome>;
  alias(call: AliasCall, callback?: Callback): Promise<Outcome>;
  /**
   * Sends what is queued. Resolves when everything tracked so far is settled, or after `limits.flushTimeoutMs`
   * (10 s), with the figures of that moment.
   */
  flush(callback?: (stats: Stats) => void): Promise<Stats>;
  /** Flushes for at most `closeTimeout`, drops the rest as `closed`, and drops every later call. */
  close(): Promise<Stats>;
  /** Whether the next event would be dropped as `queue-full`, or the queue has been full and is not half empty yet. */
  readonly full: boolean;
  /** Resolves when the queue is half empty; at once if it is not full. */
  drained(): Promise<void>;
  stats(): Stats;
}
