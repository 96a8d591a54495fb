//! What came out and what should have, as lines for people.

use super::{Case, Expected, ExpectedRecord, Found, body_text, requests};
use crate::{Body, Delivery, Mistake, Outcome, Record, Request};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Lines of one case, at most: the first ones say what is wrong.
const LINES_MAX: usize = 40;

/// How what was found differs from what the case says; nothing when it does not.
#[must_use]
pub fn differences(case: &Case, found: &Found) -> Vec<String> {
    let reason = |word: &str, found: &str, expected: &str| match found.contains(expected) {
        true => Vec::new(),
        false => vec![format!("it was {word}, but not with \"{expected}\" in the reason: {found}")],
    };
    let mut lines = match (found, &case.requests, &case.filtered, &case.rejected, &case.invalid) {
        (Found::Handled(Outcome::Deliver(found)), None, None, None, None) if case.records.is_some() => {
            written(found, case.records.as_deref().unwrap_or_default())
        }
        (Found::Invalid(found), None, None, None, Some(expected)) => mistakes(found, expected, true),
        (Found::Handled(Outcome::Deliver(found)), Some(expected), None, None, None) => match requests(found) {
            Ok(found) => sent(&found, expected),
            Err(line) => vec![line],
        },
        (Found::Handled(Outcome::Filter(found)), None, Some(expected), None, None) => {
            reason("filtered", found, expected)
        }
        (Found::Rejected(found), None, None, Some(expected), None) => reason("rejected", found, expected),
        (found, ..) => vec![format!("expected {}", expectation(case)), format!("found {}", shown(found))],
    };
    if lines.len() > LINES_MAX {
        let more = lines.len() - LINES_MAX;
        lines.truncate(LINES_MAX);
        lines.push(format!("… and {more} more lines"));
    }
    lines
}

fn expectation(case: &Case) -> String {
    let said = [
        case.requests.as_ref().map(|requests| match requests.len() {
            1 => "a request".to_owned(),
            n => format!("{n} requests"),
        }),
        case.records.as_ref().map(|records| format!("{} records", records.len())),
        case.filtered.as_ref().map(|reason| format!("the event to be filtered (\"{reason}\")")),
        case.rejected.as_ref().map(|reason| format!("the event to be rejected (\"{reason}\")")),
        case.invalid.as_ref().map(|_| "the configuration to be refused".to_owned()),
    ];
    let said: Vec<String> = said.into_iter().flatten().collect();
    match said.len() {
        0 => "something; write one of `requests`, `records`, `filtered`, `rejected` and `invalid`".to_owned(),
        1 => said[0].clone(),
        _ => format!("several things at once ({}); keep one of them", said.join("; ")),
    }
}

fn shown(found: &Found) -> String {
    match found {
        Found::Invalid(found) => {
            let each: Vec<String> =
                found.iter().map(|mistake| format!("{} {}", mistake.path, mistake.message)).collect();
            format!("the configuration was refused: {}", each.join("; "))
        }
        Found::Rejected(reason) => format!("the event was rejected: {reason}"),
        Found::Handled(Outcome::Filter(reason)) => format!("the event was filtered: {reason}"),
        Found::Handled(Outcome::Deliver(deliveries)) => format!("{} requests", deliveries.len()),
    }
}

/// `whole`: every expected mistake has to be found. Every found one has to be expected in any case.
pub(super) fn mistakes(found: &[Mistake], expected: &[(String, String)], whole: bool) -> Vec<String> {
    let met =
        |found: &Mistake, (path, message): &(String, String)| found.path == *path && found.message.contains(message);
    let mut lines = Vec::new();
    for expected in expected.iter().filter(|_| whole) {
        if !found.iter().any(|found| met(found, expected)) {
            lines.push(format!("- {} {}", expected.0, expected.1));
        }
    }
    for found in found {
        if !expected.iter().any(|expected| met(found, expected)) {
            lines.push(format!("+ {} {}", found.path, found.message));
        }
    }
    lines
}

fn sent(found: &[&Request], expected: &[Expected]) -> Vec<String> {
    let mut lines = Vec::new();
    if found.len() != expected.len() {
        lines.push(format!("expected {} requests, found {}", expected.len(), found.len()));
    }
    for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
        let at = if expected_alone(expected, found) { String::new() } else { format!("request {}: ", place + 1) };
        lines.extend(request(found, expected).into_iter().map(|line| format!("{at}{line}")));
    }
    lines
}

fn written(found: &[Delivery], expected: &[ExpectedRecord]) -> Vec<String> {
    let mut lines = Vec::new();
    if found.len() != expected.len() {
        lines.push(format!("expected {} records, found {}", expected.len(), found.len()));
    }
    for (found, expected) in found.iter().zip(expected) {
        match found {
            Delivery::Record(found) => lines.extend(record(found, expected)),
            Delivery::Request(found) => lines.push(format!("+ a request to {}", found.url)),
        }
    }
    lines
}

