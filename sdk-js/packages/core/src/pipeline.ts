import type { Clock } from './clock.js';
import type { PintleEvent } from './event.js';
import { type Account, createLedger, guarded } from './ledger.js';
import type { Limits } from './limits.js';
import type { Callback, Drop, DropReason, Outcome, Stats } from './outcome.js';
import { type Passed, type Plugin, runPlugins } from './plugins.js';
import { type Copy, createQueue, type Entry, type Queue, type Store } from './queue.js';
import { createSender, type Sender } from './sender.js';
import { type Post, utf8 } from './wire.js';

export interface PipelineOptions {
  post: Post;
  store: Store;
  clock: Clock;
  limits: Limits;
  plugins: readonly Plugin[];
  /** Whether a batch carries one anonymous id only and says so in its header. */
  routed: boolean;
  onDrop?: (drop: Drop) => void;
  /** Called when the queue begins to refuse events, and when it is half empty again. */
  onFull?: (full: boolean) => void;
}

/** An event that an earlier page left in storage. */
export interface Stored {
  json: string;
  copy: Copy;
}

export interface Pipeline {
  readonly queue: Queue;
  readonly sender: Sender;
  /**
   * Takes an event in, or one that is still being made: those behind it wait. The promise resolves with its fate
   * and never rejects.
   */
  accept(messageId: string, event: PintleEvent | Promise<PintleEvent>, callback?: Callback): Promise<Outcome>;
  /** An event that is not even looked at, but counted. */
  refuse(messageId: string, reason: DropReason, detail: string, callback?: Callback): Promise<Outcome>;
  /** Takes in what an earlier page stored, oldest first. */
  adopt(left: readonly Stored[]): void;
  /** Sends what is queued; resolves when everything tracked so far is settled, or after `timeoutMs`. */
  flush(timeoutMs?: number): Promise<Stats>;
  delivered(batch: readonly Entry[]): void;
  drop(batch: readonly Entry[], reason: DropReason, detail: string): void;
  /** Drops everything that is pending, events that a plugin still holds included. */
  dropAll(reason: DropReason, detail: string): void;
  /** Drops what is not queued yet because a plugin holds it. */
  dropHeld(reason: DropReason, detail: string): void;
  isFull(): boolean;
  /** Resolves when the queue is half empty; at once if it is not full. */
  drained(): Promise<void>;
  stats(): Stats;
}

