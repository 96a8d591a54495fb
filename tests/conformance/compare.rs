//! Compares values as JSON.

use serde_json::Value;

/// What may differ.
#[derive(Default)]
pub struct Leeway<'a> {
    /// The same output of another run, at another time: what differs between the two cannot have been recorded.
    pub again: Option<&'a Value>,
    /// The recorder's own words for failures; Pintle may have others.
    pub words: &'a [String],
}

/// The first difference, with its path; nothing when they are equal.
pub fn difference(expected: &Value, actual: &Value, leeway: &Leeway<'_>) -> Option<String> {
    walk("", expected, actual, leeway.again, leeway.words)
}

fn walk(path: &str, expected: &Value, actual: &Value, again: Option<&Value>, words: &[String]) -> Option<String> {
    match (expected, actual) {
        (Value::Object(expected), _) if expected.contains_key("$regex") => {
            let pattern = expected["$regex"].as_str().unwrap_or_default();
            let text = actual.as_str().unwrap_or_default();
            // Patterns of cases are `.*` and literal text.
            let literal = pattern.replace(".*", "").replace('\\', "");
            (!text.contains(&literal)).then(|| format!("{path}: {text:?} does not match {pattern:?}"))
        }
        (Value::Object(expected), _) if expected.contains_key("$asymmetric") => {
            actual.is_null().then(|| format!("{path}: something was expected"))
        }
        (Value::Object(left), Value::Object(right)) => {
            let names = left.keys().chain(right.keys().filter(|name| !left.contains_key(*name)));
            names.into_iter().find_map(|name| {
                let path = format!("{path}/{name}");
                match (left.get(name), right.get(name)) {
                    (Some(left), Some(right)) => {
                        walk(&path, left, right, again.and_then(|again| again.get(name)), words)
                    }
                    (Some(left), None) => Some(format!("{path}: {} is missing", short(left))),
                    (None, Some(right)) => Some(format!("{path}: {} was not expected", short(right))),
                    (None, None) => None,
                }
            })
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            left.iter().zip(right).enumerate().find_map(|(at, (left, right))| {
                walk(&format!("{path}/{at}"), left, right, again.and_then(|again| again.get(at)), words)
            })
        }
        _ if same(expected, actual) => None,
        _ if of_its_time(expected, actual, again) || own_words(expected, actual, words) => None,
        _ => Some(format!("{path}: {} instead of {}", short(actual), short(expected))),
    }
}

/// 1 and 1.0 are the same number.
fn same(expected: &Value, actual: &Value) -> bool {
    expected == actual || (expected.is_number() && expected.as_f64() == actual.as_f64())
}

fn of_its_time(expected: &Value, actual: &Value, again: Option<&Value>) -> bool {
    let alike = std::mem::discriminant(expected) == std::mem::discriminant(actual);
    alike && again.is_some_and(|again| again != actual)
}

fn own_words(expected: &Value, actual: &Value, words: &[String]) -> bool {
    let (Some(expected), Some(actual)) = (expected.as_str(), actual.as_str()) else { return false };
    let said = |word: &String| expected == word || expected.starts_with(&format!("Error: {word}\n"));
    !actual.is_empty() && words.iter().any(said)
}

/// A value, cut.
pub fn short(value: &Value) -> String {
    let mut text = value.to_string();
    if text.len() > 120 {
        text.truncate(text.floor_char_boundary(120));
        text.push('…');
    }
    text
}