fn record(found: &Record, expected: &ExpectedRecord) -> Vec<String> {
    let mut lines = Vec::new();
    let mut compare = |what: &str, expected: &str, found: &str| {
        if expected != found {
            lines.extend([format!("- {what} {expected}"), format!("+ {what} {found}")]);
        }
    };
    compare("stream", &expected.stream, &found.stream);
    compare("key", &expected.key, &found.key);
    if let Some(expected) = &expected.headers {
        let found: BTreeMap<String, String> = found.headers.iter().cloned().collect();
        compare("headers", &format!("{expected:?}"), &format!("{found:?}"));
    }
    let body = String::from_utf8_lossy(&found.body);
    match (&expected.json, &expected.body, &expected.text) {
        (Some(json), None, None) => match serde_json::from_str(&body) {
            Ok(found) => values("", json, &found, &mut lines),
            Err(error) => lines.push(format!("the body is not JSON: {error}")),
        },
        (None, Some(json), None) => compare("body", json.get(), &body),
        (None, None, Some(text)) => compare("body", text, &body),
        _ => lines.push("a record is expected with one of `json`, `body` and `text`".to_owned()),
    }
    lines
}

/// The line of a lone request needs no number, but several do; the first is told by its method and URL anyway.
fn expected_alone(expected: &Expected, found: &Request) -> bool {
    expected.url == found.url
}

fn request(found: &Request, expected: &Expected) -> Vec<String> {
    let mut lines = Vec::new();
    let mut compare = |what: &str, expected: &str, found: &str| {
        if expected != found {
            lines.extend([format!("- {what} {expected}"), format!("+ {what} {found}")]);
        }
    };
    compare("method", &expected.method.to_uppercase(), found.method.as_str());
    compare("url", &expected.url, &found.url);
    compare("query", &format!("{:?}", expected.query), &format!("{:?}", found.query));
    compare("gzip", &expected.gzip.to_string(), &found.gzip.to_string());
    if let Some(expected) = &expected.headers {
        let lower = |(name, value): &(String, String)| (name.to_lowercase(), value.clone());
        let all: Vec<(String, String)> = found.headers.iter().map(lower).collect();
        let found: BTreeMap<String, String> = all.iter().cloned().collect();
        if found.len() < all.len() {
            lines.push("+ a header is there twice".to_owned());
        }
        let names: BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
        for name in names {
            let (expected, found) = (expected.get(name), found.get(name));
            if expected != found {
                lines.extend(expected.map(|value| format!("- header {name}: {value}")));
                lines.extend(found.map(|value| format!("+ header {name}: {value}")));
            }
        }
    }
    lines.extend(body(&found.body, expected));
    lines
}

fn body(found: &Body, expected: &Expected) -> Vec<String> {
    let both = |expected: &str| vec![format!("- body {expected}"), format!("+ body {}", body_text(found))];
    match (expected, found) {
        (Expected { json: Some(expected), .. }, Body::Json(found)) => match serde_json::from_slice::<Value>(found) {
            Ok(found) => {
                let mut lines = Vec::new();
                values("", expected, &found, &mut lines);
                lines
            }
            Err(error) => vec![format!("its JSON body cannot be read: {error}")],
        },
        (Expected { json: Some(expected), .. }, _) => both(&expected.to_string()),
        (Expected { body: Some(expected), .. }, Body::Json(found)) if expected.get().as_bytes() == found => Vec::new(),
        (Expected { body: Some(expected), .. }, _) => both(expected.get()),
        (Expected { form: Some(expected), .. }, Body::Form(found)) if same_form(expected, found) => Vec::new(),
        (Expected { form: Some(expected), .. }, _) => both(&format!("{expected:?}")),
        (Expected { text: Some(expected), .. }, Body::Xml(found)) if expected == found => Vec::new(),
        (Expected { text: Some(expected), .. }, Body::Raw(found)) if expected.as_bytes() == found => Vec::new(),
        (Expected { text: Some(expected), .. }, _) => both(expected),
        (_, Body::None) => Vec::new(),
        _ => both("none"),
    }
}

/// The order of members in a JSON document that is a value of a form says nothing.
fn same_form(expected: &[(String, String)], found: &[(String, String)]) -> bool {
    let document =
        |text: &str| text.starts_with(['{', '[']).then(|| serde_json::from_str::<Value>(text).ok()).flatten();
    let same = |expected: &str, found: &str| {
        expected == found || document(expected).is_some_and(|expected| document(found) == Some(expected))
    };
    let pairs = || expected.iter().zip(found);
    expected.len() == found.len()
        && pairs().all(|(expected, found)| expected.0 == found.0 && same(&expected.1, &found.1))
}

