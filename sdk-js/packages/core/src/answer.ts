/** What the server said. Status 0: nothing, or nothing that could be read. */
export interface Answer {
  status: number;
  retryAfter: string | null;
  /** The beginning of the body, for the reason of a drop. */
  text: string;
}

export type Verdict =
  | 'delivered'
  /** Busy or unreachable: the same batch again, later. */
  | 'retry'
  /** Something in this batch is wrong, and a part of it may pass: a smaller batch, now. */
  | 'halve'
  /** Trying again cannot help. */
  | 'refused';

/**
 * 413 is about the sum and 400 may be about a single event, of which one spoils a whole batch: both are
 * halved until the guilty event is alone. 401 and 404 are about the write key, so the batch goes at once.
 */
export function verdict(status: number): Verdict {
  if (status >= 200 && status < 300) return 'delivered';
  if (status === 413 || status === 400) return 'halve';
  if (status >= 400 && status < 500 && status !== 408 && status !== 429) return 'refused';
  return 'retry';
}
