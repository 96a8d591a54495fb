//! Cases that expect a kind of value instead of a value: `{"$regex"}` and `{"$asymmetric"}`.

use crate::compare::{Leeway, difference};
use serde_json::Value;

/// Whether an expected value is a matcher.
pub fn is_one(expected: &Value) -> bool {
    expected.get("$regex").is_some() || expected.get("$asymmetric").is_some()
}

/// Whether a matcher takes a value.
pub fn takes(matcher: &Value, actual: &Value) -> bool {
    if let Some(pattern) = matcher["$regex"].as_str() {
        return actual.as_str().is_some_and(|text| like(pattern, text));
    }
    let wanted = &matcher["$asymmetric"];
    let part = |name: &str| wanted.get(name);
    let text = |name: &str| part(name).and_then(Value::as_str).zip(actual.as_str());
    let equal = |expected: &Value, actual: &Value| difference(expected, actual, &Leeway::default()).is_none();
    if let Some((wanted, text)) = text("stringContaining") {
        return text.contains(wanted);
    }
    if let Some((pattern, text)) = text("stringMatching") {
        return like(pattern, text);
    }
    if let Some(members) = part("objectContaining").and_then(Value::as_object) {
        return members.iter().all(|(name, value)| actual.get(name).is_some_and(|actual| equal(value, actual)));
    }
    if let Some(entries) = part("arrayContaining").and_then(Value::as_array) {
        let actual = actual.as_array().map(Vec::as_slice).unwrap_or_default();
        return entries.iter().all(|entry| actual.iter().any(|actual| equal(entry, actual)));
    }
    let of_text = part("stringContaining").is_some() || part("stringMatching").is_some();
    // Of the others only that there is something.
    !of_text && !actual.is_null()
}

/// Whether a text is like a pattern of literal text, `.*`, `^` and `$`: no case needs more.
pub fn like(pattern: &str, text: &str) -> bool {
    let (pattern, at_start) = pattern.strip_prefix('^').map_or((pattern, false), |rest| (rest, true));
    let (pattern, at_end) = pattern.strip_suffix('$').map_or((pattern, false), |rest| (rest, true));
    let parts: Vec<String> = pattern.split(".*").map(|part| part.replace('\\', "")).collect();
    let mut rest = text;
    for (at, part) in parts.iter().enumerate() {
        let found = match (at == 0 && at_start, at + 1 == parts.len() && at_end) {
            (true, true) => (rest == part).then_some(0),
            (true, false) => rest.starts_with(part.as_str()).then_some(0),
            (false, true) => rest.ends_with(part.as_str()).then(|| rest.len() - part.len()),
            (false, false) => rest.find(part.as_str()),
        };
        let Some(found) = found else { return false };
        rest = &rest[found + part.len()..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_pattern_is_literal_text_with_gaps() {
        for (pattern, text) in
            [("a.*c", "xabcx"), ("^a.*c$", "abc"), ("b", "abc"), (r"\/v1\/.*", "x/v1/y"), ("^abc$", "abc")]
        {
            assert!(like(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("a.*c", "ca"), ("^b", "abc"), ("b$", "abc"), ("^ab$", "abc"), ("a.*a", "a")] {
            assert!(!like(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn a_matcher_takes_its_kind_of_value() {
        let matcher = |kind: Value| json!({ "$asymmetric": kind });
        for (kind, yes, no) in [
            (json!("anything"), json!(0), json!(null)),
            (json!({"stringContaining": "ell"}), json!("hello"), json!(3)),
            (json!({"stringMatching": "^h.*o$"}), json!("hello"), json!("hell")),
            (json!({"objectContaining": {"a": 1}}), json!({"a": 1.0, "b": 2}), json!({"b": 2})),
            (json!({"arrayContaining": [2, 1]}), json!([1, 2, 3]), json!([1])),
        ] {
            assert!(takes(&matcher(kind.clone()), &yes), "{kind} {yes}");
            assert!(!takes(&matcher(kind.clone()), &no), "{kind} {no}");
        }
    }
}