/** The way of an event: plugins → queue → sender → ledger. */
export function createPipeline(options: PipelineOptions): Pipeline {
  const { clock, limits } = options;
  const ledger = createLedger((drop) => options.onDrop?.(drop));
  const queue = createQueue(options.store, limits);
  const sender = createSender({ ...options, queue, delivered, dropped: drop });
  /** The last event that waits for a promise of its own or of a plugin. Undefined while none does. */
  let line: Promise<void> | undefined;
  let full = false;
  let drains: (() => void)[] = [];

  function accept(messageId: string, event: PintleEvent | Promise<PintleEvent>, callback?: Callback): Promise<Outcome> {
    const { account, outcome } = ledger.open(messageId, callback);
    if (ledger.size - queue.size > limits.queueItemsMax) {
      ledger.dropped(account, 'queue-full', `queueItemsMax is ${limits.queueItemsMax}`);
      return outcome;
    }
    const early = event instanceof Promise;
    // Reported below, and here too: it may fail long before its turn comes.
    if (early) event.catch(() => {});
    const passed: Passed | Promise<Passed> =
      line || early
        ? Promise.all([event, line]).then(([event]) => runPlugins(options.plugins, event))
        : runPlugins(options.plugins, event);
    if (passed instanceof Promise) {
      const mine: Promise<void> = passed
        .then(
          (result) => enqueue(account, result),
          (error: unknown) => ledger.dropped(account, 'invalid', String(error)),
        )
        .then(() => {
          if (line === mine) line = undefined;
        });
      line = mine;
    } else {
      enqueue(account, passed);
    }
    return outcome;
  }

  function enqueue(account: Account, passed: Passed) {
    // Dropped while a plugin had it: consent withdrawn, page gone, client closed.
    if (!ledger.isOpen(account)) return;
    if ('detail' in passed) return ledger.dropped(account, 'plugin', passed.detail, passed.dropped);
    // A plugin may change all but the id, by which the server knows a retry.
    const event: PintleEvent = { ...passed.event, messageId: account.messageId };
    let json: string;
    try {
      json = JSON.stringify(event);
    } catch (error) {
      return ledger.dropped(account, 'invalid', `not JSON: ${String(error)}`, event);
    }
    const bytes = utf8(json).length;
    if (bytes > limits.eventBytesMax) {
      return ledger.dropped(account, 'too-large', `${bytes} bytes; eventBytesMax is ${limits.eventBytesMax}`, event);
    }
    const refusal = queue.refusal(bytes);
    if (refusal) {
      ledger.dropped(account, 'queue-full', refusal, event);
      // An event that no queue could take says nothing about this one.
      return setFull(!isHalfEmpty());
    }
    const route = options.routed ? event.anonymousId : undefined;
    queue.add({ account, json, bytes, since: clock.now(), ...(route !== undefined && { route }) });
    if (queue.refusal(1)) setFull(true);
    sender.wake();
  }

  function adoptOne({ json, copy }: Stored) {
    let event: Partial<PintleEvent> | null = null;
    try {
      event = JSON.parse(json) as Partial<PintleEvent> | null;
    } catch {
      // Somebody else wrote under our name; it was never an event.
    }
    if (!event?.messageId) return copy.remove();
    const account = ledger.adopt(event.messageId);
    const route = options.routed ? event.anonymousId : undefined;
    // It has waited long enough on the page that left it, and goes at once.
    queue.adopt({ account, json, bytes: utf8(json).length, since: 0, copy, ...(route !== undefined && { route }) });
  }

  function setFull(now: boolean) {
    if (full === now) return;
    full = now;
    if (!full) for (const resolve of drains.splice(0)) resolve();
    guarded(() => options.onFull?.(full));
  }

  function removed(batch: readonly Entry[]) {
    queue.remove(batch);
    if (isHalfEmpty()) setFull(false);
  }

  function isHalfEmpty() {
    return queue.size <= limits.queueItemsMax / 2 && queue.bytes <= limits.queueBytesMax / 2;
  }

  function delivered(batch: readonly Entry[]) {
    removed(batch);
    for (const { account } of batch) ledger.delivered(account);
  }

  function drop(batch: readonly Entry[], reason: DropReason, detail: string) {
    removed(batch);
    for (const { account, json } of batch) ledger.dropped(account, reason, detail, JSON.parse(json) as PintleEvent);
  }

  function dropHeld(reason: DropReason, detail: string) {
    const queued = new Set(queue.all().map(({ account }) => account));
    for (const account of ledger.pending()) if (!queued.has(account)) ledger.dropped(account, reason, detail);
  }

  return {
    queue,
    sender,
    accept,
    refuse(messageId, reason, detail, callback) {
      const { account, outcome } = ledger.open(messageId, callback);
      ledger.dropped(account, reason, detail);
      return outcome;
    },
    adopt(left) {
      for (const stored of left) adoptOne(stored);
      sender.wake();
    },
    async flush(timeoutMs = limits.flushTimeoutMs) {
      await new Promise<void>((resolve) => {
        const timer = clock.setTimeout(() => {
          forget();
          resolve();
        }, timeoutMs);
        const forget = ledger.onSettled(() => {
          clock.clearTimeout(timer);
          resolve();
        });
        sender.hurry();
        // What a plugin holds is hurried when it comes out of it.
        void line?.then(sender.hurry);
      });
      return ledger.stats();
    },
    delivered,
    drop,
    dropAll(reason, detail) {
      sender.stop();
      drop(queue.all(), reason, detail);
      dropHeld(reason, detail);
    },
    dropHeld,
    isFull: () => full,
    drained: () => (full ? new Promise((resolve) => drains.push(resolve)) : Promise.resolve()),
    stats: ledger.stats,
  };
}
