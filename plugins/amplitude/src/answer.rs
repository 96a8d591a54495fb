//! What Amplitude's answers mean, by the response codes of its HTTP V2 API.

use pintle_plugin_sdk::tree::Look;
use pintle_plugin_sdk::{Body, Request, Response, Verdict};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// How long Amplitude wants to hear nothing of a user or device that sends too much.
const THROTTLED_MS: u64 = 30_000;

/// Members of a refusal that say which events it is about, each by field.
const BY_FIELD: [&str; 3] =
    ["events_with_missing_fields", "events_with_invalid_fields", "events_with_invalid_id_lengths"];

/// One verdict for the whole request, or one for each of its events.
///
/// What is refused as a whole the host tries again in halves, until the guilty event is alone: that is also what
/// becomes of a request that is too large.
pub fn verdicts(request: &Request, response: &Response) -> Vec<Verdict> {
    let answer = read(response);
    match response.status {
        400 => refused(events(request), &answer),
        429 => throttled(events(request), &answer, response),
        status => match Verdict::standard(status) {
            Verdict::Reject(_) => vec![Verdict::Reject(told(status, &answer))],
            verdict => vec![verdict],
        },
    }
}

/// How many events the request carries.
fn events(request: &Request) -> usize {
    #[derive(Deserialize)]
    struct Upload<'a> {
        #[serde(borrow)]
        events: Vec<&'a RawValue>,
    }
    let Body::Json(body) = &request.body else { return 1 };
    serde_json::from_slice::<Upload<'_>>(body).map_or(1, |upload| upload.events.len().max(1))
}

/// A request with a bad event is refused as a whole: the events that are named will never be taken, the others
/// will be without them. When none of them is named, it is about all.
fn refused(count: usize, answer: &Value) -> Vec<Verdict> {
    let error = told(400, answer);
    let named = named(answer);
    if !named.keys().any(|place| *place < count) {
        let why = named.into_values().next().map_or(error.clone(), |why| format!("{error}: {why}"));
        return vec![Verdict::Reject(if count == 1 { why } else { error })];
    }
    let verdict = |place| match named.get(&place) {
        Some(why) => Verdict::Reject(format!("{error}: {why}")),
        None => Verdict::Retry(None),
    };
    (0..count).map(verdict).collect()
}

/// The events that a refusal names, and why.
fn named(answer: &Value) -> BTreeMap<usize, String> {
    let mut named = BTreeMap::new();
    let places = |list: &Value| -> Vec<usize> {
        let numbers = list.as_array().into_iter().flatten().filter_map(Value::as_u64);
        numbers.filter_map(|place| usize::try_from(place).ok()).collect()
    };
    for member in BY_FIELD {
        for (field, list) in answer.object(member).into_iter().flatten() {
            for place in places(list) {
                named.entry(place).or_insert_with(|| format!("{} {field}", member.replace('_', " ")));
            }
        }
    }
    for place in answer.at("silenced_events").map(places).unwrap_or_default() {
        named.entry(place).or_insert_with(|| "the device is silenced in Amplitude".to_owned());
    }
    named
}

/// Too much of some users or devices, or of the project. Nothing of the request was taken.
fn throttled(count: usize, answer: &Value, response: &Response) -> Vec<Verdict> {
    let asked = response.headers.iter().find(|(name, _)| name == "retry-after");
    let asked_ms = asked.and_then(|(_, seconds)| seconds.trim().parse::<u64>().ok()).map(|seconds| seconds * 1000);
    let pause = Verdict::Retry(asked_ms.or(Some(THROTTLED_MS)));
    let throttled: Vec<u64> = answer.list("throttled_events").iter().filter_map(Value::as_u64).collect();
    if !throttled.iter().any(|place| *place < count as u64) {
        return vec![pause];
    }
    let verdict = |place| if throttled.contains(&place) { pause.clone() } else { Verdict::Retry(None) };
    (0..count as u64).map(verdict).collect()
}

fn read(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap_or_default()
}

fn told(status: u16, answer: &Value) -> String {
    let error = answer.text(&["error", "message"]).map_or_else(String::new, |error| format!(": {error}"));
    let field = answer.text(&["missing_field"]).map_or_else(String::new, |field| format!(" ({field})"));
    format!("Amplitude answered {status}{error}{field}")
}

#[cfg(test)]
mod tests;
