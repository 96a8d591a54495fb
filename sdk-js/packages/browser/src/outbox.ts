import { type Clock, type Copy, type Store, type Stored, uuid } from '@pintle/core';
import type { KeyValue } from './storage.js';

export interface Outbox extends Store {
  /** Takes over what tabs left behind that are gone; what is found at once is handed over before this returns. */
  adopt(take: (left: Stored[]) => void): void;
  /** The page goes away: its events are free for the next one. */
  release(): void;
  /** The page came back from the browser's back/forward cache. */
  resume(): void;
}

export interface OutboxOptions {
  storage: KeyValue;
  clock: Clock;
  /** Of all keys: one queue per write key and origin. */
  prefix: string;
  leaseMs: number;
}

/** Gives the page that replaces a closed one the first right to its events. */
const ADOPT_DELAY_MS = 1_000;
/** Until then, what another tab wrote at the same time has arrived here. */
const CONFIRM_MS = 100;

/**
 * Stored events: one key per event, and one lease per tab.
 *
 *     PREFIX q.<owner>.<place>   the event's JSON
 *     PREFIX o.<owner>           "<until>.<by>": who answers for the owner's events, and until when
 *
 * Each tab has a queue of its own, so tabs neither wait for each other nor write over each other; localStorage has
 * no compare-and-swap on which a shared queue could stand. A tab holds its lease while it has events stored, and
 * drops it when its page goes away; after a crash it expires. Then any tab takes over the lease and the events.
 *
 * Two tabs that do so in the same moment both send: the server deduplicates by message id. Web Locks would be exact,
 * but exist only on https and keep a page out of the back/forward cache while held.
 */
export function createOutbox({ storage, clock, prefix, leaseMs }: OutboxOptions): Outbox {
  const me = uuid(clock.random);
  let mine = freshOwner();
  /** Events stored under each owner that this tab answers for. */
  const held = new Map<string, number>();
  let beating = false;
  let take: ((left: Stored[]) => void) | undefined;
  let lookTimer: unknown;
  let looksAt = Infinity;

  function freshOwner() {
    return uuid(clock.random).slice(0, 8);
  }
  const leaseKey = (owner: string) => `${prefix}o.${owner}`;
  const queueKey = (owner: string) => `${prefix}q.${owner}.`;
  const renew = (owner: string) => storage.set(leaseKey(owner), `${clock.now() + leaseMs}.${me}`);

  function lease(owner: string) {
    const [until, by] = (storage.get(leaseKey(owner)) ?? '').split('.');
    return { until: Number(until), by };
  }

  function hold(owner: string, more: number) {
    held.set(owner, (held.get(owner) ?? 0) + more);
    if (!beating) {
      beating = true;
      clock.setTimeout(beat, leaseMs / 5);
    }
  }

  function beat() {
    beating = false;
    for (const owner of held.keys()) {
      // This tab was frozen past its lease, and another one has its events now. Those in memory are sent as well.
      if (lease(owner).by !== me) {
        held.delete(owner);
        if (owner === mine) mine = freshOwner();
      } else {
        renew(owner);
        hold(owner, 0);
      }
    }
  }

  function copyAt(owner: string, key: string): Copy {
    return {
      exists: () => storage.get(key) !== null,
      remove() {
        storage.remove(key);
        const left = (held.get(owner) ?? 0) - 1;
        if (left > 0) {
          held.set(owner, left);
        } else if (held.delete(owner)) {
          storage.remove(leaseKey(owner));
        }
      },
    };
  }

  /** Adopts what is free. `confirm`: other tabs may be doing the same, so look twice. */
  function look(confirm: boolean) {
    const free = new Set<string>();
    let soonest = Infinity;
    for (const key of storage.keys()) {
      if (!key.startsWith(`${prefix}q.`)) continue;
      const owner = key.slice(prefix.length + 2).split('.')[0]!;
      if (owner === mine || held.has(owner)) continue;
      const { until } = lease(owner);
      // A lease that ends later than any can was written by a clock that has been set back since.
      if (until > clock.now() && until <= clock.now() + leaseMs) soonest = Math.min(soonest, until);
      else free.add(owner);
    }
    for (const owner of free) {
      if (!renew(owner)) continue;
      if (confirm) clock.setTimeout(() => lease(owner).by === me && takeOver(owner), CONFIRM_MS);
      else takeOver(owner);
    }
    if (soonest < Infinity) lookLater(soonest - clock.now() + ADOPT_DELAY_MS * clock.random());
  }

  /** At the earliest time that anybody asked for: busy tabs must not put off what a closed one has left. */
  function lookLater(ms: number) {
    const at = clock.now() + ms;
    if (looksAt <= at) return;
    clock.clearTimeout(lookTimer);
    looksAt = at;
    lookTimer = clock.setTimeout(() => {
      looksAt = Infinity;
      look(true);
    }, ms);
  }

  function takeOver(owner: string) {
    if (held.has(owner)) return;
    const keys = storage.keys().filter((key) => key.startsWith(queueKey(owner)));
    if (keys.length === 0) return storage.remove(leaseKey(owner));
    hold(owner, keys.length);
    take?.(keys.sort().map((key) => ({ json: storage.get(key) ?? '', copy: copyAt(owner, key) })));
  }

  function someoneElsesLease({ key, newValue }: StorageEvent) {
    if (!key?.startsWith(`${prefix}o.`)) return;
    lookLater(newValue === null ? ADOPT_DELAY_MS * (1 + clock.random()) : leaseMs + ADOPT_DELAY_MS);
  }

  return {
    put(place, text) {
      // The lease first: an event without one is free for all.
      if (!held.has(mine) && !renew(mine)) return null;
      const key = queueKey(mine) + place.toString(36).padStart(8, '0');
      if (!storage.set(key, text)) {
        if (!held.has(mine)) storage.remove(leaseKey(mine));
        return null;
      }
      hold(mine, 1);
      return copyAt(mine, key);
    },
    adopt(taker) {
      if (!take) addEventListener('storage', someoneElsesLease);
      take = taker;
      look(false);
    },
    release() {
      for (const owner of held.keys()) if (lease(owner).by === me) storage.remove(leaseKey(owner));
    },
    resume() {
      for (const owner of held.keys()) if (!lease(owner).by) renew(owner);
    },
  };
}
