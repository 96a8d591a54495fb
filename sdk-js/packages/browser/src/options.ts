import type { Context, Drop, Fetch, Integrations, Limits, Plugin } from '@pintle/core';
import type { SessionOptions } from './session.js';

export type Consent = 'granted' | 'pending' | 'denied';

export interface LoadOptions {
  /** Whether events may be sent and ids stored. Change it with `setConsent`. Default: 'granted'. */
  consent?: Consent;
  /** What happens to events while consent is pending: kept in memory, or dropped. Default: 'buffer'. */
  pendingConsent?: 'buffer' | 'drop';
  /** Each sees every event before it is queued, in this order. Default: none. */
  plugins?: readonly Plugin[];
  /** Default: sessions start by themselves and end after 30 minutes without an event. */
  sessions?: SessionOptions;
  /** Which destinations events may reach unless a call says otherwise. Default: `{ All: true }`. */
  integrations?: Integrations;
  /** Send when so many events wait. Default: 20. */
  flushAt?: number;
  /** Send when the oldest event has waited so long, in milliseconds. Default: 2,000. */
  flushInterval?: number;
  /** Where events and ids outlive the page. Default: 'localStorage'. */
  storage?: 'localStorage' | 'none';
  /**
   * Whether an event is done when the browser has taken it for sending while the page closes. If not, it stays
   * stored until the server's answer was seen, and the next page may send it a second time, under the same
   * message id. Default: false.
   */
  trustBeacon?: boolean;
  /** Called for each dropped event. Default: a warning on the console, except where a plugin or consent decided. */
  onDrop?: (drop: Drop) => void;
  /** Called when the SDK is ready, before `ready` callbacks. Default: none. */
  onLoaded?: () => void;
  /** Every other limit; see `Limits` and `leaseMs`. */
  limits?: Partial<BrowserLimits>;
  /** Default: the browser's. */
  fetch?: Fetch;
}

export interface BrowserLimits extends Limits {
  /** After a crash, a tab's stored events are taken over by another one in this time, in milliseconds. Default: 150,000. */
  leaseMs: number;
}

/** Longer than the minute to which browsers slow the timers of tabs in the background. */
export const LEASE_MS = 150_000;

/** What browsers let a closing page leave behind, all its requests together. */
export const BEACON_BYTES_MAX = 65_536;

/** Calls before `load`. */
export const EARLY_CALLS_MAX = 1_000;

/** The last but one argument of every call. */
export interface CallOptions {
  /** For this event only. */
  integrations?: Integrations;
  /** Merged into the event's context. */
  context?: Context;
  /** For this event only; the stored id stays. */
  anonymousId?: string;
  /** When it happened, if that was not now. */
  timestamp?: Date | string;
  /** As RudderStack's SDKs call the same. */
  originalTimestamp?: Date | string;
}
