//! What an attempt's end means: for its delivery, and for what we think of the destination.
//!
//! ```text
//!  delivered · filtered ───────────────────────────────▶ settled, the next of its key goes on
//!  reject ─────────────────────────────────────────────▶ dead letter, the next of its key goes on
//!  429 ────────────────────────────────────────────────▶ the whole destination waits
//!  failed ─▶ tries left ──────────────────────────────▶ again after a wait, its key waits
//!         ─▶ none left, another key got through ──────▶ parked, and its key behind it
//!         ─▶ none left, nobody got through ───────────▶ the destination is down: the breaker opens
//! ```

use super::attempt::{Done, End, Exchange, Job};
use super::item::{self, Item, Live, Post, Trouble, millis};
use super::state::State;
use crate::backoff;
use crate::breaker::Why;
use crate::verdict::Failure;
use pintle_events::times::now_ms;
use pintle_store::settle::{Fate, Parked};
use std::time::Duration;
use tokio::time::Instant;
use tracing::debug;

/// A failure that may pass.
struct Setback<'a> {
    error: String,
    after: Option<Duration>,
    exchange: Option<&'a Exchange>,
    /// It was a 429.
    throttled: bool,
}

impl State {
    /// Takes in the end of an attempt.
    pub(super) fn conclude(&mut self, done: Done, now: Instant) {
        pintle_store::fail_point::pass("router:before-settle");
        self.landed();
        let Done { mut job, requests_done, end } = done;
        match &mut job.item {
            Item::Live(live) => live.requests_done = requests_done,
            Item::Parked(stored) => stored.parked.requests_done = requests_done,
        }
        self.shared.metrics.attempt(job.started.elapsed());
        match end {
            End::Delivered => {
                self.successes += 1;
                self.answered(&job);
                self.shared.metrics.delivered.increment(1);
                self.shared.board.delivered();
                self.finish(job.item, Fate::Delivered);
            }
            End::Filtered(reason) => {
                self.unsent(&job, now);
                self.shared.metrics.filtered.increment(1);
                self.finish(job.item, Fate::Filtered { reason });
            }
            End::Failed(failure, exchange) => self.failed(job, failure, exchange.as_deref(), now),
        }
        self.down.note(self.breaker.is_open());
    }

    /// The destination gave an answer that settles the delivery, one way or the other.
    fn answered(&mut self, job: &Job) {
        self.throttle.answered(job.started);
        if job.probe {
            self.breaker.probe_answered();
        } else {
            self.breaker.answered();
        }
    }

    fn unsent(&mut self, job: &Job, now: Instant) {
        if job.probe {
            self.breaker.probe_unsent(now);
        }
    }

    fn failed(&mut self, job: Job, failure: Failure, exchange: Option<&Exchange>, now: Instant) {
        let error = self.shared.mask.excerpt(failure.reason(), self.shared.config.excerpt_bytes_max.get());
        debug!(destination = %self.shared.destination_id, %error, "attempt failed");
        self.shared.board.error(&error);
        self.shared.tracker.note_error(&error);
        self.shared.metrics.failed(&failure);
        let after = failure.after();
        match failure {
            Failure::Reject { .. } => {
                if exchange.is_some_and(Exchange::answered) {
                    self.answered(&job);
                } else {
                    self.unsent(&job, now);
                }
                self.bury(job.item, error, exchange);
            }
            Failure::Refused { .. } => {
                self.throttle.answered(job.started);
                if self.breaker.refused(job.item.key(), now) {
                    self.probe_failed(&job, None, now);
                    self.hold(job.item, None, error, now);
                } else {
                    self.bury(job.item, error, exchange);
                }
            }
            Failure::Throttled { .. } => {
                self.throttle.throttled(job.started, after, now);
                if job.probe {
                    // It is alive. From here on the throttle decides how much it gets.
                    self.breaker.probe_answered();
                }
                self.come_again(job.item, Setback { error, after, exchange, throttled: true }, now);
            }
            Failure::Retry { .. } => {
                self.breaker.failed(job.item.key(), after, now);
                self.probe_failed(&job, after, now);
                self.come_again(job.item, Setback { error, after, exchange, throttled: false }, now);
            }
            Failure::Unsent { .. } => {
                self.unsent(&job, now);
                self.hold(job.item, None, error, now);
            }
        }
    }

    fn probe_failed(&mut self, job: &Job, after: Option<Duration>, now: Instant) {
        if job.probe {
            self.breaker.probe_failed(after, now);
        }
    }

