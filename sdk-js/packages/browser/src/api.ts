import type { AnyEvents, Callback, EventName, Outcome, Properties, Stats, Traits } from '@pintle/core';
import type { CallOptions, Consent, LoadOptions } from './options.js';

type Id = string | number | null;
/** Options and callback may each be left out; the callback may stand in the place of anything that is left out. */
type Tail = [options?: CallOptions | Callback | null, callback?: Callback];

/** Properties may be left out only where the plan requires none. */
export type TrackArguments<P> = {} extends P
  ? [properties?: P | Callback | null, ...tail: Tail]
  : [properties: P, ...tail: Tail];

/**
 * Every call that makes an event returns a promise of its fate. It resolves when the server has acknowledged the
 * event, or when it was dropped, and never rejects.
 */
export interface Client<Events extends object = AnyEvents> {
  /** Starts the SDK. Calls made before are carried out now; a second `load` is ignored. */
  load(writeKey: string, dataPlaneUrl: string, options?: LoadOptions): void;
  /** Calls back, or resolves, when loaded. */
  ready(callback?: () => void): Promise<void>;

  identify(userId?: Id, traits?: Traits | Callback | null, ...tail: Tail): Promise<Outcome>;
  identify(traits: Traits, ...tail: Tail): Promise<Outcome>;
  track<E extends EventName<Events>>(event: E, ...rest: TrackArguments<Events[E]>): Promise<Outcome>;
  page(category?: string | null, name?: string | null, properties?: Properties | Callback | null, ...tail: Tail): Promise<Outcome>;
  page(name: string, properties?: Properties | Callback | null, ...tail: Tail): Promise<Outcome>;
  page(properties: Properties | Callback, ...tail: Tail): Promise<Outcome>;
  screen(category?: string | null, name?: string | null, properties?: Properties | Callback | null, ...tail: Tail): Promise<Outcome>;
  screen(name: string, properties?: Properties | Callback | null, ...tail: Tail): Promise<Outcome>;
  screen(properties: Properties | Callback, ...tail: Tail): Promise<Outcome>;
  group(groupId?: Id, traits?: Traits | Callback | null, ...tail: Tail): Promise<Outcome>;
  group(traits: Traits, ...tail: Tail): Promise<Outcome>;
  /** Says that two ids are one person. `from` is the current user unless given. The stored user id stays. */
  alias(to: Id, from?: Id | Callback, ...tail: Tail): Promise<Outcome>;

  /** Forgets user, group and session; the anonymous id too if asked. */
  reset(anonymousIdToo?: boolean): void;
  /**
   * Sends what is queued. Resolves when everything tracked so far is settled, or after `timeoutMs`
   * (default: `flushTimeoutMs`, 10 s), with the figures of that moment.
   */
  flush(timeoutMs?: number): Promise<Stats>;
  setConsent(consent: Consent): void;
  setAnonymousId(id?: string): string;
  getAnonymousId(): string;
  getUserId(): string;
  getUserTraits(): Traits;
  getGroupId(): string;
  getGroupTraits(): Traits;
  /** Null while there is no session. */
  getSessionId(): number | null;
  startSession(id?: number): void;
  endSession(): void;
  stats(): Stats;
}
