//! What the outlet knows, and what it decides to try next. No input or output happens here.

use super::Shared;
use super::attempt::{Job, Trial, Work};
use super::bulk::Bulk;
use super::item::{Item, Live, parked_bytes};
use super::queue::{Keys, Prefer};
use crate::breaker::Breaker;
use crate::throttle::{Allowance, Throttle};
use pintle_events::times::now_ms;
use pintle_store::settle::Parked;
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use tokio::time::Instant;

#[derive(Debug)]
pub(super) struct State {
    pub(super) shared: Arc<Shared>,
    pub(super) keys: Keys<Item>,
    /// Keys whose head is parked and has failed: what comes for them parks behind it.
    pub(super) stuck: HashSet<u64>,
    pub(super) breaker: Breaker,
    pub(super) throttle: Throttle,
    pub(super) down: DownTime,
    /// Deliveries that the destination has taken.
    pub(super) successes: u64,
    pub(super) parked: Stock,
    /// Deliveries that are neither settled nor parked, those in flight included.
    pub(super) live: usize,
    /// Bulk requests that are ready to be sent; their keys are in flight.
    pub(super) planned: VecDeque<Bulk>,
    /// Whether several deliveries of a key may share a bulk request.
    pub(super) followers: bool,
    in_flight: usize,
}

/// How much is parked.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stock {
    pub(super) events: usize,
    pub(super) bytes: usize,
}

/// For how long the breaker has been open, in all: time that no event grows older in.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct DownTime {
    past_ms: i64,
    since_ms: Option<i64>,
}

impl DownTime {
    pub(super) fn total_ms(&self) -> i64 {
        self.past_ms + self.since_ms.map_or(0, |since| now_ms().saturating_sub(since))
    }

    pub(super) fn note(&mut self, is_down: bool) {
        if is_down != self.since_ms.is_some() {
            self.past_ms = self.total_ms();
            self.since_ms = is_down.then(now_ms);
        }
    }
}

impl State {
    pub(super) fn new(shared: Arc<Shared>) -> State {
        State {
            keys: Keys::new(),
            stuck: HashSet::new(),
            breaker: Breaker::new(&shared.config),
            throttle: Throttle::new(&shared.config),
            down: DownTime::default(),
            successes: 0,
            parked: Stock::default(),
            live: 0,
            planned: VecDeque::new(),
            followers: shared.plugin.manifest().combines_in_order(),
            in_flight: 0,
            shared,
        }
    }

    /// Takes in a delivery, in the order of `send`.
    pub(super) fn admit(&mut self, live: Live) {
        let key = live.delivery.key_hash;
        self.live += 1;
        self.keys.push(key, Item::Live(Box::new(live)));
        if self.stuck.contains(&key) {
            self.park_last(key);
        }
    }

    /// The next attempt that may start now.
    pub(super) fn next(&mut self, now: Instant) -> Option<Job> {
        if self.in_flight >= self.shared.config.concurrency_max.get() {
            return None;
        }
        let allowance = self.throttle.allowance(now);
        match allowance {
            Allowance::All => {}
            Allowance::One if self.in_flight == 0 => {}
            Allowance::One | Allowance::Wait(_) => return None,
        }
        let probe = self.breaker.is_open();
        if probe {
            self.dissolve();
        }
        if probe && self.breaker.probe_at(self.keys.has_untried(), now).is_none_or(|at| at > now) {
            return None;
        }
        if !probe && self.turn_due(now).is_some() {
            return None;
        }
        let work = match self.planned.pop_front() {
            Some(bulk) => Work::Bulk(Box::new(bulk)),
            None => {
                let prefer = if probe || allowance == Allowance::One { Prefer::Untried } else { Prefer::Tried };
                let item = self.keys.take(prefer)?;
                match self.shared.bounds {
                    Some(bounds) if !probe => self.gather(bounds, item),
                    _ => Work::One(item),
                }
            }
        };
        if probe {
            self.breaker.probe_started();
        }
        self.in_flight += 1;
        Some(Job { trial: Trial { started: now, probe }, work })
    }

    /// When the plugin's rate allows a request, if that is not now and deliveries share requests: they gather
    /// until it does, instead of each taking a turn of its own.
    fn turn_due(&self, now: Instant) -> Option<Instant> {
        self.shared.bounds.and_then(|_| self.shared.pace.due(now))
    }

    /// An attempt has ended.
    pub(super) fn landed(&mut self) {
        self.in_flight -= 1;
    }

    /// When something may have to be done although nothing happens.
    pub(super) fn deadline(&self, now: Instant) -> Option<Instant> {
        let due = self.keys.next_due();
        let has_ready = self.keys.has_ready() || !self.planned.is_empty();
        let ready = if !has_ready || self.in_flight >= self.shared.config.concurrency_max.get() {
            None
        } else {
            match self.throttle.allowance(now) {
                Allowance::Wait(until) => Some(until),
                Allowance::One if self.in_flight > 0 => None,
                Allowance::All | Allowance::One if self.breaker.is_open() => {
                    self.breaker.probe_at(self.keys.has_untried(), now)
                }
                Allowance::All | Allowance::One => self.turn_due(now),
            }
        };
        due.into_iter().chain(ready).min()
    }

    /// The breaker is open, and there is no delivery at hand that could give a fresh opinion.
    pub(super) fn wants_untried(&self) -> bool {
        self.breaker.is_open() && !self.keys.has_untried()
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight
    }

    pub(super) fn stock(&mut self, parked: &Parked) {
        self.parked.events += 1;
        self.parked.bytes += parked_bytes(parked);
    }

    pub(super) fn unstock(&mut self, parked: &Parked) {
        self.parked.events = self.parked.events.saturating_sub(1);
        self.parked.bytes = self.parked.bytes.saturating_sub(parked_bytes(parked));
    }

    /// Shows the numbers to people, and says whether the breaker has opened (true) or closed since the last time.
    pub(super) fn publish(&self, now: Instant) -> Option<bool> {
        let board = &self.shared.board;
        board.in_flight(self.in_flight);
        board.parked(self.parked.events);
        board.throttled(self.throttle.until().filter(|until| *until > now), now);
        board.breaker(self.breaker.why())
    }
}
