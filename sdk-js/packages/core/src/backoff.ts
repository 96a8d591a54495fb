import type { Limits } from './limits.js';

/**
 * How long to wait before retry number `attempt` (from 1): anything between nothing and a ceiling that doubles.
 * The full range is used because clients that failed together must not come back together.
 */
export function backoffMs(attempt: number, random: () => number, limits: Limits): number {
  const ceiling = Math.min(limits.retryDelayMaxMs, limits.retryDelayMinMs * 2 ** (attempt - 1));
  return Math.ceil(random() * ceiling);
}

/** `Retry-After` in milliseconds, from its seconds or its date; 0 when there is none or it makes no sense. */
export function retryAfterMs(header: string | null, now: number, limits: Limits): number {
  if (!header) return 0;
  const wait = /^\s*\d+\s*$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - now;
  return wait > 0 ? Math.min(wait, limits.retryAfterMaxMs) : 0;
}
