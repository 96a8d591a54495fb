//! How many events a source may send.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How much may come at once after a silence.
const BURST: Duration = Duration::from_secs(1);

/// For each source, when it will have used up what it has sent: the generic cell rate algorithm (ITU-T I.371).
/// A batch is taken whole or not at all, and one that is larger than the burst is taken when nothing else was.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    due: Mutex<HashMap<String, Instant>>,
}

impl Rates {
    /// Counts events of a source. Refused, it says when to come again.
    pub(crate) fn take(&self, source: &str, per_second: NonZeroU32, events: usize) -> Result<(), Duration> {
        self.take_at(Instant::now(), source, per_second, events)
    }

    fn take_at(&self, now: Instant, source: &str, per_second: NonZeroU32, events: usize) -> Result<(), Duration> {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let until = due.get(source).copied().unwrap_or(now).max(now);
        let early = until.saturating_duration_since(now + BURST);
        if !early.is_zero() {
            return Err(early);
        }
        let cost = Duration::from_secs_f64(events as f64 / f64::from(per_second.get()));
        match due.get_mut(source) {
            Some(due) => *due = until + cost,
            None => drop(due.insert(source.to_owned(), until + cost)),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN: NonZeroU32 = NonZeroU32::new(10).unwrap();

    #[test]
    fn a_source_gets_its_rate_and_a_second_ahead_of_it() {
        let (rates, now) = (Rates::default(), Instant::now());
        for _ in 0..11 {
            rates.take_at(now, "a", TEN, 1).unwrap();
        }
        assert_eq!(rates.take_at(now, "a", TEN, 1), Err(Duration::from_millis(100)));
        rates.take_at(now, "b", TEN, 1).unwrap();
        rates.take_at(now + Duration::from_millis(100), "a", TEN, 1).unwrap();
        assert!(rates.take_at(now + Duration::from_millis(100), "a", TEN, 1).is_err());
    }

    #[test]
    fn a_batch_is_taken_whole_and_paid_for_afterwards() {
        let (rates, now) = (Rates::default(), Instant::now());
        rates.take_at(now, "a", TEN, 100).unwrap();
        assert_eq!(rates.take_at(now, "a", TEN, 1), Err(Duration::from_secs(9)));
        rates.take_at(now + Duration::from_secs(9), "a", TEN, 1).unwrap();
    }
}
