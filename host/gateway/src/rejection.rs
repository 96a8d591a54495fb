//! Every way to say no, with RudderStack's statuses and texts.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};
use hyper::{Response, StatusCode};
use pintle_events::scan::Invalid;
use pintle_store::log::Refused;
use std::time::Duration;

/// Names the setting that refused a request, where RudderStack's texts have no room for it.
const LIMIT: HeaderName = HeaderName::from_static("x-pintle-limit");
const BUSY_RETRY_AFTER: Duration = Duration::from_secs(1);

/// Why a request is refused.
#[derive(Debug)]
pub(crate) enum Rejection {
    /// No basic authentication, or an empty user name.
    NoWriteKey,
    /// No write key where the path's clients put it.
    NoWriteKeyInQuery,
    /// No source has this write key.
    UnknownWriteKey,
    /// The source is switched off.
    SourceDisabled,
    /// The body is not events.
    Invalid(Invalid),
    /// An event is not an object.
    NotAnEvent,
    /// An event is nested deeper than `nesting-max`.
    TooDeep,
    /// An event has neither `userId` nor `anonymousId`.
    NoIds,
    /// A limit on size, by name.
    TooLarge(&'static str),
    /// The body did not arrive whole, or could not be decompressed.
    Unreadable,
    /// The body took longer than `body-time-max`.
    TooSlow,
    /// The source sends more than it may; when it may again.
    TooMany(Duration),
    /// A limit on what happens at the same time, by name.
    Busy(&'static str),
    /// The log does not take events.
    Refused(Refused),
}

impl From<Invalid> for Rejection {
    fn from(invalid: Invalid) -> Rejection {
        match invalid {
            Invalid::TooManyEvents => Rejection::TooLarge("batch-events-max"),
            Invalid::NotAnObject => Rejection::NotAnEvent,
            Invalid::TooDeep { .. } => Rejection::TooDeep,
            other => Rejection::Invalid(other),
        }
    }
}

impl Rejection {
    /// The label in metrics.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Rejection::NoWriteKey => "no-write-key",
            Rejection::NoWriteKeyInQuery => "no-write-key-in-query",
            Rejection::UnknownWriteKey => "unknown-write-key",
            Rejection::SourceDisabled => "source-disabled",
            Rejection::Invalid(Invalid::EmptyBatch) => "empty-batch",
            Rejection::Invalid(_) => "invalid-json",
            Rejection::TooDeep => "nesting-max",
            Rejection::NotAnEvent => "not-an-event",
            Rejection::NoIds => "no-ids",
            Rejection::TooMany(_) => "events-per-second-max",
            Rejection::TooLarge(limit) | Rejection::Busy(limit) => limit,
            Rejection::Unreadable => "unreadable-body",
            Rejection::TooSlow => "body-time-max",
            Rejection::Refused(Refused::Full { .. }) => "log-full",
            Rejection::Refused(Refused::Unavailable { .. }) => "log-unavailable",
            Rejection::Refused(Refused::Closed) => "shutting-down",
        }
    }

    /// The answer, without the newline that ends it.
    fn text(&self) -> (StatusCode, String) {
        let (status, text) = match self {
            Rejection::NoWriteKey => (StatusCode::UNAUTHORIZED, "failed to read writekey from header"),
            Rejection::NoWriteKeyInQuery => (StatusCode::UNAUTHORIZED, "failed to read writekey from query params"),
            Rejection::UnknownWriteKey => (StatusCode::UNAUTHORIZED, "invalid write key"),
            Rejection::SourceDisabled => (StatusCode::NOT_FOUND, "source is disabled"),
            Rejection::Invalid(Invalid::EmptyBatch) => (StatusCode::BAD_REQUEST, "empty batch payload"),
            Rejection::Invalid(_) | Rejection::TooDeep => (StatusCode::BAD_REQUEST, "invalid json"),
            Rejection::NotAnEvent => (StatusCode::BAD_REQUEST, "event is not a valid rudder event"),
            Rejection::TooMany(_) => (StatusCode::TOO_MANY_REQUESTS, "max requests limit reached"),
            Rejection::NoIds => (StatusCode::BAD_REQUEST, "request neither has anonymousId nor userId"),
            Rejection::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "request size exceeds max limit"),
            Rejection::Unreadable | Rejection::TooSlow => {
                (StatusCode::INTERNAL_SERVER_ERROR, "failed to read body from request")
            }
            Rejection::Busy(_) => (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
            Rejection::Refused(refused) => return (StatusCode::SERVICE_UNAVAILABLE, refused.to_string()),
        };
        (status, text.to_owned())
    }

