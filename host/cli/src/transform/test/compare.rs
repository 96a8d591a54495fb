//! Lists of outputs against each other. An expected `{"error": "part"}` is met by an error with that part.

use pintle_plugin_sdk::cases::values;
use serde_json::Value;

/// Lines of one file, at most.
const LINES_MAX: usize = 60;

/// What differs, member by member.
pub(super) fn differences(wanted: &[Value], found: &[Value]) -> Vec<String> {
    let mut lines = Vec::new();
    if wanted.len() != found.len() {
        lines.push(format!("{} outputs and errors are expected, and there are {}", wanted.len(), found.len()));
    }
    for place in 0..wanted.len().max(found.len()) {
        let at = format!("/{place}");
        match (wanted.get(place), found.get(place)) {
            (Some(wanted), Some(found)) if met(wanted, found) => {}
            (Some(wanted), Some(found)) => values(&at, wanted, found, &mut lines),
            (Some(wanted), None) => lines.push(format!("- {at} {wanted}")),
            (None, Some(found)) => lines.push(format!("+ {at} {found}")),
            (None, None) => {}
        }
    }
    if lines.len() > LINES_MAX {
        let more = lines.len() - LINES_MAX;
        lines.truncate(LINES_MAX);
        lines.push(format!("… and {more} more lines"));
    }
    lines
}

fn met(wanted: &Value, found: &Value) -> bool {
    match (error(wanted), error(found)) {
        (Some(part), Some(message)) => message.contains(part),
        _ => false,
    }
}

fn error(value: &Value) -> Option<&str> {
    let members = value.as_object().filter(|members| members.len() == 1)?;
    members.get("error")?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn outputs_are_compared_in_order_and_errors_by_a_part_of_them() {
        let found = [json!({"a": 1}), json!({"error": "TypeError: x is undefined"})];
        assert!(differences(&[json!({"a": 1}), json!({"error": "x is undefined"})], &found).is_empty());
        assert_eq!(differences(&[json!({"a": 2}), json!({"error": "TypeError"})], &found), ["- /0/a 2", "+ /0/a 1"]);
        let lines = differences(&[json!({"a": 1})], &found);
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[1].starts_with("+ /1 "), "{lines:?}");
    }
}
