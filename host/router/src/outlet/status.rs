//! What people are told about an outlet.

use super::item::millis;
use crate::breaker::Why;
use pintle_events::times::now_ms;
use serde::Serialize;
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use tokio::time::Instant;

/// How an outlet is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Why the breaker is open: `failing`, `refused` or `parked-full`; absent when it is closed.
    pub breaker: Option<&'static str>,
    /// Until when nothing is sent because the destination asked for less, milliseconds since 1970.
    pub throttled_until_ms: Option<i64>,
    /// Deliveries being sent.
    pub in_flight: usize,
    /// Deliveries in memory, those being sent included, without parked ones.
    pub waiting: usize,
    /// Parked events.
    pub parked: usize,
    /// Deliveries that the destination took since the start of the outlet.
    pub delivered_total: u64,
    /// Deliveries that became dead letters since the start of the outlet.
    pub dead_total: u64,
    /// The latest failure and when it was, milliseconds since 1970.
    pub last_error: Option<(String, i64)>,
}

/// Written by the outlet's task, read by anybody.
#[derive(Debug, Default)]
pub(super) struct Board {
    breaker: AtomicU8,
    throttled_until_ms: AtomicI64,
    in_flight: AtomicUsize,
    parked: AtomicUsize,
    delivered: AtomicU64,
    dead: AtomicU64,
    last_error: Mutex<Option<(String, i64)>>,
}

const WHYS: [Why; 3] = [Why::Failing, Why::Refused, Why::ParkedFull];

impl Board {
    pub(super) fn in_flight(&self, count: usize) {
        self.in_flight.store(count, Relaxed);
    }

    pub(super) fn parked(&self, count: usize) {
        self.parked.store(count, Relaxed);
    }

    pub(super) fn delivered(&self) {
        self.delivered.fetch_add(1, Relaxed);
    }

    pub(super) fn dead(&self) {
        self.dead.fetch_add(1, Relaxed);
    }

    /// Shows the breaker's state, and says whether it has opened (true) or closed since the last time.
    pub(super) fn breaker(&self, why: Option<Why>) -> Option<bool> {
        let code = why.and_then(|why| WHYS.iter().position(|known| *known == why)).map_or(0, |at| at as u8 + 1);
        let before = self.breaker.swap(code, Relaxed);
        ((before == 0) != (code == 0)).then_some(code != 0)
    }

    pub(super) fn throttled(&self, until: Option<Instant>, now: Instant) {
        let until = until.map_or(0, |until| now_ms().saturating_add(millis(until - now)));
        self.throttled_until_ms.store(until, Relaxed);
    }

    pub(super) fn error(&self, error: &str) {
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some((error.to_owned(), now_ms()));
    }

    pub(super) fn status(&self, waiting: usize) -> Status {
        let breaker = usize::from(self.breaker.load(Relaxed)).checked_sub(1).map(|at| WHYS[at].as_str());
        let until = self.throttled_until_ms.load(Relaxed);
        Status {
            breaker,
            throttled_until_ms: (until > now_ms()).then_some(until),
            in_flight: self.in_flight.load(Relaxed),
            waiting,
            parked: self.parked.load(Relaxed),
            delivered_total: self.delivered.load(Relaxed),
            dead_total: self.dead.load(Relaxed),
            last_error: self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}
