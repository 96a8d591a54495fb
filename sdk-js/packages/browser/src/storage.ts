/** Strings by key that outlive the page. Nothing here throws: storage may be full, forbidden or absent at any time. */
export interface KeyValue {
  get(key: string): string | null;
  /** Whether it was stored. */
  set(key: string, value: string): boolean;
  remove(key: string): void;
  keys(): string[];
}

/** localStorage: shared by all tabs of an origin, and written before the call returns. */
export function localKeyValue(): KeyValue {
  /** The getter itself throws where the user forbids storage. */
  const attempt = <T>(use: (storage: Storage) => T, otherwise: T): T => {
    try {
      return use(localStorage);
    } catch {
      return otherwise;
    }
  };
  return {
    get: (key) => attempt((storage) => storage.getItem(key), null),
    set: (key, value) =>
      attempt((storage) => {
        storage.setItem(key, value);
        return true;
      }, false),
    remove: (key) => attempt((storage) => storage.removeItem(key), undefined),
    keys: () =>
      attempt((storage) => Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? ''), []),
  };
}

/** Keeps nothing: for `storage: 'none'`, and while consent is not given. */
export const noKeyValue: KeyValue = { get: () => null, set: () => false, remove: () => {}, keys: () => [] };

/** A storage with a gate: closed, it reads and keeps nothing, but still removes. */
export function gated(storage: KeyValue, isOpen: () => boolean): KeyValue {
  return {
    get: (key) => (isOpen() ? storage.get(key) : null),
    set: (key, value) => isOpen() && storage.set(key, value),
    remove: storage.remove,
    keys: () => (isOpen() ? storage.keys() : []),
  };
}
