//! The rate that a plugin's manifest or the configuration asks for: requests begun in a second.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// What was not used is kept for this long: a short burst goes out at once.
const BURST: Duration = Duration::from_secs(1);

/// Hands out turns, evenly spread once the burst is used up.
#[derive(Debug)]
pub struct Pace {
    between: Option<Duration>,
    /// When the next turn is due; in the past while there is a burst left.
    next: Mutex<Option<Instant>>,
    /// Whose turns are waited for as well: of a share, what it is a share of.
    whole: Option<Arc<Pace>>,
}

/// The paces of all destinations: whoever sends to one keeps to the same. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Paces {
    known: Arc<Mutex<HashMap<String, Weak<Pace>>>>,
}

impl Paces {
    /// The pace of a destination. A new one when its rate is not what it was.
    #[must_use]
    pub fn of(&self, destination_id: &str, requests_per_second: Option<f64>) -> Arc<Pace> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let between = between(requests_per_second);
        let there = known.get(destination_id).and_then(Weak::upgrade).filter(|pace| pace.between == between);
        there.unwrap_or_else(|| {
            known.retain(|_, pace| pace.strong_count() > 0);
            let pace = Arc::new(Pace::new(requests_per_second));
            known.insert(destination_id.to_owned(), Arc::downgrade(&pace));
            pace
        })
    }
}

fn between(requests_per_second: Option<f64>) -> Option<Duration> {
    requests_per_second.and_then(|rate| Duration::try_from_secs_f64(1.0 / rate).ok())
}

impl Pace {
    /// Without a rate every turn comes at once.
    pub(crate) fn new(requests_per_second: Option<f64>) -> Pace {
        Pace { between: between(requests_per_second), next: Mutex::new(None), whole: None }
    }

    /// A part of a pace: of its turns it gets no more than this share, and leaves the rest to others.
    #[must_use]
    pub fn share(self: Arc<Pace>, share: f64) -> Pace {
        let between = self.between.and_then(|between| Duration::try_from_secs_f64(between.as_secs_f64() / share).ok());
        Pace { between, next: Mutex::new(None), whole: Some(self) }
    }

    /// Waits for a turn.
    pub(crate) async fn turn(&self) {
        for pace in [Some(self), self.whole.as_deref()].into_iter().flatten() {
            if let Some(at) = pace.take(Instant::now()) {
                sleep_until(at).await;
            }
        }
    }

    /// When the next turn is due; nothing when it is due already.
    pub(crate) fn due(&self, now: Instant) -> Option<Instant> {
        let whole = self.whole.as_ref().and_then(|whole| whole.due(now));
        self.between?;
        let next = *self.next.lock().unwrap_or_else(PoisonError::into_inner);
        next.filter(|at| *at > now).max(whole)
    }

    /// Takes the next turn; nothing when it is due already.
    fn take(&self, now: Instant) -> Option<Instant> {
        let between = self.between?;
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        // A rate below one in a second has no burst: it would double itself.
        let kept = BURST.saturating_sub(between);
        let earliest = now.checked_sub(kept).unwrap_or(now);
        let at = next.map_or(earliest, |next| next.max(earliest));
        *next = Some(at + between);
        (at > now).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(turns: usize, now: Instant, pace: &Pace) -> Vec<u64> {
        (0..turns).map(|_| pace.take(now).map_or(0, |at| (at - now).as_millis() as u64)).collect()
    }

    #[test]
    fn a_second_of_turns_is_free_and_the_rest_is_spread() {
        let (pace, now) = (Pace::new(Some(4.0)), Instant::now() + Duration::from_secs(60));
        assert_eq!(waits(7, now, &pace), [0, 0, 0, 0, 250, 500, 750]);
        // Two seconds later all of it was used up and made good.
        assert_eq!(waits(5, now + Duration::from_secs(3), &pace), [0, 0, 0, 0, 250]);
    }

    #[test]
    fn looking_when_a_turn_is_due_takes_none() {
        let (pace, now) = (Pace::new(Some(2.0)), Instant::now() + Duration::from_secs(60));
        assert_eq!((pace.due(now), Pace::new(None).due(now)), (None, None));
        assert_eq!(waits(3, now, &pace), [0, 0, 500]);
        let due = pace.due(now).unwrap();
        assert_eq!((due - now, pace.due(now), pace.due(due)), (Duration::from_secs(1), Some(due), None));
    }

    #[test]
    fn a_share_keeps_to_its_part_and_uses_up_turns_of_the_whole() {
        let (paces, now) = (Paces::default(), Instant::now() + Duration::from_secs(60));
        let whole = paces.of("orders", Some(4.0));
        assert!(Arc::ptr_eq(&whole, &paces.of("orders", Some(4.0))) && whole.take(now).is_none());
        let share = whole.clone().share(0.25);
        assert_eq!(waits(3, now, &share), [0, 1000, 2000]);
        assert_eq!(waits(4, now, share.whole.as_ref().unwrap()), [0, 0, 0, 250]);
        assert_eq!(whole.due(now), share.whole.as_ref().unwrap().due(now));
        assert!(!Arc::ptr_eq(&whole, &paces.of("orders", Some(5.0))), "another rate");
        assert_eq!(paces.of("others", None).share(0.25).due(now), None);
    }

    #[test]
    fn a_slow_rate_has_no_burst_and_none_has_no_wait() {
        let (pace, now) = (Pace::new(Some(0.5)), Instant::now() + Duration::from_secs(60));
        assert_eq!(waits(3, now, &pace), [0, 2000, 4000]);
        assert_eq!(waits(3, now, &Pace::new(None)), [0, 0, 0]);
    }
}
