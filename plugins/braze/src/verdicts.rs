//! What Braze's answers mean.

use crate::marks;
use pintle_plugin_sdk::{Body, Request, Response, Verdict};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// An answer. `message` is `success` even when entries were refused, as long as one was taken.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer {
    message: String,
    errors: Vec<Value>,
}

/// One verdict for all members of a request, or one each where Braze refused what some of them sent.
pub(crate) fn conclude(request: &Request, response: &Response) -> Vec<Verdict> {
    let answer: Answer = serde_json::from_slice(&response.body).unwrap_or_default();
    match Verdict::standard(response.status) {
        Verdict::Delivered if !is_success(&answer.message) => vec![Verdict::Reject(answer.words())],
        Verdict::Delivered => per_member(request, &answer),
        Verdict::Reject(reason) if answer.message.is_empty() => vec![Verdict::Reject(reason)],
        Verdict::Reject(reason) => vec![Verdict::Reject(format!("{reason}: {}", answer.words()))],
        verdict => vec![verdict],
    }
}

/// Braze also says `queued`, and some addresses nothing.
fn is_success(message: &str) -> bool {
    message.is_empty() || message.eq_ignore_ascii_case("success") || message.eq_ignore_ascii_case("queued")
}

impl Answer {
    /// What Braze says.
    fn words(&self) -> String {
        let of_error = |error: &Value| error.get("type").and_then(Value::as_str).or(error.as_str()).map(str::to_owned);
        match self.errors.iter().find_map(of_error).filter(|error| *error != self.message) {
            Some(error) => format!("{}: {error}", self.message),
            None => self.message.clone(),
        }
    }
}

/// What became of a member's entries.
#[derive(Clone, Default)]
struct Entries {
    sent: usize,
    refused: usize,
    why: String,
}

/// A member is refused when all of its entries were. Of which a part was taken is delivered: sent again, that part
/// would count twice.
fn per_member(request: &Request, answer: &Answer) -> Vec<Verdict> {
    if answer.errors.is_empty() {
        return vec![Verdict::Delivered];
    }
    let mut members: Vec<Entries> = Vec::new();
    for (name, list) in lists(request) {
        let (owners, count) = marks::read(list.get());
        members.resize(members.len().max(count), Entries::default());
        for (place, owner) in owners.iter().enumerate() {
            let entries = &mut members[*owner];
            entries.sent += 1;
            if let Some(why) = refusal(answer, name, place) {
                entries.refused += 1;
                why.clone_into(&mut entries.why);
            }
        }
    }
    if members.is_empty() {
        return vec![Verdict::Delivered];
    }
    let verdict = |entries: Entries| match entries {
        Entries { sent, refused, why } if sent > 0 && refused == sent => Verdict::Reject(why),
        _ => Verdict::Delivered,
    };
    members.into_iter().map(verdict).collect()
}

/// The lists of a request to `/users/track`; none of any other.
fn lists(request: &Request) -> Vec<(&'static str, &RawValue)> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Lists<'a> {
        #[serde(borrow)]
        attributes: Option<&'a RawValue>,
        #[serde(borrow)]
        events: Option<&'a RawValue>,
        #[serde(borrow)]
        purchases: Option<&'a RawValue>,
    }
    let Body::Json(body) = &request.body else { return Vec::new() };
    let lists: Lists<'_> = serde_json::from_slice(body).unwrap_or_default();
    let named = [("attributes", lists.attributes), ("events", lists.events), ("purchases", lists.purchases)];
    named.into_iter().filter_map(|(name, list)| Some((name, list?))).collect()
}

/// Why Braze refused an entry.
fn refusal<'a>(answer: &'a Answer, list: &str, place: usize) -> Option<&'a str> {
    let error = answer
        .errors
        .iter()
        .find(|error| error["input_array"] == list && error["index"].as_u64() == u64::try_from(place).ok())?;
    Some(error["type"].as_str().unwrap_or("Braze refused it"))
}

#[cfg(test)]
mod tests;
