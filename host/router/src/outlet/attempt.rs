//! One try: of one delivery, or of several that share a request.

use super::Shared;
use super::bulk::{self, Bulk, BulkEnd};
use super::combine::{self, Planned};
use super::item::{Item, Live, parked_subject};
use super::suppressed::is_suppressed;
use crate::excerpt;
use crate::http::{Answer, Unanswered};
use crate::trace::{Mapped, Subject, Try};
use crate::verdict::{Failure, judge};
use pintle_events::Position;
use pintle_events::times::now_ms;
use pintle_runtime::destination::{Context, Delivery, Outcome, Request};
use pintle_store::settle::Parked;
use pintle_store::suppressions;
use std::sync::Arc;
use tokio::time::Instant;

/// What is to be tried.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) trial: Trial,
    pub(super) work: Work,
}

/// When and why.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trial {
    pub(super) started: Instant,
    /// The breaker is open, and this is to find out whether it may close.
    pub(super) probe: bool,
}

#[derive(Debug)]
pub(super) enum Work {
    /// One delivery by itself.
    One(Item),
    /// These share bulk requests as far as the plugin can combine them. Nothing is sent yet.
    Plan(Vec<Box<Live>>),
    /// A bulk request.
    Bulk(Box<Bulk>),
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) trial: Trial,
    pub(super) landing: Landing,
}

#[derive(Debug)]
pub(super) enum Landing {
    One { item: Item, requests_done: u32, end: End },
    Planned(Planned),
    Bulk(Box<Bulk>, Box<BulkEnd>),
}

#[derive(Debug)]
pub(super) enum End {
    Delivered,
    Filtered(String),
    Failed(Failure, Option<Box<Exchange>>),
}

/// The request that failed, and the answer to it if there was one.
#[derive(Debug)]
pub(super) struct Exchange {
    /// Nothing for a member of a bulk request, whose own request says more about it.
    pub(super) request: Option<Request>,
    pub(super) answer: Option<Answer>,
}

impl Exchange {
    /// Whether the destination said anything.
    pub(super) fn answered(&self) -> bool {
        self.answer.is_some()
    }

    pub(super) fn request_excerpt(&self, item: &Item, shared: &Shared) -> Option<String> {
        let request = self.request.as_ref().or_else(|| item.request())?;
        Some(excerpt::request(request, &shared.mask, shared.config.excerpt_bytes_max.get()))
    }

    pub(super) fn answer_excerpt(&self, shared: &Shared) -> Option<String> {
        let bytes_max = shared.config.excerpt_bytes_max.get();
        self.answer.as_ref().map(|answer| excerpt::answer(answer, &shared.mask, bytes_max))
    }
}

pub(super) async fn run(shared: Arc<Shared>, job: Job) -> Done {
    let Job { trial, work } = job;
    let landing = match work {
        Work::One(item) => one(&shared, item).await,
        // In boxes: one of them stands for many deliveries, and would make the future of every other larger.
        Work::Plan(members) => Landing::Planned(Box::pin(combine::plan(&shared, members)).await),
        Work::Bulk(bulk) => {
            let end = Box::pin(bulk::send(&shared, &bulk)).await;
            Landing::Bulk(bulk, Box::new(end))
        }
    };
    Done { trial, landing }
}

async fn one(shared: &Shared, item: Item) -> Landing {
    pintle_store::fail_point::pass("router:before-attempt");
    let (payload, requests_done) = match &item {
        Item::Live(live) => (&live.delivery.payload, live.requests_done),
        Item::Parked(stored) => (&stored.parked.payload, stored.parked.requests_done),
    };
    if is_suppressed(&shared.suppressions, payload) {
        return Landing::One { item, requests_done, end: End::Filtered(suppressions::REASON.to_owned()) };
    }
    let (requests_done, end) = match &item {
        Item::Live(live) => {
            send_all(shared, live.subject(), live.tries + 1, &live.delivery.requests, live.requests_done).await
        }
        // In a box: it is rare, and would make the future of every delivery larger.
        Item::Parked(stored) => Box::pin(retry(shared, &stored.parked)).await,
    };
    Landing::One { item, requests_done, end }
}

/// A parked event passes the destination transform again, so that no request is ever stored.
async fn retry(shared: &Shared, parked: &Parked) -> (u32, End) {
    let attempt = parked.attempt.saturating_add(1);
    let subject = parked_subject(parked);
    match remake(shared, parked.position, &parked.payload, attempt, Some(&subject)).await {
        Ok(requests) => send_all(shared, subject, attempt, &requests, parked.requests_done).await,
        Err(end) => (parked.requests_done, end),
    }
}

