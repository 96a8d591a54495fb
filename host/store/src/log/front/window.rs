//! The message ids of the last events, and where each was first.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use pintle_events::Position;
use std::collections::VecDeque;
use std::time::Duration;

/// What is remembered: the hashes of message ids, numbered in the order in which they came.
///
/// A number takes four bytes in the table and a hash eight in the ring; where an id stands is found by its number
/// in the list of chunks.
#[derive(Debug)]
pub(super) struct Window {
    ids_max: usize,
    keep_ms: i64,
    ring: VecDeque<u64>,
    /// The number of the first id in the ring.
    base: u64,
    /// The numbers of first copies, without their upper halves.
    firsts: HashTable<u32>,
    chunks: VecDeque<Remembered>,
    evicted: u64,
}

#[derive(Clone, Copy, Debug)]
struct Remembered {
    lane: i64,
    seq: i64,
    /// The number of its first event's id.
    from: u64,
    at_ms: i64,
}

impl Window {
    pub(super) fn new(ids_max: usize, keep: Duration) -> Window {
        let keep_ms = i64::try_from(keep.as_millis()).unwrap_or(i64::MAX);
        let (ring, firsts, chunks) = (VecDeque::new(), HashTable::new(), VecDeque::new());
        Window { ids_max, keep_ms, ring, base: 0, firsts, chunks, evicted: 0 }
    }

    /// Remembers the ids of a chunk. Gives the events whose ids were there already, each with where.
    pub(super) fn remember(&mut self, lane: i64, seq: i64, ids: &[u64], at_ms: i64) -> Vec<(u32, Position)> {
        if self.keep_ms == 0 {
            return Vec::new();
        }
        self.forget(at_ms, ids.len());
        let from = self.base + self.ring.len() as u64;
        self.chunks.push_back(Remembered { lane, seq, from, at_ms });
        let mut known = Vec::new();
        for (id, idx) in ids.iter().zip(0..) {
            let number = self.base + self.ring.len() as u64;
            self.ring.push_back(*id);
            let (ring, base) = (&self.ring, self.base);
            let id_of = |number: &u32| ring[offset(*number, base)];
            match self.firsts.entry(*id, |number| id_of(number) == *id, id_of) {
                Entry::Occupied(first) => {
                    let first = self.base + offset(*first.get(), self.base) as u64;
                    known.push((idx, self.position(first)));
                }
                Entry::Vacant(vacant) => drop(vacant.insert(number as u32)),
            }
        }
        known
    }

    /// How many ids there are.
    pub(super) fn len(&self) -> usize {
        self.ring.len()
    }

    /// How many were forgotten early since this was asked last.
    pub(super) fn take_evicted(&mut self) -> u64 {
        std::mem::take(&mut self.evicted)
    }

    /// Makes room for so many, and lets go of what is too old. Chunks go whole.
    fn forget(&mut self, now_ms: i64, coming: usize) {
        while let Some(oldest) = self.chunks.front() {
            let is_old = now_ms.saturating_sub(oldest.at_ms) > self.keep_ms;
            if !is_old && self.ring.len() + coming <= self.ids_max {
                return;
            }
            let until = self.chunks.get(1).map_or(self.base + self.ring.len() as u64, |next| next.from);
            while self.base < until {
                let Some(id) = self.ring.front().copied() else { break };
                let number = self.base as u32;
                if let Ok(first) = self.firsts.find_entry(id, |known| *known == number) {
                    first.remove();
                }
                self.ring.pop_front();
                self.base += 1;
                self.evicted += u64::from(!is_old);
            }
            self.chunks.pop_front();
        }
    }

    fn position(&self, number: u64) -> Position {
        let at = self.chunks.partition_point(|chunk| chunk.from <= number) - 1;
        let Remembered { lane, seq, from, .. } = self.chunks[at];
        Position { lane, seq, idx: (number - from) as u32 }
    }
}

/// How far a number is from the first one. Fewer than 2^32 are remembered, so its lower half is enough.
fn offset(number: u32, base: u64) -> usize {
    number.wrapping_sub(base as u32) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(ids_max: usize) -> Window {
        Window::new(ids_max, Duration::from_secs(10))
    }

    fn at(lane: i64, seq: i64, idx: u32) -> Position {
        Position { lane, seq, idx }
    }

    #[test]
    fn only_later_copies_are_known_and_the_first_one_is_named() {
        let mut window = window(100);
        assert!(window.remember(1, 1, &[7, 8, 9], 0).is_empty());
        assert_eq!(window.remember(2, 1, &[8, 10, 8], 0), [(0, at(1, 1, 1)), (2, at(1, 1, 1))]);
        assert_eq!(window.remember(1, 2, &[11, 11], 0), [(1, at(1, 2, 0))]);
        assert_eq!(window.remember(1, 3, &[10], 0), [(0, at(2, 1, 1))]);
    }

    #[test]
    fn what_is_older_than_the_window_is_forgotten_and_begins_anew() {
        let mut window = window(100);
        window.remember(1, 1, &[1], 0);
        assert_eq!(window.remember(1, 2, &[1], 10_000).len(), 1);
        assert!(window.remember(1, 3, &[2], 10_001).is_empty());
        // The copy at 10,000 was no first one, so the next one is.
        assert!(window.remember(1, 4, &[1], 10_002).is_empty());
        assert_eq!(window.remember(1, 5, &[1], 10_003), [(0, at(1, 4, 0))]);
        assert_eq!(window.take_evicted(), 0);
    }

    #[test]
    fn there_are_never_more_than_fit_and_the_oldest_go() {
        let mut window = window(4);
        for seq in 1..=10 {
            window.remember(1, seq, &[seq as u64 * 2, seq as u64 * 2 + 1], 0);
            assert!(window.len() <= 4);
        }
        assert_eq!(window.take_evicted(), 16);
        assert_eq!(window.remember(1, 11, &[20], 0), [(0, at(1, 10, 0))]);
        assert!(window.remember(1, 12, &[2], 0).is_empty());
    }

    #[test]
    fn numbers_may_pass_the_end_of_their_lower_half() {
        let mut window = window(100);
        window.base = u64::from(u32::MAX) - 1;
        for seq in 1..=4 {
            assert!(window.remember(1, seq, &[seq as u64], 0).is_empty());
        }
        for seq in 1..=4 {
            assert_eq!(window.remember(2, seq, &[seq as u64], 0), [(0, at(1, seq, 0))]);
        }
    }

    #[test]
    fn without_a_window_nothing_is_remembered() {
        let mut window = Window::new(100, Duration::ZERO);
        window.remember(1, 1, &[1], 0);
        assert!(window.remember(1, 2, &[1], 0).is_empty() && window.len() == 0);
    }
}
