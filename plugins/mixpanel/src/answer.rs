//! What Mixpanel's answers mean.

use pintle_plugin_sdk::tree::Look;
use pintle_plugin_sdk::{Body, Request, Response, Verdict};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// One verdict for the whole request, or one for each of its events.
///
/// `/import` takes the good events of a list and names the bad ones; `/engage` and `/groups` answer 200 for
/// everything that they could read, with an error inside when they did not take it. What is refused as a whole the
/// host tries again in halves, until the guilty event is alone: that is also what becomes of a request that is too
/// large.
pub fn verdicts(request: &Request, response: &Response) -> Vec<Verdict> {
    let answer: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    match response.status {
        200..=299 => vec![refusal(request, &answer).map_or(Verdict::Delivered, Verdict::Reject)],
        400 if is_import(request) && !answer.list("failed_records").is_empty() => partly(entries(request), &answer),
        status => match Verdict::standard(status) {
            Verdict::Reject(_) => vec![Verdict::Reject(told(status, &answer))],
            verdict => vec![verdict],
        },
    }
}

/// How many entries the request's list has.
fn entries(request: &Request) -> usize {
    let Body::Json(body) = &request.body else { return 1 };
    serde_json::from_slice::<Vec<&RawValue>>(body).map_or(1, |entries| entries.len().max(1))
}

fn is_import(request: &Request) -> bool {
    request.url.trim_end_matches('/').ends_with("/import")
}

/// What was wrong with changes of profiles, though the status says that nothing was.
fn refusal(request: &Request, answer: &Value) -> Option<String> {
    if is_import(request) {
        return None;
    }
    let status = answer.at("status").unwrap_or(answer);
    let error = answer.text(&["error"]);
    (error.is_some() || status == &Value::from(0))
        .then(|| format!("Mixpanel did not take it: {}", error.unwrap_or_else(|| "it gave no reason".to_owned())))
}

/// The events that are named were not taken, the others were.
fn partly(count: usize, answer: &Value) -> Vec<Verdict> {
    let mut failed: BTreeMap<u64, String> = BTreeMap::new();
    for record in answer.list("failed_records") {
        let Some(place) = record.at("index").and_then(Value::as_u64) else { continue };
        let field = record.text(&["field"]).map_or_else(String::new, |field| format!("{field}: "));
        let message = record.text(&["message"]).unwrap_or_else(|| "it gave no reason".to_owned());
        failed.insert(place, format!("Mixpanel did not take it: {field}{message}"));
    }
    let verdict = |place| failed.remove(&place).map_or(Verdict::Delivered, Verdict::Reject);
    (0..count as u64).map(verdict).collect()
}

fn told(status: u16, answer: &Value) -> String {
    let error = answer.text(&["error", "message", "status"]).map_or_else(String::new, |error| format!(": {error}"));
    format!("Mixpanel answered {status}{error}")
}

#[cfg(test)]
mod tests;
