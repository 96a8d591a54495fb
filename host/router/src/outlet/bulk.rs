//! A bulk request on its way.

use super::Shared;
use super::attempt;
use super::item::Live;
use super::suppressed::is_suppressed;
use crate::http::Answer;
use crate::verdict::{Judgement, judge_bulk};
use pintle_runtime::destination::Request;

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
    let answer = match attempt::send(shared, &bulk.request).await {
        Ok(answer) => answer,
        Err(failure) => return BulkEnd::Judged(Judgement::Whole(Err(failure)), None),
    };
    shared.metrics.bulk(bulk.members.len());
    let after_max = shared.config.retry_after_max;
    let judged = judge_bulk(&shared.plugin, &bulk.request, &answer, bulk.members.len(), after_max).await;
    BulkEnd::Judged(judged, Some(answer))
}