/// The members that differ, each by its JSON Pointer behind `at`: `- …` expected, `+ …` found.
pub fn values(at: &str, expected: &Value, found: &Value, lines: &mut Vec<String>) {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            let keys: BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
            for key in keys {
                let at = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
                match (expected.get(key), found.get(key)) {
                    (Some(expected), Some(found)) => values(&at, expected, found, lines),
                    (Some(expected), None) => lines.push(format!("- {at} {expected}")),
                    (None, Some(found)) => lines.push(format!("+ {at} {found}")),
                    (None, None) => {}
                }
            }
        }
        (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => {
            for (place, (expected, found)) in expected.iter().zip(found).enumerate() {
                values(&format!("{at}/{place}"), expected, found, lines);
            }
        }
        _ if expected == found => {}
        _ => {
            let at = if at.is_empty() { "body" } else { at };
            lines.extend([format!("- {at} {expected}"), format!("+ {at} {found}")]);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use super::*;
    use serde_json::json;

    fn case(expectation: &str) -> Case {
        serde_json::from_str(&format!(r#"{{"name":"n","config":{{}},"event":{{}},{expectation}}}"#)).unwrap()
    }

    fn delivered(body: &Value) -> Found {
        Found::Handled(Request::post_json("https://a.example/x", body).header("X-A", "1").into())
    }

    #[test]
    fn a_body_that_differs_is_shown_member_by_member() {
        let case =
            case(r#""requests":[{"method":"POST","url":"https://a.example/x","json":{"a":{"b":1,"c":2},"d":[1]}}]"#);
        assert!(differences(&case, &delivered(&json!({"d": [1], "a": {"c": 2, "b": 1}}))).is_empty());
        let lines = differences(&case, &delivered(&json!({"a": {"b": 2, "e/f": 3}, "d": [1, 2]})));
        assert_eq!(lines, ["- /a/b 1", "+ /a/b 2", "- /a/c 2", "+ /a/e~1f 3", "- /d [1]", "+ /d [1,2]"]);
    }

    #[test]
    fn method_url_query_and_headers_count() {
        let case = case(
            r#""requests":[{"method":"PUT","url":"https://b.example","query":[["q","1"]],"headers":{"x-a":"2"},"json":{}}]"#,
        );
        let lines = differences(&case, &delivered(&json!({}))).join("\n");
        for part in ["- request", "method PUT", "+ request", "url https://a.example/x", "query [", "header x-a: 2"] {
            assert!(lines.contains(part.trim_start_matches("- ").trim_start_matches("+ ")), "{part}: {lines}");
        }
    }

    #[test]
    fn a_body_that_nobody_expects_is_a_difference() {
        let case = case(r#""requests":[{"method":"POST","url":"https://a.example/x"}]"#);
        assert_eq!(differences(&case, &delivered(&json!(1))), ["- body none", "+ body 1"]);
    }

    #[test]
    fn a_document_in_a_form_is_compared_as_one() {
        let case = case(
            r#""requests":[{"method":"POST","url":"https://a.example/x","form":[["data","[{\"a\":1,\"b\":\"\"}]"],["c","{"]]}]"#,
        );
        let of = |data: &str| {
            let pairs = vec![("data".to_owned(), data.to_owned()), ("c".to_owned(), "{".to_owned())];
            let request =
                Request { body: Body::Form(pairs), ..Request::new(crate::Method::Post, "https://a.example/x") };
            differences(&case, &Found::Handled(request.into()))
        };
        assert!(of(r#"[{"b":"", "a":1}]"#).is_empty());
        assert_eq!(of(r#"[{"a":2,"b":""}]"#).len(), 2);
    }

    #[test]
    fn reasons_are_compared_by_their_parts_and_other_ends_are_named() {
        assert!(
            differences(&case(r#""rejected":"no mail""#), &Found::Rejected("there is no mail in it".into())).is_empty()
        );
        let lines = differences(&case(r#""filtered":"x""#), &Found::Rejected("y".into()));
        assert_eq!(lines, ["expected the event to be filtered (\"x\")", "found the event was rejected: y"]);
        let lines = differences(&case(r#""filtered":"x","rejected":"y""#), &Found::Rejected("y".into()));
        assert!(lines[0].contains("several things at once"), "{lines:?}");
        let mistake = Mistake { path: "/a".into(), message: "is required".into() };
        let lines = differences(&case(r#""invalid":[["/b","is"]]"#), &Found::Invalid(vec![mistake]));
        assert_eq!(lines, ["- /b is", "+ /a is required"]);
    }
}
