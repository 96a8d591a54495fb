//! Several items at once: what a bulk request is made of, and what comes back of it.

use super::{Head, Keys};
use std::collections::VecDeque;

/// Whether an item goes along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::outlet) enum Fit {
    /// It does.
    Take,
    /// It does not, the next one may.
    Leave,
    /// Nothing more goes along.
    Stop,
}

/// Heads that are passed over, at most, while company is looked for.
const PASSED_OVER_MAX: usize = 256;

impl<T> Keys<T> {
    /// Takes more ready heads, those that have failed before first; their keys are in flight from now on.
    /// What is left stays where it is.
    pub(in crate::outlet) fn take_more(&mut self, taken: &mut Vec<T>, mut fit: impl FnMut(&T) -> Fit) {
        for ready in [&mut self.again, &mut self.untried] {
            let mut left = VecDeque::new();
            let mut goes_on = true;
            while goes_on && left.len() < PASSED_OVER_MAX {
                let Some(key) = ready.pop_front() else { break };
                let Some(queue) = self.by_hash.get_mut(&key) else { continue };
                let Head::Ready(item) = &queue.head else { continue };
                match fit(item) {
                    Fit::Take => {
                        if let Head::Ready(item) = std::mem::replace(&mut queue.head, Head::InFlight) {
                            taken.push(item);
                        }
                    }
                    Fit::Leave => left.push_back(key),
                    Fit::Stop => {
                        left.push_back(key);
                        goes_on = false;
                    }
                }
            }
            left.into_iter().rev().for_each(|key| ready.push_front(key));
            if !goes_on {
                return;
            }
        }
    }

    /// Takes what waits behind a head that was taken, in order, up to the first that does not fit. False when
    /// nothing more goes along at all.
    pub(in crate::outlet) fn take_followers(
        &mut self,
        key: u64,
        taken: &mut Vec<T>,
        mut fit: impl FnMut(&T) -> Fit,
    ) -> bool {
        let Some(queue) = self.by_hash.get_mut(&key) else { return true };
        while let Some(next) = queue.behind.front() {
            match fit(next) {
                Fit::Take => taken.extend(queue.behind.pop_front()),
                Fit::Leave => return true,
                Fit::Stop => return false,
            }
        }
        true
    }

    /// Puts followers back to the front of what waits behind their head, which is still in flight.
    pub(in crate::outlet) fn return_followers(&mut self, key: u64, followers: Vec<T>) {
        if let Some(queue) = self.by_hash.get_mut(&key) {
            followers.into_iter().rev().for_each(|item| queue.behind.push_front(item));
        }
    }

    /// The item in flight of this key was not tried by itself: it is ready again, before the others that are.
    pub(in crate::outlet) fn return_head(&mut self, key: u64, item: T, was_tried: bool) {
        if let Some(queue) = self.by_hash.get_mut(&key) {
            queue.head = Head::Ready(item);
            if was_tried { self.again.push_front(key) } else { self.untried.push_front(key) }
        }
    }
}
