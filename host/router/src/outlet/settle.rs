//! What an attempt's end means: for its delivery, and for what we think of the destination.
//!
//! ```text
//!  delivered · filtered ───────────────────────────────▶ settled, the next of its key goes on
//!  reject ─────────────────────────────────────────────▶ dead letter, the next of its key goes on
//!  429 ────────────────────────────────────────────────▶ the whole destination waits
//!  too many tries ─────────────────────────────────────▶ dead letter, unless it is the destination that is down
//!  failed ─▶ tries left ──────────────────────────────▶ again after a wait, its key waits
//!         ─▶ none left, another key got through ──────▶ parked, and its key behind it
//!         ─▶ none left, nobody got through ───────────▶ the destination is down: the breaker opens
//! ```

use super::attempt::{Done, End, Exchange, Landing, Trial};
use super::item::{self, Item, Live, Post, Trouble, millis};
use super::state::State;
use crate::backoff::{self, Spread};
use crate::breaker::Why;
use crate::verdict::Failure;
use pintle_events::times::now_ms;
use pintle_store::settle::{Fate, Parked};
use std::time::Duration;
use tokio::time::Instant;
use tracing::debug;

/// A failure, and what its consequences depend on beside the delivery.
#[derive(Clone, Copy)]
pub(super) struct Setback<'a> {
    pub(super) failure: &'a Failure,
    pub(super) error: &'a str,
    pub(super) exchange: Option<&'a Exchange>,
    /// What the destination had taken before this attempt.
    pub(super) successes: u64,
    pub(super) spread: Spread,
    /// It failed together with others, in a request that was refused or failed as a whole.
    pub(super) in_company: bool,
}

impl State {
    /// Takes in the end of an attempt.
    pub(super) fn conclude(&mut self, done: Done, now: Instant) {
        self.landed();
        let Done { trial, landing } = done;
        match landing {
            Landing::Planned(planned) => return self.planned(planned),
            Landing::Bulk(bulk, end) => {
                pintle_store::fail_point::pass("router:before-settle");
                self.shared.metrics.attempt(trial.started.elapsed());
                self.conclude_bulk(trial, *bulk, *end, now);
            }
            Landing::One { mut item, requests_done, end } => {
                pintle_store::fail_point::pass("router:before-settle");
                match &mut item {
                    Item::Live(live) => live.requests_done = requests_done,
                    Item::Parked(stored) => stored.parked.requests_done = requests_done,
                }
                self.shared.metrics.attempt(trial.started.elapsed());
                self.conclude_one(trial, item, end, now);
            }
        }
        self.down.note(self.breaker.is_open());
    }

    fn conclude_one(&mut self, trial: Trial, item: Item, end: End, now: Instant) {
        match end {
            End::Delivered => {
                self.answered(trial);
                let key = item.key();
                self.delivered(item);
                self.keys.finish(key);
            }
            End::Filtered(reason) => {
                self.unsent(trial, now);
                let key = item.key();
                self.filtered(item, reason);
                self.keys.finish(key);
            }
            End::Failed(failure, exchange) => {
                let (exchange, successes) = (exchange.as_deref(), self.successes);
                let error = self.note(&failure);
                let held = self.weigh(&failure, exchange.is_some_and(Exchange::answered), item.key(), trial, now);
                let spread = Spread::draw();
                let error = error.as_str();
                let setback = Setback { failure: &failure, error, exchange, successes, spread, in_company: false };
                self.suffer(item, setback, held, now);
            }
        }
    }

    /// The destination gave an answer that settles the delivery, one way or the other.
    pub(super) fn answered(&mut self, trial: Trial) {
        self.throttle.answered(trial.started);
        if trial.probe {
            self.breaker.probe_answered();
        } else {
            self.breaker.answered();
        }
    }

    pub(super) fn unsent(&mut self, trial: Trial, now: Instant) {
        if trial.probe {
            self.breaker.probe_unsent(now);
        }
    }

    /// Shows a failure to people; gives its reason without secrets.
    pub(super) fn note(&self, failure: &Failure) -> String {
        let error = self.excerpt(failure);
        debug!(destination = %self.shared.destination_id, %error, "attempt failed");
        self.shared.board.error(&error);
        self.shared.tracker.note_error(&error);
        self.shared.metrics.failed(failure);
        error
    }

    /// The reason of a failure without secrets.
    pub(super) fn excerpt(&self, failure: &Failure) -> String {
        self.shared.mask.excerpt(failure.reason(), self.shared.config.excerpt_bytes_max.get())
    }

