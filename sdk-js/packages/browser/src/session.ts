import type { Context } from '@pintle/core';
import type { Identity } from './identity.js';

export interface SessionOptions {
  /** Start sessions without being asked, and end them after `timeout` without an event. Default: true. */
  autoTrack?: boolean;
  /** Milliseconds without an event that end a session of `autoTrack`. Default: 1,800,000 (30 minutes). */
  timeout?: number;
}

export interface Sessions {
  /** Counts an event at this time, and says what goes into its context. */
  touch(now: number): Pick<Context, 'sessionId' | 'sessionStart'>;
  current(now: number): number | null;
  start(now: number, id?: number): void;
  end(): void;
}

/** The time of the last event is written this often at most: a write per event would cost more than the event. */
const TOUCH_MS = 10_000;
export const SESSION_TIMEOUT_MS = 1_800_000;

export function createSessions(identity: Identity, options: SessionOptions = {}): Sessions {
  const { autoTrack = true, timeout = SESSION_TIMEOUT_MS } = options;
  /** `endSession` means it: no session begins by itself until the next page. */
  let ended = false;

  function live(now: number) {
    const { session } = identity.person;
    return session && !(session.auto && now - session.active > timeout) ? session : null;
  }

  return {
    touch(now) {
      const session =
        live(now) ?? (autoTrack && !ended ? { id: now, auto: true, active: now, announced: false } : null);
      if (!session) return {};
      if (!session.announced || now - session.active > Math.min(TOUCH_MS, timeout / 4)) {
        identity.update({ session: { ...session, active: now, announced: true } });
      }
      return { sessionId: session.id, ...(!session.announced && { sessionStart: true }) };
    },
    current: (now) => live(now)?.id ?? null,
    start(now, id = now) {
      ended = false;
      identity.update({ session: { id, auto: false, active: now, announced: false } });
    },
    end() {
      ended = true;
      identity.update({ session: null });
    },
  };
}
