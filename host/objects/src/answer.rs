//! What a bucket's refusal means, in a sentence a person can act on.

use crate::depot::Failure;
use pintle_router::http::Unanswered;
use std::error::Error;

/// What went wrong with an object of a bucket.
pub(crate) fn failure(error: &object_store::Error, bucket: &str, place: &str) -> Failure {
    let said = said(error);
    match error {
        object_store::Error::NotFound { .. } => Failure::Refused {
            reason: format!(
                "the bucket \"{bucket}\" is not there at {place} ({said}): make it, or mend the bucket's name"
            ),
        },
        object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
            Failure::Refused { reason: format!("{place} refuses the credentials for bucket \"{bucket}\" ({said})") }
        }
        _ => match unanswered(error) {
            Some(Unanswered::Forbidden(refusal)) => Failure::Refused { reason: refusal.to_string() },
            Some(other) => Failure::Later { reason: format!("{place}: {other}") },
            // A redirect, or a request that the server finds wrong: another region, usually.
            None if said.contains("BareRedirect") || is_client_error(&said) => {
                Failure::Refused { reason: format!("{place} does not take objects for bucket \"{bucket}\" ({said})") }
            }
            None => Failure::Later { reason: format!("{place}, bucket \"{bucket}\": {said}") },
        },
    }
}

/// The server's own code and message where it gave them, else the whole chain's last words.
fn said(error: &object_store::Error) -> String {
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

fn is_client_error(said: &str) -> bool {
    ["AuthorizationHeaderMalformed", "PermanentRedirect", "InvalidAccessKeyId", "InvalidBucketName", "301 ", "307 "]
        .iter()
        .any(|code| said.starts_with(code))
}

fn unanswered<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Unanswered> {
    std::iter::successors(Some(error), |&error| error.source()).find_map(|error| error.downcast_ref())
}
