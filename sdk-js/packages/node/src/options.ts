import { defaultLimits, type Drop, type Fetch, type Integrations, type Limits, type Plugin } from '@pintle/core';

export interface AnalyticsOptions {
  /** Where events go, for example `https://events.example.com`. Required. */
  dataPlaneUrl: string;
  /** Send when so many events wait. Default: 20. */
  flushAt?: number;
  /** Send when the oldest event has waited so long, in milliseconds. Default: 2,000. */
  flushInterval?: number;
  /** Events that may wait in memory; more are dropped as `queue-full`. Default: 20,000. */
  maxQueueSize?: number;
  /** Whether bodies of 1 KB and more are compressed. Default: true. */
  gzip?: boolean;
  /** How long `close()` and the end of the process wait for the server, in milliseconds. Default: 10,000. */
  closeTimeout?: number;
  /** Which destinations events may reach unless a call says otherwise. Default: `{ All: true }`. */
  integrations?: Integrations;
  /** Each sees every event before it is queued, in this order. Default: none. */
  plugins?: readonly Plugin[];
  /** Called for each dropped event. Default: a warning on stderr, except where a plugin decided. */
  onDrop?: (drop: Drop) => void;
  /** Called with true when the queue becomes full, and with false when it is half empty again. Default: none. */
  onFull?: (full: boolean) => void;
  /** Every other limit; see `Limits`. Node's defaults are below. */
  limits?: Partial<Limits>;
  /** Default: Node's, which keeps connections alive. */
  fetch?: Fetch;
}

/** A server has more memory than a page, and more events to send. */
export const nodeLimits: Limits = {
  ...defaultLimits,
  queueItemsMax: 20_000,
  queueBytesMax: 64_000_000,
  batchItemsMax: 500,
  batchBytesMax: 1_000_000,
};

export const CLOSE_TIMEOUT_MS = 10_000;
/** Smaller bodies fit into one packet anyway. */
export const GZIP_BYTES_MIN = 1_024;
