import type { Account } from './ledger.js';
import type { Limits } from './limits.js';
import { BODY_OVERHEAD_BYTES, ITEM_OVERHEAD_BYTES } from './wire.js';

/** An event that waits, or is in flight. */
export interface Entry {
  readonly account: Account;
  readonly json: string;
  /** Length of `json` in UTF-8. */
  readonly bytes: number;
  /** The anonymous id that a batch is sent under; a batch never mixes two. */
  readonly route?: string;
  /** When it was queued, by the clock. */
  readonly since: number;
  /** Null while there is none: then only this process's memory has the event. */
  copy: Copy | null;
}

/** An event's copy in a store. */
export interface Copy {
  /** The page's own code may have cleared its storage. */
  exists(): boolean;
  remove(): void;
}

/** Something that outlives the process. `put` returns null if it cannot keep the text. */
export interface Store {
  put(place: number, text: string): Copy | null;
}

export const noStore: Store = { put: () => null };

export interface FrontOptions {
  /** Which entries are considered. Default: all. */
  among?: (entry: Entry) => boolean;
  /** Whether anonymous ids may be mixed, as in a beacon, which has no header for one. Default: false. */
  mixed?: boolean;
}

export interface Queue {
  readonly size: number;
  readonly bytes: number;
  /** The oldest entry. */
  readonly first: Entry | undefined;
  /** Why the queue takes no event of this size; null when it does. */
  refusal(bytes: number): string | null;
  add(entry: Omit<Entry, 'copy'>): void;
  /** Takes in what an earlier page stored. */
  adopt(entry: Entry): void;
  /** The oldest entries that fit; at least one if there is any. They stay until they are removed. */
  front(itemsMax: number, bytesMax: number, options?: FrontOptions): Entry[];
  /** Removes entries, from storage too. */
  remove(gone: readonly Entry[]): void;
  /** Stores what is not stored yet; returns what still is not. */
  persist(): Entry[];
  all(): readonly Entry[];
}

/**
 * First in, first out. Entries live in memory and are written through to `store` one by one, so that tracking
 * costs the same however long the queue is.
 */
export function createQueue(store: Store, limits: Limits): Queue {
  // The place in line is taken when an event is added: what could be stored only later keeps it.
  const places = new WeakMap<Entry, number>();
  let entries: Entry[] = [];
  let bytes = 0;
  let place = 0;

  const stored = (entry: Entry) => (entry.copy ??= store.put(places.get(entry) ?? 0, entry.json)) !== null;

  function push(entry: Entry) {
    entries.push(entry);
    bytes += entry.bytes;
  }

  return {
    get size() {
      return entries.length;
    },
    get bytes() {
      return bytes;
    },
    get first() {
      return entries[0];
    },
    refusal(more) {
      if (entries.length >= limits.queueItemsMax) return `queueItemsMax is ${limits.queueItemsMax}`;
      return bytes + more > limits.queueBytesMax ? `queueBytesMax is ${limits.queueBytesMax}` : null;
    },
    add(fields) {
      const entry: Entry = { ...fields, copy: null };
      places.set(entry, place++);
      stored(entry);
      push(entry);
    },
    adopt: push,
    front(itemsMax, bytesMax, { among, mixed } = {}) {
      const batch: Entry[] = [];
      let room = bytesMax - BODY_OVERHEAD_BYTES;
      for (const entry of entries) {
        if (among && !among(entry)) continue;
        room -= entry.bytes + ITEM_OVERHEAD_BYTES;
        const fits = room >= 0 && (mixed || !batch.length || entry.route === batch[0]!.route);
        if (batch.length && !fits) break;
        batch.push(entry);
        if (batch.length >= itemsMax) break;
      }
      return batch;
    },
    remove(gone) {
      const leaving = new Set(gone);
      entries = entries.filter((entry) => {
        if (!leaving.has(entry)) return true;
        bytes -= entry.bytes;
        entry.copy?.remove();
        return false;
      });
    },
    persist: () =>
      entries.filter((entry) => {
        if (!entry.copy?.exists()) entry.copy = null;
        return !stored(entry);
      }),
    all: () => entries,
  };
}
