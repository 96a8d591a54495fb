import type { PintleEvent } from './event.js';

/** Why an event was not delivered. */
export type DropReason =
  /** Consent was denied, withdrawn, or still pending when it had to be decided. */
  | 'consent'
  /** A plugin returned null or threw. */
  | 'plugin'
  /** It has neither a userId nor an anonymousId, lacks a required field, or is not JSON. */
  | 'invalid'
  /** It is larger than `eventBytesMax`, or than the server takes. */
  | 'too-large'
  /** The queue is at `queueItemsMax` or `queueBytesMax`. */
  | 'queue-full'
  /** The server refused it for good: a 4xx other than 408, 413 and 429. */
  | 'refused'
  /** The page went away, storage did not work, and the beacon was full. */
  | 'unload'
  /** The client was closed. */
  | 'closed';

/** The fate of one event. Calls resolve to it and never reject. */
export type Outcome =
  | { status: 'delivered'; messageId: string }
  | { status: 'dropped'; messageId: string; reason: DropReason; detail: string };

/** What `onDrop` gets. */
export interface Drop {
  messageId: string;
  reason: DropReason;
  /** A sentence for a log: the server's answer, the limit that was met. */
  detail: string;
  /** The event, as far as it had been built. */
  event?: PintleEvent;
}

export type Callback = (outcome: Outcome) => void;

/** `delivered + dropped + pending = tracked`, always. */
export interface Stats {
  /** Events this client answers for: its own calls, and `adopted` ones. */
  tracked: number;
  /** Of `tracked`, those that earlier pages or closed tabs had left in storage. */
  adopted: number;
  /** Acknowledged by the server. */
  delivered: number;
  /** All that were dropped. */
  dropped: number;
  /** The same by reason; reasons that did not occur are left out. */
  droppedBy: Partial<Record<DropReason, number>>;
  pending: number;
}
