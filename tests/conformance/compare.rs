//! Compares values as JSON.

use crate::matcher;
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
        (Value::Object(_), _) if matcher::is_one(expected) => {
            (!matcher::takes(expected, actual)).then(|| format!("{path}: {} is not {expected}", short(actual)))
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

/// 1 and 1.0 are the same number, and so is one that was written and read once more.
fn same(expected: &Value, actual: &Value) -> bool {
    let close = |left: f64, right: f64| (left - right).abs() <= left.abs() * 2.0 * f64::EPSILON;
    expected == actual || expected.as_f64().zip(actual.as_f64()).is_some_and(|(left, right)| close(left, right))
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
