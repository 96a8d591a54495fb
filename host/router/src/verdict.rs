//! What an answer, or the lack of one, means for a delivery.

use crate::backoff;
use crate::http::{Answer, Unanswered};
use pintle_runtime::CallFailure;
use pintle_runtime::destination::{Conclude, Destination, Request, Verdict};
use std::time::Duration;
use time::OffsetDateTime;

/// A delivery that did not arrive: an expected outcome, and so no error of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The destination refused it; trying again cannot help.
    Reject { reason: String },
    /// The destination refuses us: 401 or 403. Perhaps this event only, perhaps our credentials.
    Refused { reason: String },
    /// The destination asks for less: 429. Everything for it waits.
    Throttled { reason: String, after: Option<Duration> },
    /// Busy or unreachable; honours `Retry-After` when it was sent.
    Retry { reason: String, after: Option<Duration> },
    /// Nothing was sent, because we were not able to: it says nothing about the destination.
    Unsent { reason: String },
}

impl Failure {
    pub(crate) fn reason(&self) -> &str {
        match self {
            Failure::Reject { reason }
            | Failure::Refused { reason }
            | Failure::Throttled { reason, .. }
            | Failure::Retry { reason, .. }
            | Failure::Unsent { reason } => reason,
        }
    }

    /// What kind it is, for people.
    pub(crate) fn verdict(&self) -> &'static str {
        match self {
            Failure::Reject { .. } => "rejected",
            Failure::Refused { .. } => "refused",
            Failure::Throttled { .. } => "throttled",
            Failure::Retry { .. } => "retry",
            Failure::Unsent { .. } => "unsent",
        }
    }

    /// How long the destination asked to be left alone.
    pub(crate) fn after(&self) -> Option<Duration> {
        match self {
            Failure::Throttled { after, .. } | Failure::Retry { after, .. } => *after,
            _ => None,
        }
    }
}

impl From<Unanswered> for Failure {
    fn from(why: Unanswered) -> Failure {
        match why {
            // An event can name its own host (webhook's `fullPath`), so a forbidden one says nothing about the
            // destination, and it will be as forbidden the next time.
            why @ (Unanswered::Malformed(_) | Unanswered::Forbidden(_)) => Failure::Reject { reason: why.to_string() },
            why => Failure::Retry { reason: why.to_string(), after: None },
        }
    }
}

/// Judges an answer, by the plugin's own rules when it says that it has some.
pub(crate) async fn judge(
    plugin: &Destination,
    request: &Request,
    answer: &Answer,
    after_max: Duration,
) -> Result<(), Failure> {
    match judge_bulk(plugin, request, answer, 1, after_max).await {
        Judgement::Whole(result) => result,
        Judgement::Each(results) => results.into_iter().collect(),
    }
}

/// What an answer means for a request that carries several deliveries.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// The same for all of them: it is about the request.
    Whole(Result<(), Failure>),
    /// One word for each, in their order.
    Each(Vec<Result<(), Failure>>),
}

/// Judges the answer to a request that carries so many deliveries.
pub(crate) async fn judge_bulk(
    plugin: &Destination,
    request: &Request,
    answer: &Answer,
    members: usize,
    after_max: Duration,
) -> Judgement {
    if plugin.manifest().conclude == Conclude::Standard {
        return Judgement::Whole(standard(answer, after_max));
    }
    match plugin.conclude(request, &answer.to_response(), members).await {
        Ok(verdicts) => {
            let mut results = verdicts.into_iter().map(|verdict| custom(verdict, answer, after_max));
            match (results.len(), results.next()) {
                (1, Some(result)) => Judgement::Whole(result),
                (_, first) => Judgement::Each(first.into_iter().chain(results).collect()),
            }
        }
        Err(failure) => unjudged(&failure, answer, members, after_max),
    }
}

/// The plugin could not judge. What was answered with a success and may have arrived is not sent again: each
/// delivery becomes a dead letter, and the request is not tried in halves.
fn unjudged(failure: &CallFailure, answer: &Answer, members: usize, after_max: Duration) -> Judgement {
    match concluding(failure, answer, after_max) {
        Err(failure @ Failure::Reject { .. }) if (200..300).contains(&answer.status) => {
            Judgement::Each(vec![Err(failure); members])
        }
        result => Judgement::Whole(result),
    }
}

/// The rules by status alone: 2xx arrived; 408, 429 and 5xx come again; all else is refused.
fn standard(answer: &Answer, after_max: Duration) -> Result<(), Failure> {
    let status = answer.status;
    let reason = format!("the destination answered {status}");
    match status {
        200..=299 => Ok(()),
        429 => Err(Failure::Throttled { reason, after: retry_after(answer, after_max) }),
        408 | 500..=599 => Err(Failure::Retry { reason, after: retry_after(answer, after_max) }),
        401 | 403 => Err(Failure::Refused { reason }),
        300..=399 => Err(Failure::Reject { reason: format!("{reason}, a redirect, and redirects are not followed") }),
        _ => Err(Failure::Reject { reason }),
    }
}

fn custom(verdict: Verdict, answer: &Answer, after_max: Duration) -> Result<(), Failure> {
    let status = answer.status;
    match verdict {
        Verdict::Delivered => Ok(()),
        Verdict::Reject(reason) if matches!(status, 401 | 403) => Err(Failure::Refused { reason }),
        Verdict::Reject(reason) => Err(Failure::Reject { reason }),
        Verdict::Retry(after) => {
            let after = after.map(|after| after.min(after_max)).or_else(|| retry_after(answer, after_max));
            let reason = format!("the destination answered {status}");
            Err(if status == 429 { Failure::Throttled { reason, after } } else { Failure::Retry { reason, after } })
        }
        Verdict::RenewAuth => {
            let reason = format!("the destination answered {status}: its credentials have to be renewed");
            Err(Failure::Retry { reason, after: None })
        }
    }
}

