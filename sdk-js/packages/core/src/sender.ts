import { type Answer, verdict } from './answer.js';
import { backoffMs, retryAfterMs } from './backoff.js';
import type { Clock } from './clock.js';
import type { DropReason } from './outcome.js';
import type { Limits } from './limits.js';
import type { Entry, Queue } from './queue.js';
import type { Post } from './wire.js';

export interface Sender {
  /** Something was queued: sends or sets the timer. */
  wake(): void;
  /** Sends what is queued now without waiting for company; a pause that the server asked for is still kept. */
  hurry(): void;
  /** The network is back: what failed for want of it is tried at once. */
  retryNow(): void;
  /** Gives up the request in flight, whose events stay queued. */
  stop(): void;
  /** From now on nothing is sent (true), or it goes on (false). */
  pause(paused: boolean): void;
  /** Offers the oldest events now, in place of what is in flight, as one body of at most so many bytes. */
  sendLast(post: Post, bytesMax: number): void;
}

export interface SenderOptions {
  queue: Queue;
  post: Post;
  clock: Clock;
  limits: Limits;
  delivered(batch: readonly Entry[]): void;
  dropped(batch: readonly Entry[], reason: DropReason, detail: string): void;
}

/**
 * Empties the queue, one batch at a time: the next is sent when the last is settled, which keeps the order.
 *
 *            wake: enough, or waited long enough
 *    idle ───────────────────────────────────────▶ in flight ──▶ delivered / refused ──▶ idle
 *     ▲                                                │ retry: the batch stays at the front
 *     └──────────────── backoff, Retry-After ◀─────────┘
 */
export function createSender(options: SenderOptions): Sender {
  const { queue, clock, limits } = options;
  let timer: unknown;
  /** When the timer rings; Infinity while none is set. */
  let rings = Infinity;
  let flight: AbortController | undefined;
  let paused = false;
  let failures = 0;
  let notBefore = 0;
  /** Whether the pause is the server's wish rather than our guess. */
  let serverAskedForIt = false;
  /** So many of the oldest events are due at once. */
  let hurried = 0;
  /** Shrinks when a batch is refused as a whole, and recovers. */
  let itemsMax = limits.batchItemsMax;

  function wake() {
    const first = queue.first;
    if (flight || paused || !first) return;
    const now = clock.now();
    hurried = Math.min(hurried, queue.size);
    const due = hurried || queue.size >= limits.flushAt || queue.bytes >= limits.batchBytesMax;
    // Both are capped: a clock that was set back must not hold events up for hours.
    const company = due ? 0 : Math.min(limits.flushIntervalMs, first.since + limits.flushIntervalMs - now);
    const pause = Math.min(limits.retryAfterMaxMs + limits.retryDelayMaxMs, notBefore - now);
    const wait = Math.max(company, pause);
    if (wait <= 0) {
      cancelTimer();
      void send(options.post, queue.front(itemsMax, limits.batchBytesMax));
    } else if (now + wait < rings || rings <= now) {
      cancelTimer();
      rings = now + wait;
      timer = clock.setTimeout(ring, wait);
    }
  }

  function ring() {
    rings = Infinity;
    wake();
  }

  function cancelTimer() {
    if (rings !== Infinity) clock.clearTimeout(timer);
    rings = Infinity;
  }

  async function send(post: Post, batch: readonly Entry[], last = false) {
    const mine = (flight = new AbortController());
    const answer = await post(batch, mine.signal);
    // Stopped meanwhile: whoever did it has taken over the batch.
    if (flight !== mine) return;
    flight = undefined;
    // The other way of sending is an offer only: a server without it must not cost events.
    if (!last || verdict(answer.status) === 'delivered') settle(batch, answer);
    wake();
  }

  function settle(batch: readonly Entry[], answer: Answer) {
    const said = verdict(answer.status);
    if (said === 'retry') {
      failures++;
      const asked = retryAfterMs(answer.retryAfter, clock.now(), limits);
      serverAskedForIt = asked > 0;
      // Jitter on top, or everybody who was asked to wait comes back in the same moment.
      notBefore = clock.now() + asked + backoffMs(asked ? 1 : failures, clock.random, limits);
      return;
    }
    failures = notBefore = 0;
    if (said === 'halve' && batch.length > 1) {
      itemsMax = Math.ceil(batch.length / 2);
      hurried = Math.max(hurried, batch.length);
      return;
    }
    hurried = Math.max(0, hurried - batch.length);
    if (said === 'delivered') {
      itemsMax = Math.min(limits.batchItemsMax, itemsMax * 2);
      options.delivered(batch);
    } else {
      options.dropped(batch, answer.status === 413 ? 'too-large' : 'refused', `${answer.status} ${answer.text}`.trim());
    }
  }

  function stop() {
    const stopped = flight;
    flight = undefined;
    stopped?.abort();
    cancelTimer();
  }

  return {
    wake,
    hurry() {
      hurried = queue.size;
      wake();
    },
    retryNow() {
      if (!serverAskedForIt) notBefore = 0;
      wake();
    },
    stop,
    pause(now) {
      paused = now;
      if (paused) stop();
      else wake();
    },
    sendLast(post, bytesMax) {
      if (paused || queue.size === 0 || (serverAskedForIt && notBefore > clock.now())) return;
      stop();
      void send(post, queue.front(Infinity, bytesMax, { mixed: true }), true);
    },
  };
}
