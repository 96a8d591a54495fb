import type { Traits } from '@pintle/core';
import { createKept, type Kept } from './kept.js';
import type { KeyValue } from './storage.js';

/** Who is here, as far as it is known. */
export interface Person {
  anonymousId: string;
  userId: string;
  traits: Traits;
  groupId: string;
  groupTraits: Traits;
}

export type Identity = Kept<Person>;

export function createIdentity(storage: KeyValue, key: string, newId: () => string): Identity {
  const nobody = () => ({ anonymousId: newId(), userId: '', traits: {}, groupId: '', groupTraits: {} });
  return createKept<Person>(storage, key, nobody, ({ anonymousId }) => Boolean(anonymousId));
}