    /// What the failure of a request for `key` says about the destination. True: it refuses us and not the event,
    /// which is kept.
    pub(super) fn weigh(&mut self, failure: &Failure, answered: bool, key: u64, trial: Trial, now: Instant) -> bool {
        let after = failure.after();
        match failure {
            Failure::Reject { .. } if answered => self.answered(trial),
            Failure::Reject { .. } | Failure::Unsent { .. } => self.unsent(trial, now),
            Failure::Refused { .. } => {
                self.throttle.answered(trial.started);
                if self.breaker.refused(key, now) {
                    self.probe_failed(trial, None, now);
                    return true;
                }
            }
            Failure::Throttled { .. } => {
                self.throttle.throttled(trial.started, after, now);
                if trial.probe {
                    // It is alive. From here on the throttle decides how much it gets.
                    self.breaker.probe_answered();
                }
            }
            Failure::Retry { .. } => {
                self.breaker.failed(key, after, now);
                self.probe_failed(trial, after, now);
            }
        }
        false
    }

    fn probe_failed(&mut self, trial: Trial, after: Option<Duration>, now: Instant) {
        if trial.probe {
            self.breaker.probe_failed(after, now);
        }
    }

    /// What a failure means for the head of a key.
    pub(super) fn suffer(&mut self, item: Item, setback: Setback<'_>, held: bool, now: Instant) {
        match setback.failure {
            Failure::Refused { .. } if held => self.hold_excused(item, setback.error, now),
            Failure::Reject { .. } | Failure::Refused { .. } => {
                let key = item.key();
                self.bury(item, setback.error.to_owned(), setback.exchange);
                self.keys.finish(key);
            }
            Failure::Throttled { .. } | Failure::Retry { .. } => self.come_again(item, setback, now),
            Failure::Unsent { .. } => self.hold_excused(item, setback.error, now),
        }
    }

    /// A failure that may pass.
    fn come_again(&mut self, mut item: Item, setback: Setback<'_>, now: Instant) {
        let down_ms = self.down.total_ms();
        let throttled = matches!(setback.failure, Failure::Throttled { .. });
        let fresh = Trouble { since_ms: now_ms(), successes: setback.successes, down_ms };
        let (tries, trouble) = match &mut item {
            Item::Live(live) => (live.tries + 1, *live.trouble.get_or_insert(fresh)),
            Item::Parked(stored) if stored.parked.first_failed_at_ms > 0 => {
                // It parked because others got through.
                let (since_ms, down_ms) = (stored.parked.first_failed_at_ms, stored.down_ms);
                (stored.parked.attempt + 1, Trouble { since_ms, successes: 0, down_ms })
            }
            Item::Parked(_) => (1, fresh),
        };
        let is_excused = setback.in_company && !throttled || self.is_down(throttled);
        let excused = item.excused_mut();
        *excused += u32::from(is_excused);
        let counted = tries.saturating_sub(*excused);
        let config = &self.shared.config;
        if !is_excused && counted >= config.attempts_max.get() {
            let reason = format!("{}; it was tried {tries} times (attempts-max)", setback.error);
            let key = item.key();
            self.bury(item, reason, setback.exchange);
            return self.keys.finish(key);
        }
        let age = now_ms().saturating_sub(trouble.since_ms) - (down_ms - trouble.down_ms);
        let aged = age >= millis(config.retry_time_window);
        if aged && tries >= config.attempts_min.get() && self.own_fault(trouble, throttled) {
            let window = config.retry_time_window;
            let reason = format!("{}; it has failed for longer than {window:?} (retry-time-window)", setback.error);
            let key = item.key();
            self.bury(item, reason, setback.exchange);
            return self.keys.finish(key);
        }
        self.shared.metrics.retried.increment(1);
        match item {
            Item::Parked(_) => self.hold(item, setback.failure.after(), setback.error, now),
            Item::Live(mut live) => {
                live.tries = tries;
                // A destination that is throttled or down has a time of its own at which it goes on.
                if throttled || self.breaker.is_open() {
                    self.shared.scribe.waits(&live.subject(), live.delivery.output, live.tries, None);
                    self.keys.again(live.delivery.key_hash, Item::Live(live));
                } else {
                    self.wait_or_park(live, trouble, setback, now);
                }
            }
        }
    }

    /// Whether it is the destination that fails, and not this delivery. One that asks for less is up.
    fn is_down(&self, throttled: bool) -> bool {
        !throttled && self.breaker.is_open() && !self.breaker.one_key_fails()
    }

