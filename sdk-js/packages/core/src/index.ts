/**
 * What Pintle's SDKs share. An event passes plugins, waits in a queue, is sent in a batch, and is settled in the
 * ledger; `fetch`, storage and the clock are arguments, so that every path can be walked in a test.
 */
export { systemClock, type Clock } from './clock.js';
export type {
  AnyEvents,
  Context,
  EventName,
  EventType,
  Integrations,
  Library,
  PintleEvent,
  Properties,
  Traits,
} from './event.js';
export { uuid } from './ids.js';
export { guarded } from './ledger.js';
export { defaultLimits, limitsWith, type Limits } from './limits.js';
export type { Callback, Drop, DropReason, Outcome, Stats } from './outcome.js';
export { createPipeline, type Pipeline, type PipelineOptions, type Stored } from './pipeline.js';
export type { Plugin } from './plugins.js';
export { noStore, type Copy, type Entry, type Queue, type Store } from './queue.js';
export type { Sender } from './sender.js';
export type { Answer } from './answer.js';
export { base64, batchBody, batchEndpoint, createPost, type Fetch, type Post, type TransportOptions, utf8 } from './wire.js';
