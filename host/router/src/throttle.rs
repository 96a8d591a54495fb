//! 429: the whole destination waits.
//!
//! ```text
//!  free ──429──▶ waiting (until Retry-After, else a growing wait) ──time──▶ testing: one at a time
//!    ▲                        ▲                                                │
//!    └──────── any other conclusive answer ◀───────────────────────────────────┤
//!                             └───────────────── 429 again ◀───────────────────┘
//! ```

use crate::backoff;
use crate::config::Config;
use std::time::Duration;
use tokio::time::Instant;

/// Whether the destination has asked for less.
#[derive(Debug)]
pub(crate) struct Throttle {
    base: Duration,
    max: Duration,
    round: Option<Round>,
}

#[derive(Debug)]
struct Round {
    number: u32,
    begun: Instant,
    until: Instant,
}

/// How many deliveries may be in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Allowance {
    /// As many as the destination's concurrency allows.
    All,
    /// One, to see whether the destination takes events again.
    One,
    /// None before this.
    Wait(Instant),
}

impl Throttle {
    pub(crate) fn new(config: &Config) -> Throttle {
        Throttle { base: config.retry_base, max: config.retry_max, round: None }
    }

    /// An attempt that began at `started` was answered 429. Those that were in flight together count as one.
    pub(crate) fn throttled(&mut self, started: Instant, after: Option<Duration>, now: Instant) {
        match &mut self.round {
            Some(round) if started < round.begun => {
                if let Some(after) = after {
                    round.until = round.until.max(now + after);
                }
            }
            round => {
                let number = round.as_ref().map_or(1, |round| round.number.saturating_add(1));
                let wait = after.unwrap_or_else(|| backoff::wait(number, self.base, self.max));
                *round = Some(Round { number, begun: now, until: now + wait });
            }
        }
    }

    /// An attempt that began at `started` got a conclusive answer that was not 429.
    pub(crate) fn answered(&mut self, started: Instant) {
        if self.round.as_ref().is_some_and(|round| started >= round.until) {
            self.round = None;
        }
    }

    pub(crate) fn allowance(&self, now: Instant) -> Allowance {
        match &self.round {
            None => Allowance::All,
            Some(round) if now < round.until => Allowance::Wait(round.until),
            Some(_) => Allowance::One,
        }
    }

    /// Until when nothing is sent, if the destination has asked for it.
    pub(crate) fn until(&self) -> Option<Instant> {
        self.round.as_ref().map(|round| round.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_destination_waits_as_long_as_it_asked_and_then_lets_one_test_it() {
        let start = Instant::now();
        let mut throttle = Throttle::new(&Config::default());
        throttle.throttled(start, Some(7 * SECOND), start + SECOND);
        assert_eq!(throttle.allowance(start + SECOND), Allowance::Wait(start + 8 * SECOND));
        assert_eq!(throttle.allowance(start + 8 * SECOND), Allowance::One);
        throttle.answered(start + 8 * SECOND);
        assert_eq!(throttle.allowance(start + 8 * SECOND), Allowance::All);
    }

    #[test]
    fn attempts_in_flight_together_are_one_round() {
        let start = Instant::now();
        let mut throttle = Throttle::new(&Config::default());
        for _ in 0..64 {
            throttle.throttled(start, None, start + SECOND);
        }
        let Allowance::Wait(until) = throttle.allowance(start + SECOND) else { panic!("it must wait") };
        assert!(until <= start + 2 * SECOND, "the wait of the first round");
        // A success that was in flight before the 429 says nothing about now.
        throttle.answered(start);
        assert!(matches!(throttle.allowance(start + SECOND), Allowance::Wait(_)));
        throttle.throttled(until, None, until + SECOND);
        let Allowance::Wait(later) = throttle.allowance(until + SECOND) else { panic!("it must wait") };
        assert!(later >= until + 2 * SECOND, "the wait of the second round is longer");
    }
}
