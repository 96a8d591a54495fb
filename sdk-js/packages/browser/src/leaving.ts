import { batchBody, createPost, type Clock, type Fetch, type Pipeline } from '@pintle/core';
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

  function beacon(among: (entry: { forget: unknown }) => boolean) {
    const batch = queue.front(Infinity, beaconBytesLeft, { among, mixed: true });
    if (!batch.length) return;
    const body = batchBody(batch, options.clock.now());
    if (!navigator.sendBeacon(url, body)) return;
    beaconBytesLeft -= body.length;
    // The request in flight, if any, would die with the page; its events were at the front of the beacon.
    sender.stop();
    pipeline.delivered(batch);
  }

  function leave(final: boolean) {
    if (!options.mayBeSent()) {
      if (final) pipeline.dropAll('consent', 'the page closed before consent was given');
      return;
    }
    const unstored = new Set(queue.persist());
    if (unstored.size) {
      beacon((entry) => entry.forget === null);
    } else if (options.trustBeacon) {
      beacon(() => true);
    } else if (!offered) {
      sender.sendLast(postLast, BEACON_BYTES_MAX);
    }
    offered = true;
    if (final) {
      const detail = 'the page closed, storage did not work and the beacon was full';
      pipeline.drop(queue.all().filter((entry) => entry.forget === null), 'unload', detail);
      pipeline.dropHeld('unload', 'the page closed while a plugin had it');
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
