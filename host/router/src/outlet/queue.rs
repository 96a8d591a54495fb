//! Who is next: one queue per key, of which only the head may be tried.
//!
//! ```text
//!  push ──▶ behind ──▶ head: Ready ──take──▶ InFlight ──▶ finish ──▶ the next becomes head
//!                        ▲                      │
//!                        └── Waiting ◀── wait ──┘   (or `again`: ready, after the others)
//! ```
//! Where several go in one request, `company` takes further heads, and what waits behind them in order.

mod company;

pub(super) use company::Fit;

use std::cmp::Reverse;
use std::collections::hash_map::Entry;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use tokio::time::Instant;

/// Queues per key of whatever is delivered.
#[derive(Debug)]
pub(super) struct Keys<T> {
    by_hash: HashMap<u64, Key<T>>,
    /// Keys whose ready head has not failed yet.
    untried: VecDeque<u64>,
    /// Keys whose ready head has failed before.
    again: VecDeque<u64>,
    /// Keys whose head waits, by when it is due.
    due: BinaryHeap<Reverse<(Instant, u64)>>,
}

#[derive(Debug)]
struct Key<T> {
    head: Head<T>,
    behind: VecDeque<T>,
}

#[derive(Debug)]
enum Head<T> {
    Ready(T),
    Waiting(T),
    InFlight,
}

/// Which heads to take first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prefer {
    /// Those that have failed before: they are older.
    Tried,
    /// Those that have not: they say most about the destination.
    Untried,
}

impl<T> Keys<T> {
    pub(super) fn new() -> Keys<T> {
        Keys { by_hash: HashMap::new(), untried: VecDeque::new(), again: VecDeque::new(), due: BinaryHeap::new() }
    }

    /// Whether the key has anything queued or in flight.
    pub(super) fn holds(&self, key: u64) -> bool {
        self.by_hash.contains_key(&key)
    }

    /// Whether nothing is queued or in flight.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.by_hash.is_empty()
    }

    /// Queues an item at the end of its key.
    pub(super) fn push(&mut self, key: u64, item: T) {
        match self.by_hash.entry(key) {
            Entry::Occupied(entry) => entry.into_mut().behind.push_back(item),
            Entry::Vacant(entry) => {
                entry.insert(Key { head: Head::Ready(item), behind: VecDeque::new() });
                self.untried.push_back(key);
            }
        }
    }

    /// Queues an item as the head of a new key, due at `at`.
    pub(super) fn push_waiting(&mut self, key: u64, item: T, at: Instant) {
        match self.by_hash.entry(key) {
            Entry::Occupied(entry) => entry.into_mut().behind.push_back(item),
            Entry::Vacant(entry) => {
                entry.insert(Key { head: Head::Waiting(item), behind: VecDeque::new() });
                self.due.push(Reverse((at, key)));
            }
        }
    }

    /// Whether a head that has not failed yet is ready.
    pub(super) fn has_untried(&self) -> bool {
        !self.untried.is_empty()
    }

    /// Whether any head is ready.
    pub(super) fn has_ready(&self) -> bool {
        !self.untried.is_empty() || !self.again.is_empty()
    }

    /// Takes a ready head; its key is in flight from now on.
    pub(super) fn take(&mut self, prefer: Prefer) -> Option<T> {
        let (first, second) = match prefer {
            Prefer::Tried => (&mut self.again, &mut self.untried),
            Prefer::Untried => (&mut self.untried, &mut self.again),
        };
        let key = first.pop_front().or_else(|| second.pop_front())?;
        let head = &mut self.by_hash.get_mut(&key)?.head;
        match std::mem::replace(head, Head::InFlight) {
            Head::Ready(item) | Head::Waiting(item) => Some(item),
            Head::InFlight => None,
        }
    }

    /// The item in flight of this key failed: it is ready again, after the others that are.
    pub(super) fn again(&mut self, key: u64, item: T) {
        if let Some(queue) = self.by_hash.get_mut(&key) {
            queue.head = Head::Ready(item);
            self.again.push_back(key);
        }
    }

    /// The item in flight of this key failed: it is due at `at`.
    pub(super) fn wait(&mut self, key: u64, item: T, at: Instant) {
        if let Some(queue) = self.by_hash.get_mut(&key) {
            queue.head = Head::Waiting(item);
            self.due.push(Reverse((at, key)));
        }
    }

    /// The item in flight of this key has met its end: the next one becomes the head.
    pub(super) fn finish(&mut self, key: u64) {
        let Entry::Occupied(mut entry) = self.by_hash.entry(key) else { return };
        match entry.get_mut().behind.pop_front() {
            Some(next) => {
                entry.get_mut().head = Head::Ready(next);
                self.untried.push_back(key);
            }
            None => {
                entry.remove();
            }
        }
    }

    /// Makes every head that is due by `now` ready.
    pub(super) fn wake(&mut self, now: Instant) {
        while let Some(Reverse((at, key))) = self.due.peek().copied() {
            if at > now {
                return;
            }
            self.due.pop();
            let Some(queue) = self.by_hash.get_mut(&key) else { continue };
            if let Head::Waiting(_) = queue.head {
                let Head::Waiting(item) = std::mem::replace(&mut queue.head, Head::InFlight) else { continue };
                queue.head = Head::Ready(item);
                self.again.push_back(key);
            }
        }
    }

    /// When the next waiting head is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.due.peek().map(|Reverse((at, _))| *at)
    }

    /// Whether any key but one has anything queued or in flight.
    pub(super) fn holds_others(&self) -> bool {
        self.by_hash.len() > 1
    }

    /// Takes everything that waits behind the head of a key; to be put back.
    pub(super) fn take_behind(&mut self, key: u64) -> VecDeque<T> {
        self.by_hash.get_mut(&key).map(|queue| std::mem::take(&mut queue.behind)).unwrap_or_default()
    }

    /// Puts back what was taken from behind the head.
    pub(super) fn put_behind(&mut self, key: u64, behind: VecDeque<T>) {
        if let Some(queue) = self.by_hash.get_mut(&key) {
            queue.behind = behind;
        }
    }

    /// Takes the last item behind the head of a key, and shows the one before it.
    pub(super) fn pop_last(&mut self, key: u64) -> Option<(T, Option<&T>)> {
        let queue = self.by_hash.get_mut(&key)?;
        let last = queue.behind.pop_back()?;
        Some((last, queue.behind.back()))
    }
}

#[cfg(test)]
mod tests;