/// What the destination transform makes of an event now: requests, or the end of it. It is written down for whom
/// somebody follows.
pub(super) async fn remake(
    shared: &Shared,
    position: Position,
    payload: &[u8],
    attempt: u32,
    subject: Option<&Subject<'_>>,
) -> Result<Vec<Request>, End> {
    let now_ms = u64::try_from(now_ms()).unwrap_or_default();
    let context = Context { now_ms, random_seed: seed(position), attempt };
    let batch = [b"[", payload, b"]"].concat();
    let rejected = |reason| End::Failed(Failure::Reject { reason }, None);
    let followed = subject.filter(|subject| shared.scribe.follows(subject)).map(|subject| (subject, batch.clone()));
    let answered = shared.plugin.transform(context, batch, 1).await;
    if let Some((subject, input)) = followed {
        let mapped = Mapped { context, input: &input, events: 1, place: 0, outcomes: answered.as_deref() };
        shared.scribe.mapped(subject, &shared.plugin, &mapped);
    }
    let outcome = match answered {
        Ok(mut outcomes) if outcomes.len() == 1 => outcomes.remove(0),
        Ok(outcomes) => {
            return Err(rejected(format!("the destination transform gave {} outcomes for one event", outcomes.len())));
        }
        Err(failure) => {
            let reason = format!("the destination transform failed: {failure}");
            let failure = if failure.guilty() { Failure::Reject { reason } } else { Failure::Unsent { reason } };
            return Err(End::Failed(failure, None));
        }
    };
    match outcome {
        Outcome::Filter(reason) => Err(End::Filtered(reason)),
        Outcome::Reject(reason) => Err(rejected(reason)),
        Outcome::Deliver(deliveries) => {
            let requests = deliveries.into_iter().map(|delivery| match delivery {
                Delivery::Request(request) => Ok(request),
                Delivery::Record(_) => {
                    Err(rejected("the destination described a record, which cannot be sent over HTTP".to_owned()))
                }
            });
            requests.collect()
        }
    }
}

/// Sends the requests one after another, from the first that is not done yet.
async fn send_all(
    shared: &Shared,
    subject: Subject<'_>,
    attempt: u32,
    requests: &[Request],
    mut done: u32,
) -> (u32, End) {
    for request in requests.iter().skip(done as usize) {
        // In a box: it is rare, and would make the future of every delivery larger.
        let wrapped = if shared.plugin.manifest().combines_alone() {
            Box::pin(combine::alone(shared, request)).await
        } else {
            None
        };
        let request = wrapped.as_ref().unwrap_or(request);
        let started = Instant::now();
        let (answer, failure) = match send(shared, request).await {
            Ok(answer) => {
                let judged = judge(&shared.plugin, request, &answer, shared.config.retry_after_max).await;
                (Some(answer), judged.err())
            }
            Err(failure) => (None, Some(failure)),
        };
        if shared.scribe.is_active() {
            let (answer, failure, took) = (answer.as_ref(), failure.as_ref(), started.elapsed());
            shared.scribe.attempt(&subject, &Try { request, answer, failure, attempt, members: 1, took });
        }
        if let Some(failure) = failure {
            let exchange = Box::new(Exchange { request: Some(request.clone()), answer });
            return (done, End::Failed(failure, Some(exchange)));
        }
        done += 1;
    }
    (done, End::Delivered)
}

/// Sends one request, when it may and its turn has come.
pub(super) async fn send(shared: &Shared, request: &Request) -> Result<Answer, Failure> {
    permission(shared).await;
    shared.pace.turn().await;
    shared.metrics.requests.increment(1);
    let answered = shared.http.send(request).await;
    if let Err(Unanswered::Forbidden(refusal)) = &answered {
        shared.metrics.forbidden(refusal);
    }
    Ok(answered?)
}

/// Waits until this process may send: it may have lost its lease without knowing yet.
async fn permission(shared: &Shared) {
    if *shared.attempts_allowed.borrow() {
        return;
    }
    if shared.attempts_allowed.clone().wait_for(|allowed| *allowed).await.is_err() {
        // Whoever would allow it is gone for good: this process sends nothing any more.
        std::future::pending::<()>().await;
    }
}

/// The same event gives the same seed, so that ids made in a transform are the same in every try.
fn seed(position: Position) -> u64 {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for part in [position.lane.cast_unsigned(), position.seq.cast_unsigned(), u64::from(position.idx)] {
        seed = (seed ^ part).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        seed ^= seed >> 31;
    }
    seed
}
