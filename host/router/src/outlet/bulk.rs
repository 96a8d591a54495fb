//! A bulk request on its way.

use super::Shared;
use super::attempt;
use super::item::Live;
use super::suppressed::is_suppressed;
use crate::http::Answer;
use crate::trace::Try;
use crate::verdict::{Judgement, judge_bulk};
use pintle_runtime::destination::Request;
use std::time::Duration;
use tokio::time::Instant;

/// A bulk request and the deliveries that it carries, in its order.
#[derive(Debug)]
pub(super) struct Bulk {
    pub(super) request: Request,
    pub(super) members: Vec<Box<Live>>,
}

#[derive(Debug)]
pub(super) enum BulkEnd {
    /// It was not sent, because these of its members must not be sent any more.
    Suppressed(Vec<bool>),
    /// What became of it, and the answer if there was one.
    Judged(Judgement, Option<Answer>),
}

pub(super) async fn send(shared: &Shared, bulk: &Bulk) -> BulkEnd {
    pintle_store::fail_point::pass("router:before-attempt");
    let suppressed = |live: &Live| is_suppressed(&shared.suppressions, &live.delivery.payload);
    // Nothing can be taken out of the request, so it is made anew without them.
    let marks: Vec<bool> = bulk.members.iter().map(|live| suppressed(live)).collect();
    if marks.contains(&true) {
        return BulkEnd::Suppressed(marks);
    }
    let started = Instant::now();
    let (judged, answer) = match attempt::send(shared, &bulk.request).await {
        Ok(answer) => {
            shared.metrics.bulk(bulk.members.len());
            let after_max = shared.config.retry_after_max;
            let judged = judge_bulk(&shared.plugin, &bulk.request, &answer, bulk.members.len(), after_max).await;
            (judged, Some(answer))
        }
        Err(failure) => (Judgement::Whole(Err(failure)), None),
    };
    if shared.scribe.is_active() {
        note(shared, bulk, &judged, answer.as_ref(), started.elapsed());
    }
    BulkEnd::Judged(judged, answer)
}

/// Writes the request down for those of its members that somebody follows.
fn note(shared: &Shared, bulk: &Bulk, judged: &Judgement, answer: Option<&Answer>, took: Duration) {
    let members = bulk.members.len();
    for (place, live) in bulk.members.iter().enumerate() {
        let result = match judged {
            Judgement::Whole(result) => Some(result),
            Judgement::Each(results) => results.get(place),
        };
        let failure = result.and_then(|result| result.as_ref().err());
        let tried = Try { request: &bulk.request, answer, failure, attempt: live.tries + 1, members, took };
        shared.scribe.attempt(&live.subject(), &tried);
    }
}