/// The plugin could not judge. Its judgement is its own affair, and the answer stays what it is.
fn concluding(failure: &CallFailure, answer: &Answer, after_max: Duration) -> Result<(), Failure> {
    match failure {
        CallFailure::Busy => Err(Failure::Retry {
            reason: format!("the destination answered {} and the plugin could not judge it: {failure}", answer.status),
            after: None,
        }),
        failure => mistrusted(answer, after_max, &failure.to_string()),
    }
}

/// By status, except that a success cannot be believed when the plugin, which alone knows how failures
/// look, has not said so: the delivery becomes a dead letter, which somebody will see.
fn mistrusted(answer: &Answer, after_max: Duration, why: &str) -> Result<(), Failure> {
    let status = answer.status;
    let reason = format!("the destination answered {status} and the plugin could not judge it: {why}");
    match standard(answer, after_max) {
        Ok(()) | Err(Failure::Reject { .. }) => Err(Failure::Reject { reason }),
        Err(failure) => Err(failure),
    }
}

fn retry_after(answer: &Answer, max: Duration) -> Option<Duration> {
    let value = answer.headers.get(hyper::header::RETRY_AFTER)?.to_str().ok()?;
    Some(backoff::retry_after(value, OffsetDateTime::now_utc())?.min(max))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use hyper::header::{HeaderMap, HeaderValue, RETRY_AFTER};

    const HOUR: Duration = Duration::from_secs(3600);

    fn answer(status: u16, retry_after: Option<&'static str>) -> Answer {
        let mut headers = HeaderMap::new();
        if let Some(value) = retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from_static(value));
        }
        Answer { status, headers, body: Bytes::new() }
    }

    #[test]
    fn answers_are_judged_by_status() {
        let judged = |status| standard(&answer(status, None), HOUR);
        for status in [200, 201, 202, 204, 299] {
            assert_eq!(judged(status), Ok(()), "{status}");
        }
        for status in [408, 500, 502, 503, 504, 599] {
            assert!(matches!(judged(status), Err(Failure::Retry { .. })), "{status}");
        }
        for status in [301, 302, 307, 304, 400, 404, 410, 413, 422, 600, 999] {
            assert!(matches!(judged(status), Err(Failure::Reject { .. })), "{status}");
        }
        for status in [401, 403] {
            assert!(matches!(judged(status), Err(Failure::Refused { .. })), "{status}");
        }
        assert!(matches!(judged(429), Err(Failure::Throttled { after: None, .. })));
    }

    #[test]
    fn retry_after_is_honoured_within_its_bound() {
        let after = |status, value| standard(&answer(status, Some(value)), HOUR).unwrap_err().after();
        assert_eq!(after(429, "7"), Some(Duration::from_secs(7)));
        assert_eq!(after(503, "7"), Some(Duration::from_secs(7)));
        assert_eq!(after(503, "86400000"), Some(HOUR));
        assert_eq!(after(503, "Fri, 31 Dec 9999 23:59:59 GMT"), Some(HOUR));
        assert_eq!(after(503, "later"), None);
        assert_eq!(after(400, "7"), None);
    }

    #[test]
    fn a_plugins_verdict_counts_more_than_the_status() {
        let judged = |verdict, status| custom(verdict, &answer(status, Some("9")), HOUR);
        assert_eq!(judged(Verdict::Delivered, 409), Ok(()));
        let Err(Failure::Retry { after, .. }) = judged(Verdict::Retry(None), 200) else { panic!() };
        assert_eq!(after, Some(Duration::from_secs(9)));
        let Err(Failure::Throttled { after, .. }) = judged(Verdict::Retry(Some(2 * HOUR)), 429) else { panic!() };
        assert_eq!(after, Some(HOUR));
        assert!(
            matches!(judged(Verdict::Reject("no".to_owned()), 200), Err(Failure::Reject { reason }) if reason == "no")
        );
        assert!(matches!(judged(Verdict::Reject("no".to_owned()), 403), Err(Failure::Refused { .. })));
        assert!(matches!(judged(Verdict::RenewAuth, 401), Err(Failure::Retry { .. })));
    }

    #[test]
    fn what_nobody_judged_is_not_sent_again_after_a_success() {
        let fault = CallFailure::BadOutput("it gave 3 verdicts for 5 events".to_owned());
        let judged = |status| unjudged(&fault, &answer(status, None), 5, HOUR);
        let Judgement::Each(each) = judged(200) else { panic!("not as a whole") };
        assert_eq!(each.len(), 5);
        assert!(
            each.iter()
                .all(|one| matches!(one, Err(Failure::Reject { reason }) if reason.contains("3 verdicts for 5")))
        );
        assert!(matches!(judged(400), Judgement::Whole(Err(Failure::Reject { .. }))));
        assert!(matches!(judged(503), Judgement::Whole(Err(Failure::Retry { .. }))));
        assert!(matches!(judged(429), Judgement::Whole(Err(Failure::Throttled { .. }))));
        assert!(matches!(
            unjudged(&CallFailure::Busy, &answer(200, None), 5, HOUR),
            Judgement::Whole(Err(Failure::Retry { .. }))
        ));
    }

    #[test]
    fn a_trap_while_judging_is_a_failure_and_never_a_delivery() {
        let trap = CallFailure::Trapped("unreachable".to_owned());
        let judged = |status| concluding(&trap, &answer(status, None), HOUR);
        assert!(matches!(judged(200), Err(Failure::Reject { reason }) if reason.contains("unreachable")));
        assert!(matches!(judged(400), Err(Failure::Reject { .. })));
        assert!(matches!(judged(503), Err(Failure::Retry { .. })));
    }
}
