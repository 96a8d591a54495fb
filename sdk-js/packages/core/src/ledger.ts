import type { PintleEvent } from './event.js';
import type { Callback, Drop, DropReason, Outcome, Stats } from './outcome.js';

/** One event that waits for its fate. An object rather than its message id, which a caller may give twice. */
export interface Account {
  readonly messageId: string;
}

export interface Ledger {
  /** How many are open. */
  readonly size: number;
  open(messageId: string, callback?: Callback): { account: Account; outcome: Promise<Outcome> };
  /** For an event that an earlier page had opened. */
  adopt(messageId: string): Account;
  delivered(account: Account): void;
  dropped(account: Account, reason: DropReason, detail: string, event?: PintleEvent): void;
  isOpen(account: Account): boolean;
  pending(): Account[];
  /** Calls back when everything that is open now has been settled. Returns how to wait no longer. */
  onSettled(done: () => void): () => void;
  stats(): Stats;
}

/**
 * The books: every event is counted once when it comes and once when it goes. They are kept in one place so that
 * no path through the client, however odd, can break `delivered + dropped + pending = tracked`.
 */
export function createLedger(onDrop: (drop: Drop) => void): Ledger {
  const open = new Map<Account, (outcome: Outcome) => void>();
  const waits = new Set<{ accounts: Set<Account>; done: () => void }>();
  const droppedBy: Stats['droppedBy'] = {};
  let tracked = 0;
  let adopted = 0;
  let delivered = 0;
  let dropped = 0;

  function close(account: Account, outcome: Outcome) {
    const resolve = open.get(account);
    open.delete(account);
    resolve?.(outcome);
    for (const wait of waits) {
      if (wait.accounts.delete(account) && wait.accounts.size === 0) {
        waits.delete(wait);
        wait.done();
      }
    }
  }

  return {
    get size() {
      return open.size;
    },
    open(messageId, callback) {
      tracked++;
      const account = { messageId };
      const outcome = new Promise<Outcome>((resolve) => {
        open.set(account, (outcome) => {
          resolve(outcome);
          if (callback) guarded(() => callback(outcome));
        });
      });
      return { account, outcome };
    },
    adopt(messageId) {
      tracked++;
      adopted++;
      const account = { messageId };
      open.set(account, () => {});
      return account;
    },
    delivered(account) {
      if (!open.has(account)) return;
      delivered++;
      close(account, { status: 'delivered', messageId: account.messageId });
    },
    dropped(account, reason, detail, event) {
      if (!open.has(account)) return;
      dropped++;
      droppedBy[reason] = (droppedBy[reason] ?? 0) + 1;
      const { messageId } = account;
      close(account, { status: 'dropped', messageId, reason, detail });
      guarded(() => onDrop({ messageId, reason, detail, ...(event && { event }) }));
    },
    isOpen: (account) => open.has(account),
    pending: () => [...open.keys()],
    onSettled(done) {
      const wait = { accounts: new Set(open.keys()), done };
      if (open.size) waits.add(wait);
      else done();
      return () => waits.delete(wait);
    },
    stats: () => ({ tracked, adopted, delivered, dropped, droppedBy: { ...droppedBy }, pending: open.size }),
  };
}

/** A caller's function that throws must not take the queue with it; the error still reaches the console. */
export function guarded(run: () => void): void {
  try {
    run();
  } catch (error) {
    console.error('pintle: a callback threw', error);
  }
}
