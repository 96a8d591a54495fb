import { batchBody, type Clock, createPost, type DropReason, type Entry, type Fetch, type Pipeline, utf8 } from '@pintle/core';
import { BEACON_BYTES_MAX } from './options.js';
import type { Outbox } from './outbox.js';

export interface LeavingOptions {
  pipeline: Pipeline;
  outbox: Outbox;
  clock: Clock;
  fetch: Fetch;
  dataPlaneUrl: string;
  writeKey: string;
  requestTimeoutMs: number;
  trustBeacon: boolean;
  /** Whether events may be sent. */
  mayBeSent(): boolean;
}

/**
 * The last thing a page can do. What is stored needs no haste: it is offered to the server with a request that
 * outlives the page, and stays stored until the answer was seen, here or after the next page's sending. What is
 * not stored goes by beacon as far as it fits, and the rest is dropped with a report when the page really goes.
 */
export function watchLeaving(options: LeavingOptions): void {
  const { pipeline, outbox } = options;
  const { queue, sender } = pipeline;
  const url = `${options.dataPlaneUrl}/beacon/v1/batch?writeKey=${encodeURIComponent(options.writeKey)}`;
  // text/plain and no header of ours: a preflight would not come back in time.
  const headers = { 'content-type': 'text/plain' };
  const postLast = createPost({ ...options, url, headers, keepalive: true });
  /** The beacon's allowance is per page, not per beacon. */
  let beaconBytesLeft = BEACON_BYTES_MAX;
  let offered = false;

  function beacon(among?: (entry: Entry) => boolean) {
    const batch = queue.front(Infinity, beaconBytesLeft, { ...(among && { among }), mixed: true });
    if (!batch.length) return;
    const body = batchBody(batch, options.clock.now());
    if (!navigator.sendBeacon(url, body)) return;
    beaconBytesLeft -= utf8(body).length;
    // The request in flight would die with the page. What it had and the beacon has not stays queued.
    sender.stop();
    pipeline.delivered(batch);
  }

  /** Includes what a plugin still has. */
  function dropUnstored(reason: DropReason, detail: string) {
    pipeline.drop(queue.all().filter(unstored), reason, detail);
    pipeline.dropHeld(reason, detail);
  }

  function leave(final: boolean) {
    if (!options.mayBeSent()) {
      // What was stored under an earlier consent may stay until there is a new one.
      if (final) dropUnstored('consent', 'the page closed before consent was given');
      return;
    }
    if (queue.persist().length) {
      beacon(unstored);
    } else if (options.trustBeacon) {
      beacon();
    } else if (!offered) {
      sender.sendLast(postLast, BEACON_BYTES_MAX);
    }
    offered = true;
    if (final) {
      dropUnstored('unload', 'the page closed, storage did not work and the beacon was full');
      outbox.release();
    } else {
      sender.wake();
    }
  }

  function back() {
    offered = false;
    beaconBytesLeft = BEACON_BYTES_MAX;
    outbox.resume();
    sender.wake();
  }

  addEventListener('pagehide', () => leave(true));
  addEventListener('pageshow', (event) => event.persisted && back());
  document.addEventListener('visibilitychange', () => (document.visibilityState === 'hidden' ? leave(false) : back()));
}

const unstored = ({ copy }: Entry) => copy === null;
