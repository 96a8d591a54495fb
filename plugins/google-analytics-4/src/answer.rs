//! What an answer means.
//!
//! The collecting server says 2xx to whatever reaches it; the validation server says 200 as well, and what is
//! wrong in the body: <https://developers.google.com/analytics/devguides/collection/protocol/ga4/validating-events>.

use pintle_plugin_sdk::tree::Look as _;
use pintle_plugin_sdk::{Response, Verdict};
use serde_json::Value;

/// Messages that a verdict repeats, at most.
const MESSAGES_MAX: usize = 5;

/// The verdict on the event that was sent.
#[must_use]
pub fn verdict(response: &Response) -> Verdict {
    match Verdict::standard(response.status) {
        Verdict::Delivered => match complaint(&response.body) {
            Some(reason) => Verdict::Reject(reason),
            None => Verdict::Delivered,
        },
        other => other,
    }
}

fn complaint(body: &[u8]) -> Option<String> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let messages = answer.list("validationMessages");
    let told = messages.iter().take(MESSAGES_MAX).map(|message| {
        let parts = ["validationCode", "fieldPath", "description"];
        parts.iter().filter_map(|part| message.text(&[*part])).collect::<Vec<String>>().join(": ")
    });
    (!messages.is_empty())
        .then(|| format!("Google Analytics finds it invalid: {}", told.collect::<Vec<String>>().join("; ")))
}

#[cfg(test)]
mod tests;
