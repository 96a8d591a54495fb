import type { Traits } from '@pintle/core';
import type { KeyValue } from './storage.js';

/** A visit. */
export interface Session {
  id: number;
  /** Started by the SDK, and ended by it after the time-out. */
  auto: boolean;
  /** Last event, milliseconds since 1970. */
  active: number;
  /** Whether an event has carried `sessionStart`. */
  announced: boolean;
}

/** Who is here, as far as it is known. */
export interface Person {
  anonymousId: string;
  userId: string;
  traits: Traits;
  groupId: string;
  groupTraits: Traits;
  session: Session | null;
}

export interface Identity {
  readonly person: Readonly<Person>;
  update(change: Partial<Person>): void;
  /** Storage has become usable: who is known from earlier takes over, with what was learned meanwhile. */
  remember(): void;
  /** Forgets everybody, in storage too; a new anonymous person takes the place. */
  forget(): void;
}

/**
 * The person is kept in memory and written through, so that an event costs no read. Other tabs' writes come in as
 * `storage` events: after a login in one tab, the others know.
 */
export function createIdentity(storage: KeyValue, key: string, newId: () => string): Identity {
  let person = nobody();
  /** What was learned while storage could not be asked. */
  let learned: Partial<Person> = {};

  function nobody(): Person {
    return { anonymousId: newId(), userId: '', traits: {}, groupId: '', groupTraits: {}, session: null };
  }

  function read(text: string | null): Person | null {
    try {
      const stored = text ? (JSON.parse(text) as Partial<Person>) : null;
      return stored?.anonymousId ? { ...nobody(), ...stored } : null;
    } catch {
      return null;
    }
  }

  const save = () => storage.set(key, JSON.stringify(person));

  addEventListener('storage', (event) => {
    if (event.key === key) person = read(event.newValue) ?? person;
  });

  return {
    get person() {
      return person;
    },
    update(change) {
      person = { ...person, ...change };
      if (!save()) learned = { ...learned, ...change };
    },
    remember() {
      person = { ...(read(storage.get(key)) ?? person), ...learned };
      learned = {};
      save();
    },
    forget() {
      person = nobody();
      learned = {};
      storage.remove(key);
    },
  };
}
