//! The outlet's one task: it owns the state and drives the attempts.
//!
//! Attempts are futures inside this task, not tasks of their own: an answer costs one wake-up that many
//! answers share. The work on the sockets is done by hyper's connection tasks, on all cores. The task
//! sleeps until an attempt ends, a delivery comes, or the next known deadline has passed.

use super::attempt;
use super::item::Live;
use super::room::{Door, Room};
use super::state::State;
use crate::delivery::Delivery;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use pintle_store::settle::Parked;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};
use tracing::{info, warn};

/// What comes in.
#[derive(Debug)]
pub(super) enum Arrival {
    /// From `send`.
    Delivery(Box<Delivery>, Room),
    /// An event that was parked outside this outlet.
    Parked(Box<Parked>),
}

pub(super) async fn run(
    mut state: State,
    mut inbox: mpsc::UnboundedReceiver<Arrival>,
    mut closing: watch::Receiver<Option<Instant>>,
    door: Arc<Door>,
) {
    let shared = state.shared.clone();
    let mut attempts = FuturesUnordered::new();
    let mut timer = std::pin::pin!(sleep_until(Instant::now()));
    let mut invited = Invitation::default();
    loop {
        let now = Instant::now();
        while let Ok(arrival) = inbox.try_recv() {
            invited.came(&state);
            take(&mut state, arrival, now);
        }
        state.keys.wake(now);
        while let Some(job) = state.next(now) {
            attempts.push(attempt::run(shared.clone(), job));
        }
        publish(&state, now);
        let close_at = *closing.borrow();
        if let Some(at) = close_at
            && finished(&state, at, now)
        {
            break;
        }
        if state.breaker.is_open() && close_at.is_none() {
            door.shut();
            if invited.another(&state) {
                door.admit_one();
            }
        } else {
            invited = Invitation::default();
            door.open();
        }
        let deadline = state.deadline(now).into_iter().chain(close_at).min();
        if let Some(deadline) = deadline
            && timer.deadline() != deadline
        {
            timer.as_mut().reset(deadline);
        }
        tokio::select! {
            biased;
            Some(done) = attempts.next(), if !attempts.is_empty() => state.conclude(done, Instant::now()),
            arrival = inbox.recv() => match arrival {
                Some(arrival) => {
                    invited.came(&state);
                    take(&mut state, arrival, now);
                }
                // Every handle is gone: nobody waits for what is left, and the log still has it.
                None => break,
            },
            () = timer.as_mut(), if deadline.is_some() => {}
            Ok(()) = closing.changed() => {}
        }
    }
    door.open();
    if state.live > 0 {
        info!(destination = %shared.destination_id, unsettled = state.live, "outlet closed, the log has what is left");
    }
}

/// Whom the open breaker lets in: while the next probe would be a delivery that has failed already, one
/// more per probe. While only few keys fail it may well be the events' fault, and deliveries are let in
/// until one of another key is among them; otherwise those few keys could keep everybody else out.
#[derive(Debug, Default)]
struct Invitation {
    round: Option<u32>,
}

impl Invitation {
    fn another(&mut self, state: &State) -> bool {
        let round = state.breaker.round();
        let wanted = state.wants_untried() && self.round != round;
        if wanted {
            self.round = round;
        }
        wanted
    }

    fn came(&mut self, state: &State) {
        if !state.breaker.many_keys_fail() {
            self.round = None;
        }
    }
}

fn take(state: &mut State, arrival: Arrival, now: Instant) {
    match arrival {
        Arrival::Delivery(delivery, room) => state.admit(Live::new(*delivery, room)),
        Arrival::Parked(parked) => state.restore(*parked, now),
    }
}

/// Whether a closing outlet may stop: everything is settled, or nothing more can happen in time.
fn finished(state: &State, close_at: Instant, now: Instant) -> bool {
    if now >= close_at || state.in_flight() == 0 && state.live == 0 {
        return true;
    }
    state.in_flight() == 0 && state.deadline(now).is_none_or(|next| next >= close_at)
}

fn publish(state: &State, now: Instant) {
    let shared = &state.shared;
    match state.publish(now) {
        None => {}
        Some(false) => info!(destination = %shared.destination_id, "breaker closed"),
        Some(true) => {
            shared.metrics.breaker_opened.increment(1);
            let status = shared.board.status(0);
            let error = status.last_error.as_ref().map(|(error, _)| error.as_str());
            warn!(destination = %shared.destination_id, why = status.breaker, error, "breaker opened");
        }
    }
}
