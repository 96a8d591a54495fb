//! What a bucket's refusal means, in a sentence a person can act on.

use crate::depot::Failure;
use pintle_router::http::Unanswered;
use std::error::Error;

/// What went wrong with an object of a bucket.
pub(crate) fn failure(error: &object_store::Error, bucket: &str, place: &str) -> Failure {
    if let Some(unanswered) = unanswered(error) {
        return match unanswered {
            Unanswered::Forbidden(refusal) => Failure::Refused { reason: format!("{place}: {refusal}") },
            other => Failure::Later { reason: format!("{place}: {other}") },
        };
    }
    let said = said(error);
    match status(error) {
        Some(404) => Failure::Refused {
            reason: format!(
                "the bucket \"{bucket}\" is not there at {place} ({said}): make it, or mend the bucket's name"
            ),
        },
        Some(401 | 403) => {
            Failure::Refused { reason: format!("{place} refuses the credentials for bucket \"{bucket}\" ({said})") }
        }
        // A wrong region, usually, or a name that no bucket has.
        Some(300..=399 | 400 | 405..=407 | 410..=428 | 430..=499) => {
            Failure::Refused { reason: format!("{place} takes no objects for bucket \"{bucket}\" ({said})") }
        }
        _ => Failure::Later { reason: format!("{place}, bucket \"{bucket}\": {said}") },
    }
}

/// Whether the credentials do not suffice for what was asked.
pub(crate) fn is_denied(error: &object_store::Error) -> bool {
    matches!(status(error), Some(401 | 403))
}

/// Whether it is the object that is missing, and not its bucket.
pub(crate) fn is_no_object(error: &object_store::Error) -> bool {
    status(error) == Some(404) && !error.to_string().contains("NoSuchBucket")
}

/// Whether there is nothing where something was asked for: an object without bytes has no first one.
pub(crate) fn is_out_of_range(error: &object_store::Error) -> bool {
    // Of a folder the words alone say it.
    status(error) == Some(416) || error.to_string().contains("Requested range was invalid")
}

/// The status of the answer. Some errors have it in their words alone.
fn status(error: &object_store::Error) -> Option<u16> {
    match error {
        object_store::Error::NotFound { .. } => Some(404),
        object_store::Error::PermissionDenied { .. } => Some(403),
        object_store::Error::Unauthenticated { .. } => Some(401),
        _ => {
            let words = error.to_string();
            let Some((_, after)) = words.split_once("status code: ") else {
                return words.contains("redirect without LOCATION").then_some(301);
            };
            after.get(..3)?.parse().ok()
        }
    }
}

/// The server's own code and message where it gave them, else the status, else all there is.
pub(crate) fn said(error: &object_store::Error) -> String {
    let whole = error.to_string();
    let part = |name: &str| {
        let (_, rest) = whole.split_once(&format!("<{name}>"))?;
        Some(rest.split_once('<')?.0.trim().to_owned()).filter(|text| !text.is_empty())
    };
    match (part("Code"), part("Message")) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code,
        (None, _) => match whole.split_once("status code: ") {
            Some((_, status)) => status.trim().trim_end_matches(':').to_owned(),
            None => whole,
        },
    }
}

fn unanswered<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Unanswered> {
    std::iter::successors(Some(error), |&error| error.source()).find_map(|error| error.downcast_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generic(words: &str) -> object_store::Error {
        object_store::Error::Generic { store: "S3", source: words.to_owned().into() }
    }

    #[test]
    fn what_somebody_has_to_mend_is_told_from_what_may_pass() {
        let answered =
            |status: &str, body: &str| generic(&format!("Server returned non-2xx status code: {status}: {body}"));
        let missing = answered("404 Not Found", "<Error><Code>NoSuchBucket</Code><Message>none</Message></Error>");
        let told = failure(&missing, "events", "http://h").to_string();
        assert_eq!(
            told,
            "the bucket \"events\" is not there at http://h (NoSuchBucket: none): make it, or mend the bucket's name"
        );
        for (error, refused) in [
            (answered("403 Forbidden", ""), true),
            (answered("400 Bad Request", "<Error><Code>AuthorizationHeaderMalformed</Code></Error>"), true),
            (generic("Received redirect without LOCATION, this normally indicates…"), true),
            (answered("503 Service Unavailable", "<Error><Code>SlowDown</Code></Error>"), false),
            (answered("429 Too Many Requests", ""), false),
            (generic("something else"), false),
        ] {
            let failure = failure(&error, "events", "http://h");
            assert_eq!(matches!(failure, Failure::Refused { .. }), refused, "{failure}");
        }
        assert!(is_denied(&answered("403 Forbidden", "")) && !is_denied(&missing));
    }
}
