import type { Context } from '@pintle/core';
import { createKept } from './kept.js';
import type { KeyValue } from './storage.js';

export interface SessionOptions {
  /** Start sessions without being asked, and end them after `timeout` without an event. Default: true. */
  autoTrack?: boolean;
  /** Milliseconds without an event that end a session of `autoTrack`. Default: 1,800,000 (30 minutes). */
  timeout?: number;
}

/** A visit. */
interface Session {
  /** 0: there is none. */
  id: number;
  /** Started by the SDK, and ended by it after the time-out. */
  auto: boolean;
  /** Last event, milliseconds since 1970. */
  active: number;
  /** Whether an event has carried `sessionStart`. */
  announced: boolean;
}

export interface Sessions {
  /** Counts an event at this time, and says what goes into its context. */
  touch(now: number): Pick<Context, 'sessionId' | 'sessionStart'>;
  current(now: number): number | null;
  start(now: number, id?: number): void;
  /** And means it: no session begins by itself until the next page. */
  end(): void;
  /** The visitor is another one now; the next event begins a session. */
  renew(): void;
  remember(): void;
  forget(): void;
}

/** The time of the last event is written this often at most: a write per event would cost more than the event. */
const TOUCH_MS = 10_000;
export const SESSION_TIMEOUT_MS = 1_800_000;

export function createSessions(storage: KeyValue, key: string, options: SessionOptions = {}): Sessions {
  const { autoTrack = true, timeout = SESSION_TIMEOUT_MS } = options;
  const none = (): Session => ({ id: 0, auto: true, active: 0, announced: false });
  const kept = createKept(storage, key, none, ({ id }) => typeof id === 'number');
  let ended = false;

  function live(now: number) {
    const session = kept.value;
    return session.id && !(session.auto && now - session.active > timeout) ? session : null;
  }

  return {
    touch(now) {
      const begun = autoTrack && !ended ? { id: now, auto: true, active: now, announced: false } : null;
      const session = live(now) ?? begun;
      if (!session) return {};
      if (!session.announced || now - session.active > Math.min(TOUCH_MS, timeout / 4)) {
        kept.update({ ...session, active: now, announced: true });
      }
      return { sessionId: session.id, ...(!session.announced && { sessionStart: true }) };
    },
    current: (now) => live(now)?.id ?? null,
    start(now, id = now) {
      ended = false;
      kept.update({ id, auto: false, active: now, announced: false });
    },
    end() {
      ended = true;
      kept.update(none());
    },
    renew: () => kept.update(none()),
    remember: kept.remember,
    forget: kept.forget,
  };
}
