//! What an outlet holds: deliveries from the processor, and parked events.

use super::room::Room;
use crate::delivery::Delivery;
use crate::trace::Subject;
use pintle_runtime::destination::Request;
use pintle_store::settle::{DeadLetter, Parked};
use std::time::Duration;

/// One thing to be delivered.
#[derive(Debug)]
pub(super) enum Item {
    /// It is in memory only; its event is unsettled and the log has it.
    Live(Box<Live>),
    /// It is settled as parked; a row has it, or will with the next cursor move.
    Parked(Box<Stored>),
}

/// A parked event.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) parked: Parked,
    /// See [`Trouble::down_ms`]; from when it was parked or read.
    pub(super) down_ms: i64,
    /// See [`Live::excused`]; from when it was parked or read.
    pub(super) excused: u32,
}

/// A delivery that has not met its fate.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) delivery: Delivery,
    pub(super) tries: u32,
    /// Of those: the ones that say nothing about it. The destination was down, or a bulk request failed as a whole.
    pub(super) excused: u32,
    pub(super) requests_done: u32,
    pub(super) trouble: Option<Trouble>,
    /// Deliveries that may share a bulk request with it, itself included: half as many after each that failed as
    /// a whole. 1: it goes by itself.
    pub(super) company: usize,
    /// Given back when the delivery is dropped or parked.
    pub(super) _room: Room,
}

/// Since when a delivery fails.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trouble {
    pub(super) since_ms: i64,
    /// How many deliveries the destination had taken before the request that failed. One key has one request in
    /// flight, so any later success is another delivery's that got through.
    pub(super) successes: u64,
    /// For how long the destination had been down by then, in all.
    pub(super) down_ms: i64,
}

/// What becomes of a failed delivery, for people.
#[derive(Debug)]
pub(super) struct Post {
    pub(super) reason: String,
    pub(super) request: Option<String>,
    pub(super) response: Option<String>,
}

impl Item {
    pub(super) fn key(&self) -> u64 {
        match self {
            Item::Live(live) => live.delivery.key_hash,
            Item::Parked(stored) => stored.parked.key_hash,
        }
    }

    /// How many of its tries say nothing about it.
    pub(super) fn excused_mut(&mut self) -> &mut u32 {
        match self {
            Item::Live(live) => &mut live.excused,
            Item::Parked(stored) => &mut stored.excused,
        }
    }

    /// Which output of its event it is.
    pub(super) fn output(&self) -> u32 {
        match self {
            Item::Live(live) => live.delivery.output,
            Item::Parked(stored) => stored.parked.output,
        }
    }

    /// Whom it is about.
    pub(super) fn subject(&self) -> Subject<'_> {
        match self {
            Item::Live(live) => live.subject(),
            Item::Parked(stored) => parked_subject(&stored.parked),
        }
    }

    /// The request that is next, unless it is made anew for each try.
    pub(super) fn request(&self) -> Option<&Request> {
        match self {
            Item::Live(live) => live.delivery.requests.get(live.requests_done as usize),
            Item::Parked(_) => None,
        }
    }
}

impl Live {
    pub(super) fn new(delivery: Delivery, room: Room) -> Live {
        Live { delivery, tries: 0, excused: 0, requests_done: 0, trouble: None, company: usize::MAX, _room: room }
    }

    /// Whom it is about.
    pub(super) fn subject(&self) -> Subject<'_> {
        let Delivery { position, source_id, message_id, connection_id, .. } = &self.delivery;
        Subject { position: *position, source_id, message_id, connection_id }
    }

    /// What a bulk request may carry in its place: its only request.
    pub(super) fn combinable(&self) -> Option<&Request> {
        match &self.delivery.requests[..] {
            [request] if self.requests_done == 0 && self.company > 1 => Some(request),
            _ => None,
        }
    }

    /// A bulk request with it has failed as a whole: perhaps it is to blame.
    pub(super) fn is_suspect(&self) -> bool {
        self.company < usize::MAX
    }

    /// The row of this delivery as a parked event.
    pub(super) fn parked(&self, next_at_ms: i64, last_error: String) -> Parked {
        let Delivery { output, position, key_hash, source_id, connection_id, message_id, event_type, payload, .. } =
            &self.delivery;
        Parked {
            position: *position,
            output: *output,
            key_hash: *key_hash,
            source_id: source_id.to_string(),
            message_id: message_id.clone(),
            event_type: event_type.clone(),
            connection_id: connection_id.to_string(),
            attempt: self.tries,
            next_at_ms,
            last_error,
            requests_done: self.requests_done,
            payload: payload.clone(),
            first_failed_at_ms: self.trouble.map_or(0, |trouble| trouble.since_ms),
        }
    }

    /// Its dead letter after a last try that `tries` does not count yet.
    pub(super) fn dead_letter(&self, post: Post) -> DeadLetter {
        dead_letter(&self.parked(0, String::new()), post)
    }
}

/// The dead letter of a parked event after a last try that `attempt` does not count yet.
pub(super) fn dead_letter(parked: &Parked, post: Post) -> DeadLetter {
    let Post { reason, request, response } = post;
    DeadLetter { attempts: parked.attempt.saturating_add(1), request, response, ..parked.dead(reason) }
}

/// Whom a parked event is about.
pub(super) fn parked_subject(parked: &Parked) -> Subject<'_> {
    let Parked { position, source_id, message_id, connection_id, .. } = parked;
    Subject { position: *position, source_id, message_id, connection_id }
}

/// What a parked event costs in memory.
pub(super) fn parked_bytes(parked: &Parked) -> usize {
    512 + parked.payload.len() + parked.last_error.len()
}

pub(super) fn millis(wait: Duration) -> i64 {
    i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)
}
