//! Whether the destination is down, as opposed to one event that it cannot take.
//!
//! ```text
//!          `breaker-keys` keys fail in a row · a delivery has used up its tries and nothing got through
//!          · a run of 401/403 · no room to park
//!  closed ─────────────────────────────────────────────────────────────▶ open: one probe at a time,
//!    ▲                                                                     │  with growing waits
//!    └────────────────────── the probe got a conclusive answer ◀───────────┘
//! ```
//! While it is open nothing parks and nothing is given up for its age: the log is the backlog. A probe is
//! a delivery that has not been tried since the trouble began, if there is one: otherwise a handful of
//! events that nobody could deliver would keep the breaker open for ever.

use crate::backoff;
use crate::config::Config;
use std::time::Duration;
use tokio::time::Instant;

/// Why the breaker is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Deliveries fail and none gets through.
    Failing,
    /// The destination refuses our credentials.
    Refused,
    /// Events keep failing one by one, and there is no room to park more of them.
    ParkedFull,
}

impl Why {
    /// A word for status and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Why::Failing => "failing",
            Why::Refused => "refused",
            Why::ParkedFull => "parked-full",
        }
    }
}

#[derive(Debug)]
pub(crate) struct Breaker {
    base: Duration,
    max: Duration,
    keys_max: usize,
    refusals_max: u32,
    /// Different keys that failed since the last conclusive answer, as many as it takes to decide.
    failing: Vec<u64>,
    refusals: u32,
    refused_keys: Vec<u64>,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    why: Why,
    round: u32,
    probe_at: Instant,
    probing: bool,
}

impl Breaker {
    pub(crate) fn new(config: &Config) -> Breaker {
        Breaker {
            base: config.retry_base,
            max: config.retry_max,
            keys_max: config.breaker_keys.get().max(2),
            refusals_max: config.breaker_refusals,
            failing: Vec::new(),
            refusals: 0,
            refused_keys: Vec::new(),
            open: None,
        }
    }