    /// A failure that may pass.
    fn come_again(&mut self, mut item: Item, setback: Setback<'_>, now: Instant) {
        let down_ms = self.down.total_ms();
        let fresh = Trouble { since_ms: now_ms(), successes: self.successes, down_ms };
        let (tries, trouble) = match &mut item {
            Item::Live(live) => (live.tries + 1, *live.trouble.get_or_insert(fresh)),
            Item::Parked(stored) if stored.parked.first_failed_at_ms > 0 => {
                // It parked because others got through.
                let (since_ms, down_ms) = (stored.parked.first_failed_at_ms, stored.down_ms);
                (stored.parked.attempt + 1, Trouble { since_ms, successes: 0, down_ms })
            }
            Item::Parked(_) => (1, fresh),
        };
        let config = &self.shared.config;
        let age = now_ms().saturating_sub(trouble.since_ms) - (down_ms - trouble.down_ms);
        let aged = age >= millis(config.retry_time_window);
        if aged && tries >= config.attempts_min.get() && self.own_fault(trouble, setback.throttled) {
            let window = config.retry_time_window;
            let reason = format!("{}; it has failed for longer than {window:?} (retry-time-window)", setback.error);
            return self.bury(item, reason, setback.exchange);
        }
        self.shared.metrics.retried.increment(1);
        match item {
            Item::Parked(_) => self.hold(item, setback.after, setback.error, now),
            Item::Live(mut live) => {
                live.tries = tries;
                // A destination that is throttled or down has a time of its own at which it goes on.
                if setback.throttled || self.breaker.is_open() {
                    self.keys.again(live.delivery.key_hash, Item::Live(live));
                } else {
                    self.wait_or_park(live, trouble, setback, now);
                }
            }
        }
    }

    /// Whether a delivery's age may be held against it: not while it is the destination that is down.
    fn own_fault(&self, trouble: Trouble, throttled: bool) -> bool {
        if throttled {
            self.successes > trouble.successes || !self.keys.holds_others()
        } else {
            !self.breaker.is_open() || self.breaker.one_key_fails()
        }
    }

    fn wait_or_park(&mut self, live: Box<Live>, trouble: Trouble, setback: Setback<'_>, now: Instant) {
        let Setback { error, after, .. } = setback;
        let config = &self.shared.config;
        let key = live.delivery.key_hash;
        let wait = backoff::wait(live.tries, config.retry_base, config.retry_max).max(after.unwrap_or_default());
        let by_then = now_ms().saturating_sub(trouble.since_ms).saturating_add(millis(wait));
        let exhausted = live.tries >= config.memory_tries.get() || by_then > millis(config.memory_retry_time);
        if !exhausted {
            self.keys.wait(key, Item::Live(live), now + wait);
        } else if self.successes == trouble.successes {
            self.breaker.open(Why::Failing, after, now);
            self.keys.again(key, Item::Live(live));
        } else if self.can_park(live.delivery.payload.len()) {
            debug!(destination = %self.shared.destination_id, event = %live.delivery.position, %error, "event parked");
            self.park(&live, wait, error, now);
        } else {
            self.breaker.open(Why::ParkedFull, after, now);
            self.keys.wait(key, Item::Live(live), now + wait);
        }
    }

    /// Keeps a head as it is: in memory until the destination goes on, or parked until its next try.
    fn hold(&mut self, item: Item, after: Option<Duration>, error: String, now: Instant) {
        match item {
            Item::Parked(stored) => {
                let config = &self.shared.config;
                let tries = stored.parked.attempt.saturating_add(1);
                let wait = backoff::wait(tries, config.retry_base, config.retry_max).max(after.unwrap_or_default());
                self.reschedule(stored, wait, error, now);
            }
            Item::Live(mut live) => {
                live.tries = live.tries.saturating_add(1);
                let (successes, down_ms) = (self.successes, self.down.total_ms());
                live.trouble.get_or_insert(Trouble { since_ms: now_ms(), successes, down_ms });
                self.keys.again(live.delivery.key_hash, Item::Live(live));
            }
        }
    }

    fn bury(&mut self, item: Item, reason: String, exchange: Option<&Exchange>) {
        let post = Post {
            reason,
            request: exchange.map(|exchange| exchange.request_excerpt(&self.shared)),
            response: exchange.and_then(|exchange| exchange.answer_excerpt(&self.shared)),
        };
        let letter = match &item {
            Item::Live(live) => live.dead_letter(post),
            Item::Parked(stored) => item::dead_letter(&stored.parked, post),
        };
        self.shared.metrics.dead.increment(1);
        self.shared.board.dead();
        self.finish(item, Fate::Dead(letter));
    }

    /// Settles the head of a key; the next one becomes the head.
    fn finish(&mut self, item: Item, fate: Fate) {
        let key = item.key();
        match item {
            Item::Live(live) => {
                live.delivery.ticket.settle(live.delivery.output, fate);
                self.live -= 1;
            }
            Item::Parked(stored) => self.unpark(&stored.parked, fate),
        }
        self.keys.finish(key);
    }

    fn unpark(&mut self, parked: &Parked, fate: Fate) {
        self.shared.tracker.unpark(parked, fate);
        self.unstock(parked);
        self.stuck.remove(&parked.key_hash);
    }
}
