import type { KeyValue } from './storage.js';

/** A value that is remembered from page to page, and shared by the tabs of an origin. */
export interface Kept<T extends object> {
  readonly value: Readonly<T>;
  update(change: Partial<T>): void;
  /** Storage has become usable: what is known from earlier takes over, with what was learned meanwhile. */
  remember(): void;
  /** Starts anew, in storage too. */
  forget(): void;
}

/**
 * Kept in memory and written through, so that an event costs no read. Other tabs' writes come in as `storage` events:
 * after a login in one tab, the others know. What changes for different reasons has different keys, or one tab's
 * write would undo another's.
 */
export function createKept<T extends object>(
  storage: KeyValue,
  key: string,
  fresh: () => T,
  isValid: (stored: Partial<T>) => boolean,
): Kept<T> {
  let value = fresh();
  /** What was learned while storage did not take it. */
  let learned: Partial<T> = {};

  function read(text: string | null): T | null {
    try {
      const stored = text ? (JSON.parse(text) as Partial<T> | null) : null;
      return stored && isValid(stored) ? { ...fresh(), ...stored } : null;
    } catch {
      return null;
    }
  }

  const save = () => storage.set(key, JSON.stringify(value));

  addEventListener('storage', (event) => {
    if (event.key === key) value = read(event.newValue) ?? value;
  });

  return {
    get value() {
      return value;
    },
    update(change) {
      value = { ...value, ...change };
      if (!save()) learned = { ...learned, ...change };
    },
    remember() {
      value = { ...(read(storage.get(key)) ?? value), ...learned };
      learned = {};
      save();
    },
    forget() {
      value = fresh();
      learned = {};
      storage.remove(key);
    },
  };
}
