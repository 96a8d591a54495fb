//! The rate that a plugin's manifest or the configuration asks for: requests begun in a second.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// What was not used is kept for this long: a short burst goes out at once.
const BURST: Duration = Duration::from_secs(1);

/// Hands out turns, evenly spread once the burst is used up.
pub(crate) struct Pace {
    between: Option<Duration>,
    /// When the next turn is due; in the past while there is a burst left.
    next: Mutex<Option<Instant>>,
}

impl Pace {
    /// Without a rate every turn comes at once.
    pub(crate) fn new(requests_per_second: Option<f64>) -> Pace {
        let between = requests_per_second.and_then(|rate| Duration::try_from_secs_f64(1.0 / rate).ok());
        Pace { between, next: Mutex::new(None) }
    }

    /// Waits for a turn.
    pub(crate) async fn turn(&self) {
        if let Some(at) = self.take(Instant::now()) {
            sleep_until(at).await;
        }
    }

    /// When the next turn is due; nothing when it is due already.
    pub(crate) fn due(&self, now: Instant) -> Option<Instant> {
        self.between?;
        let next = *self.next.lock().unwrap_or_else(PoisonError::into_inner);
        next.filter(|at| *at > now)
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
    fn a_slow_rate_has_no_burst_and_none_has_no_wait() {
        let (pace, now) = (Pace::new(Some(0.5)), Instant::now() + Duration::from_secs(60));
        assert_eq!(waits(3, now, &pace), [0, 2000, 4000]);
        assert_eq!(waits(3, now, &Pace::new(None)), [0, 0, 0]);
    }
}