    fn limit(&self) -> Option<&'static str> {
        match self {
            Rejection::TooLarge(limit) | Rejection::Busy(limit) => Some(limit),
            Rejection::Refused(Refused::Full { limit, .. }) => Some(limit),
            Rejection::TooSlow => Some("body-time-max"),
            Rejection::TooDeep => Some("nesting-max"),
            Rejection::TooMany(_) => Some("events-per-second-max"),
            _ => None,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Rejection::Busy(_) => Some(BUSY_RETRY_AFTER),
            Rejection::TooMany(after) => Some(*after),
            Rejection::Refused(refused) => Some(refused.retry_after()),
            _ => None,
        }
    }

    /// The whole answer.
    pub(crate) fn response(&self) -> Response<Full<Bytes>> {
        let (status, text) = self.text();
        let mut response = refusal(status, &text);
        let headers = response.headers_mut();
        if let Some(limit) = self.limit() {
            headers.insert(LIMIT, HeaderValue::from_static(limit));
        }
        if let Some(after) = self.retry_after() {
            headers.insert(RETRY_AFTER, HeaderValue::from(after.as_millis().div_ceil(1000).max(1) as u64));
        }
        response
    }
}

/// A refusal the way Go's `http.Error` writes it.
pub(crate) fn refusal(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    let mut response = plain(status, Bytes::from(format!("{text}\n")));
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// A plain text answer.
pub(crate) fn plain(status: StatusCode, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(rejection: Rejection) -> (u16, String) {
        let (status, text) = rejection.text();
        (status.as_u16(), text)
    }

    #[test]
    fn statuses_and_texts_are_those_that_rudderstack_gives() {
        let json = Invalid::Json { at: 0 };
        let expect = |rejection, status, text: &str| assert_eq!(answer(rejection), (status, text.to_owned()));
        expect(Rejection::NoWriteKey, 401, "failed to read writekey from header");
        expect(Rejection::UnknownWriteKey, 401, "invalid write key");
        expect(Rejection::SourceDisabled, 404, "source is disabled");
        expect(Rejection::Invalid(json), 400, "invalid json");
        expect(Rejection::from(Invalid::EmptyBatch), 400, "empty batch payload");
        expect(Rejection::from(Invalid::NotAnObject), 400, "event is not a valid rudder event");
        expect(Rejection::NoIds, 400, "request neither has anonymousId nor userId");
        expect(Rejection::TooLarge("body-bytes-max"), 413, "request size exceeds max limit");
        expect(Rejection::Unreadable, 500, "failed to read body from request");
        expect(Rejection::Busy("requests-max"), 503, "Service Unavailable");
    }

    #[test]
    fn a_limit_of_ours_is_named_in_a_header() {
        let response = Rejection::from(Invalid::TooManyEvents).response();
        assert_eq!(response.status(), 413);
        assert_eq!(response.headers()[LIMIT], "batch-events-max");
        assert_eq!(response.headers()[X_CONTENT_TYPE_OPTIONS], "nosniff");
    }

    #[test]
    fn a_full_log_says_which_limit_and_when_to_come_back() {
        let refused = Refused::Full { limit: "log-bytes-max", retry_after: Duration::from_millis(9_001) };
        let response = Rejection::Refused(refused).response();
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()[RETRY_AFTER], "10");
        assert_eq!(response.headers()[LIMIT], "log-bytes-max");
    }
}
