//! What the end of a bulk request means for each of its members.
//!
//! ```text
//!  one word for all ─▶ delivered ──────────▶ all of them are
//!                   ─▶ refused ────────────▶ again at once, in halves, until the guilty one is alone
//!                   ─▶ failed, timed out ──▶ again after one wait, in halves: it may have been too much at once
//!                   ─▶ 429 ────────────────▶ the whole destination waits
//!  one for each ─────▶ each has an end of its own, as if it had been alone
//! ```
//! About the destination a request has one opinion, however many it carried: a failed one counts as one key's.
//! The members of a key end in order. What comes again takes those behind it along, and only the first of them
//! has failed: the others wait for their turn as they did before.

use super::attempt::{Exchange, Trial};
use super::bulk::{Bulk, BulkEnd};
use super::combine::Planned;
use super::gather::by_key;
use super::item::{Item, Live};
use super::settle::Setback;
use super::state::State;
use crate::backoff::Spread;
use crate::verdict::{Failure, Judgement};
use pintle_store::suppressions;
use tokio::time::Instant;
use tracing::info;

/// What becomes of one member.
#[derive(Clone)]
enum Way {
    Delivered,
    Suppressed,
    Failed(Failure),
    /// It was not tried by itself, and comes again.
    Back,
}

impl State {
    /// Takes in what the plugin made of deliveries that were gathered.
    pub(super) fn planned(&mut self, planned: Planned) {
        let Planned { bulks, back, out_of_order } = planned;
        if out_of_order {
            info!(
                destination = %self.shared.destination_id,
                "the plugin parts events of one key when it combines: from now on a bulk request has one of each"
            );
            self.followers = false;
        }
        self.planned.extend(bulks);
        self.give_back(back);
    }

    /// Takes in the end of a bulk request.
    pub(super) fn conclude_bulk(&mut self, trial: Trial, bulk: Bulk, end: BulkEnd, now: Instant) {
        let Bulk { mut members, .. } = bulk;
        let successes = self.successes;
        let in_company = members.len() > 1 && matches!(end, BulkEnd::Judged(Judgement::Whole(_), _));
        let (ways, answer, held): (Vec<Way>, _, _) = match end {
            BulkEnd::Suppressed(marks) => {
                let way = |marked| if marked { Way::Suppressed } else { Way::Back };
                (marks.into_iter().map(way).collect(), None, false)
            }
            BulkEnd::Judged(Judgement::Whole(result), answer) => {
                let (ways, held) = self.whole(trial, &mut members, result, answer.is_some(), now);
                (ways, answer, held)
            }
            BulkEnd::Judged(Judgement::Each(results), answer) => {
                let held = self.weigh_each(trial, &members, &results, now);
                let way = |result: Result<(), Failure>| result.map_or_else(Way::Failed, |()| Way::Delivered);
                (results.into_iter().map(way).collect(), answer, held)
            }
        };
        let exchange = Exchange { request: None, answer };
        let mut others = Vec::new();
        // First what has come to its end: that others got through counts for those that have not.
        for (key, own) in by_key(members.into_iter().zip(ways), |(live, _)| live.delivery.key_hash) {
            let rest: Vec<_> = own.into_iter().filter_map(|one| self.end(one, held, &exchange)).collect();
            if rest.is_empty() {
                self.keys.finish(key);
            } else {
                others.push((key, rest));
            }
        }
        let spread = Spread::draw();
        let mut back = Vec::new();
        for (key, rest) in others {
            let mut rest = rest.into_iter();
            let Some((head, way)) = rest.next() else { continue };
            self.keys.return_followers(key, rest.map(|(live, _)| Item::Live(live)).collect());
            match way {
                Way::Failed(failure) => {
                    let error = self.excerpt(&failure);
                    let exchange = Some(&exchange);
                    let setback = Setback { failure: &failure, error: &error, exchange, successes, spread, in_company };
                    self.suffer(Item::Live(head), setback, held, now);
                }
                _ => back.push(head),
            }
        }
        back.into_iter().rev().for_each(|head| self.return_head(head));
    }

    /// One word for all: what it says about the destination, and about each member.
    fn whole(
        &mut self,
        trial: Trial,
        members: &mut [Box<Live>],
        result: Result<(), Failure>,
        answered: bool,
        now: Instant,
    ) -> (Vec<Way>, bool) {
        let count = members.len();
        let Err(failure) = result else {
            self.answered(trial);
            return (vec![Way::Delivered; count], false);
        };
        self.note(&failure);
        let held = members.first().is_some_and(|first| {
            let key = first.delivery.key_hash;
            self.weigh(&failure, answered, key, trial, now)
        });
        let is_refused = match failure {
            Failure::Reject { .. } => true,
            Failure::Refused { .. } => !held,
            _ => false,
        };
        let comes_in_halves = count > 1 && (is_refused || matches!(failure, Failure::Retry { .. }));
        if comes_in_halves {
            members.iter_mut().for_each(|live| live.company = count.div_ceil(2));
            self.shared.metrics.halved.increment(1);
        }
        let way = if is_refused && comes_in_halves { Way::Back } else { Way::Failed(failure) };
        (vec![way; count], held)
    }

    /// What an answer with a word for each says about the destination.
    fn weigh_each(
        &mut self,
        trial: Trial,
        members: &[Box<Live>],
        results: &[Result<(), Failure>],
        now: Instant,
    ) -> bool {
        let is_final = |result: &Result<(), Failure>| matches!(result, Ok(()) | Err(Failure::Reject { .. }));
        let conclusive = results.iter().any(is_final);
        if conclusive {
            self.answered(trial);
        }
        for failure in results.iter().filter_map(|result| result.as_ref().err()) {
            self.note(failure);
        }
        let open = members.iter().zip(results).find(|(_, result)| !is_final(result));
        match open {
            // It is alive, and what it wants again is those events' affair, unless it wants less of everything.
            Some((live, Err(failure))) if !conclusive || matches!(failure, Failure::Throttled { .. }) => {
                self.weigh(failure, true, live.delivery.key_hash, trial, now)
            }
            _ => false,
        }
    }

    /// Settles a member that has come to its end; gives back one that has not.
    fn end(&mut self, (live, way): (Box<Live>, Way), held: bool, exchange: &Exchange) -> Option<(Box<Live>, Way)> {
        match way {
            Way::Delivered => self.delivered(Item::Live(live)),
            Way::Suppressed => self.filtered(Item::Live(live), suppressions::REASON.to_owned()),
            Way::Failed(failure)
                if matches!(failure, Failure::Reject { .. }) || !held && matches!(failure, Failure::Refused { .. }) =>
            {
                let error = self.excerpt(&failure);
                self.bury(Item::Live(live), error, Some(exchange));
            }
            way => return Some((live, way)),
        }
        None
    }
}
