//! How much of something may be in use at the same time.

use std::sync::atomic::{AtomicUsize, Ordering};

/// A bound that many requests share. Nobody waits for it: requests that each hold a part of a body and
/// wait for more room would wait for each other.
#[derive(Debug)]
pub(crate) struct Budget {
    used: AtomicUsize,
    max: usize,
    name: &'static str,
}

/// A share of a [`Budget`], given back when dropped.
#[derive(Debug)]
pub(crate) struct Share<'a> {
    budget: &'a Budget,
    size: usize,
}

/// The budget with this name is used up.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Exhausted(pub(crate) &'static str);

impl Budget {
    pub(crate) fn new(name: &'static str, max: usize) -> Budget {
        Budget { used: AtomicUsize::new(0), max, name }
    }

    /// A share of this size.
    pub(crate) fn take(&self, size: usize) -> Result<Share<'_>, Exhausted> {
        let mut share = Share { budget: self, size: 0 };
        share.grow(size)?;
        Ok(share)
    }

    /// How much is in use.
    #[cfg(test)]
    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }
}

impl Share<'_> {
    /// Makes the share larger.
    pub(crate) fn grow(&mut self, by: usize) -> Result<(), Exhausted> {
        let used = self.budget.used.fetch_add(by, Ordering::Relaxed);
        if used.saturating_add(by) > self.budget.max {
            self.budget.used.fetch_sub(by, Ordering::Relaxed);
            return Err(Exhausted(self.budget.name));
        }
        self.size += by;
        Ok(())
    }

    /// Makes the share smaller, never larger.
    pub(crate) fn shrink_to(&mut self, size: usize) {
        let excess = self.size.saturating_sub(size);
        self.size -= excess;
        self.budget.used.fetch_sub(excess, Ordering::Relaxed);
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.size, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_given_until_the_budget_is_used_up_and_come_back_when_dropped() {
        let budget = Budget::new("things-max", 10);
        let mut first = budget.take(4).unwrap();
        let second = budget.take(6).unwrap();
        assert_eq!(first.grow(1), Err(Exhausted("things-max")));
        assert!(budget.take(1).is_err());
        drop(second);
        first.grow(6).unwrap();
        first.shrink_to(2);
        assert_eq!(budget.used(), 2);
        drop(first);
        assert_eq!(budget.used(), 0);
    }
}