    /// Whether a delivery's age may be held against it: not while it is the destination that is down.
    fn own_fault(&self, trouble: Trouble, throttled: bool) -> bool {
        if throttled {
            self.successes > trouble.successes || !self.keys.holds_others()
        } else {
            !self.is_down(throttled)
        }
    }

    fn wait_or_park(&mut self, live: Box<Live>, trouble: Trouble, setback: Setback<'_>, now: Instant) {
        let Setback { error, failure, spread, .. } = setback;
        let after = failure.after();
        let config = &self.shared.config;
        let key = live.delivery.key_hash;
        let wait = spread.wait(live.tries, config.retry_base, config.retry_max).max(after.unwrap_or_default());
        let by_then = now_ms().saturating_sub(trouble.since_ms).saturating_add(millis(wait));
        let exhausted = live.tries >= config.memory_tries.get() || by_then > millis(config.memory_retry_time);
        let waits = (!exhausted).then_some(wait);
        if !exhausted || self.successes == trouble.successes {
            self.shared.scribe.waits(&live.subject(), live.delivery.output, live.tries, waits);
        }
        if !exhausted {
            self.keys.wait(key, Item::Live(live), now + wait);
        } else if self.successes == trouble.successes {
            self.breaker.open(Why::Failing, after, now);
            self.keys.again(key, Item::Live(live));
        } else if self.can_park(live.delivery.payload.len()) {
            debug!(destination = %self.shared.destination_id, event = %live.delivery.position, %error, "event parked");
            self.park(&live, wait, error.to_owned(), now);
        } else {
            self.breaker.open(Why::ParkedFull, after, now);
            self.keys.wait(key, Item::Live(live), now + wait);
        }
    }

    /// Keeps a head whose try says nothing about it.
    fn hold_excused(&mut self, mut item: Item, error: &str, now: Instant) {
        *item.excused_mut() += 1;
        self.hold(item, None, error, now);
    }

    /// Keeps a head as it is: in memory until the destination goes on, or parked until its next try.
    fn hold(&mut self, item: Item, after: Option<Duration>, error: &str, now: Instant) {
        match item {
            Item::Parked(stored) => {
                let config = &self.shared.config;
                let tries = stored.parked.attempt.saturating_add(1);
                let wait = backoff::wait(tries, config.retry_base, config.retry_max).max(after.unwrap_or_default());
                self.reschedule(stored, wait, error.to_owned(), now);
            }
            Item::Live(mut live) => {
                live.tries = live.tries.saturating_add(1);
                let (successes, down_ms) = (self.successes, self.down.total_ms());
                live.trouble.get_or_insert(Trouble { since_ms: now_ms(), successes, down_ms });
                self.keys.again(live.delivery.key_hash, Item::Live(live));
            }
        }
    }

    /// One of three fates. None touches the queue: the key of a head is to be finished after it.
    pub(super) fn delivered(&mut self, item: Item) {
        self.successes += 1;
        self.shared.metrics.delivered.increment(1);
        self.shared.board.delivered();
        self.settle(item, Fate::Delivered);
    }

    pub(super) fn filtered(&mut self, item: Item, reason: String) {
        self.shared.metrics.filtered.increment(1);
        self.settle(item, Fate::Filtered { reason });
    }

    pub(super) fn bury(&mut self, item: Item, reason: String, exchange: Option<&Exchange>) {
        let post = Post {
            reason,
            request: exchange.and_then(|exchange| exchange.request_excerpt(&item, &self.shared)),
            response: exchange.and_then(|exchange| exchange.answer_excerpt(&self.shared)),
        };
        let letter = match &item {
            Item::Live(live) => live.dead_letter(post),
            Item::Parked(stored) => item::dead_letter(&stored.parked, post),
        };
        self.shared.metrics.dead.increment(1);
        self.shared.board.dead();
        self.settle(item, Fate::Dead(letter));
    }

    fn settle(&mut self, item: Item, fate: Fate) {
        self.shared.scribe.settled(&item.subject(), item.output(), &fate);
        match item {
            Item::Live(live) => {
                live.delivery.ticket.settle(live.delivery.output, fate);
                self.live -= 1;
            }
            Item::Parked(stored) => self.unpark(&stored.parked, fate),
        }
    }

    fn unpark(&mut self, parked: &Parked, fate: Fate) {
        self.shared.tracker.unpark(parked, fate);
        self.unstock(parked);
        self.stuck.remove(&parked.key_hash);
    }
}