    /// Why it is open; `None` when it is closed.
    pub(crate) fn why(&self) -> Option<Why> {
        self.open.as_ref().map(|open| open.why)
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Whether all we know is that one single key fails: then it may as well be the event's fault.
    pub(crate) fn one_key_fails(&self) -> bool {
        self.failing.len() <= 1 && self.why() != Some(Why::Refused)
    }

    /// Whether so many keys fail that one more opinion would hardly change ours.
    pub(crate) fn many_keys_fail(&self) -> bool {
        self.failing.len() >= self.keys_max || self.why() == Some(Why::Refused)
    }

    /// The number of the current wait for a probe, from 1; `None` when it is closed.
    pub(crate) fn round(&self) -> Option<u32> {
        self.open.as_ref().map(|open| open.round)
    }

    /// A delivery of `key` failed in a way that may pass. Opens when enough keys have failed in a row.
    pub(crate) fn failed(&mut self, key: u64, after: Option<Duration>, now: Instant) {
        note(&mut self.failing, key, self.keys_max);
        if self.many_keys_fail() {
            self.open(Why::Failing, after, now);
        }
    }

    /// The credentials were refused for a delivery of `key`. True: keep the delivery, the breaker is open.
    pub(crate) fn refused(&mut self, key: u64, now: Instant) -> bool {
        if self.is_open() {
            return true;
        }
        self.refusals = self.refusals.saturating_add(1);
        note(&mut self.refused_keys, key, 2);
        if self.refusals_max > 0 && self.refusals >= self.refusals_max && self.refused_keys.len() >= 2 {
            self.open(Why::Refused, None, now);
        }
        self.is_open()
    }

    /// The destination gave a conclusive answer: it took a delivery, or said no to that one.
    pub(crate) fn answered(&mut self) {
        if self.open.is_none() {
            self.failing.clear();
            self.refusals = 0;
            self.refused_keys.clear();
        }
    }

    /// Opens it, if it is not open yet. `after`: how long the destination itself asked to be left alone.
    pub(crate) fn open(&mut self, why: Why, after: Option<Duration>, now: Instant) {
        if self.open.is_none() {
            let wait = backoff::wait(1, self.base, self.max).max(after.unwrap_or_default());
            self.open = Some(Open { why, round: 1, probe_at: now + wait, probing: false });
        }
    }

    /// When the next probe may start. `None` while one is in flight or the breaker is closed.
    ///
    /// `untried`: there is a delivery at hand that has not failed yet. If only one key has failed so far,
    /// its opinion is asked for at once.
    pub(crate) fn probe_at(&self, untried: bool, now: Instant) -> Option<Instant> {
        let open = self.open.as_ref().filter(|open| !open.probing)?;
        let second_opinion = untried && open.why == Why::Failing && self.failing.len() <= 1;
        Some(if second_opinion { now } else { open.probe_at })
    }

    pub(crate) fn probe_started(&mut self) {
        if let Some(open) = &mut self.open {
            open.probing = true;
        }
    }

    /// The probe got a conclusive answer.
    pub(crate) fn probe_answered(&mut self) {
        self.open = None;
        self.answered();
    }

    /// The probe failed: the next one waits longer.
    pub(crate) fn probe_failed(&mut self, after: Option<Duration>, now: Instant) {
        if let Some(open) = &mut self.open {
            open.probing = false;
            open.round = open.round.saturating_add(1);
            let wait = backoff::wait(open.round, self.base, self.max);
            open.probe_at = now + wait.max(after.unwrap_or_default());
        }
    }

    /// The probe ended without anything having been sent: another one may start now.
    pub(crate) fn probe_unsent(&mut self, now: Instant) {
        if let Some(open) = &mut self.open {
            open.probing = false;
            open.probe_at = now;
        }
    }
}

fn note(keys: &mut Vec<u64>, key: u64, enough: usize) {
    if keys.len() < enough && !keys.contains(&key) {
        keys.push(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn breaker() -> (Breaker, Instant) {
        (Breaker::new(&Config::default()), Instant::now())
    }

    #[test]
    fn it_opens_when_enough_different_keys_fail_in_a_row() {
        let (mut breaker, now) = breaker();
        for _ in 0..100 {
            breaker.failed(1, None, now);
        }
        assert!(!breaker.is_open(), "one key is not the destination");
        for key in 2..5 {
            breaker.failed(key, None, now);
        }
        breaker.answered();
        for key in 1..5 {
            breaker.failed(key, None, now);
        }
        assert!(!breaker.is_open(), "a success between them starts the run anew");
        breaker.failed(5, None, now);
        assert_eq!(breaker.why(), Some(Why::Failing));
    }

    #[test]
    fn probes_wait_longer_each_time_and_one_answer_closes_it() {
        let (mut breaker, now) = breaker();
        (1..=5).for_each(|key| breaker.failed(key, None, now));
        let mut at = breaker.probe_at(true, now).unwrap();
        assert!(at > now);
        let mut waits = Vec::new();
        for _ in 0..12 {
            breaker.probe_started();
            assert_eq!(breaker.probe_at(true, at), None, "one probe at a time");
            breaker.probe_failed(None, at);
            let next = breaker.probe_at(true, at).unwrap();
            waits.push(next - at);
            at = next;
        }
        assert!(waits[0] >= SECOND && waits[3] >= 8 * SECOND);
        assert!(waits.iter().all(|wait| *wait <= 300 * SECOND));
        breaker.probe_started();
        breaker.probe_answered();
        assert!(!breaker.is_open());
        breaker.failed(1, None, at);
        assert!(!breaker.is_open());
    }

    #[test]
    fn when_one_key_alone_has_failed_another_is_asked_at_once() {
        let (mut breaker, now) = breaker();
        breaker.failed(1, None, now);
        breaker.open(Why::Failing, None, now);
        assert!(breaker.probe_at(false, now).unwrap() > now);
        assert_eq!(breaker.probe_at(true, now), Some(now));
        breaker.failed(2, None, now);
        assert!(breaker.probe_at(true, now).unwrap() > now);
    }

    #[test]
    fn the_destinations_own_wish_delays_the_probe() {
        let (mut breaker, now) = breaker();
        breaker.open(Why::Failing, Some(60 * SECOND), now);
        assert!(breaker.probe_at(false, now).unwrap() >= now + 60 * SECOND);
        breaker.probe_started();
        breaker.probe_failed(Some(90 * SECOND), now);
        assert!(breaker.probe_at(false, now).unwrap() >= now + 90 * SECOND);
    }

    #[test]
    fn a_run_of_refusals_across_keys_opens_it() {
        let (mut breaker, now) = breaker();
        for _ in 0..50 {
            assert!(!breaker.refused(1, now), "one user's events may be forbidden");
        }
        breaker.answered();
        for n in 0..9 {
            assert!(!breaker.refused(n % 3, now));
        }
        assert!(breaker.refused(9, now));
        assert_eq!(breaker.why(), Some(Why::Refused));
        assert!(breaker.refused(10, now), "while it is open nothing more is buried");
    }

    #[test]
    fn zero_refusals_never_open_it() {
        let config = Config { breaker_refusals: 0, ..Config::default() };
        let mut breaker = Breaker::new(&config);
        assert!((0..1000).all(|key| !breaker.refused(key, Instant::now())));
    }
}
