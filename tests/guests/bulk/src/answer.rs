//! What an answer says about each event.

use pintle_plugin_sdk::serde_json::{self, Value};
use pintle_plugin_sdk::{Response, Verdict};

/// One verdict for each of the answer's `results`, or one by its status.
pub(crate) fn verdicts(response: &Response) -> Vec<Verdict> {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    match body["results"].as_array() {
        Some(results) => results.iter().map(verdict).collect(),
        None => vec![Verdict::standard(response.status)],
    }
}

fn verdict(result: &Value) -> Verdict {
    let status = result["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or_default();
    match (Verdict::standard(status), status) {
        (_, 401) => Verdict::RenewAuth,
        (Verdict::Retry(_), _) => Verdict::Retry(result["afterMs"].as_u64()),
        (Verdict::Reject(_), _) => Verdict::Reject(format!("the event was refused with {status}")),
        (verdict, _) => verdict,
    }
}
