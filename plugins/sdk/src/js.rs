//! Values as JavaScript reads them, where users come from a system whose mappings are written in it.

use serde_json::{Number, Value};

/// Whether `if (value)` would take the branch.
#[must_use]
pub fn truthy(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => false,
        Some(Value::Bool(yes)) => *yes,
        Some(Value::Number(number)) => number.as_f64().is_some_and(|number| number != 0.0),
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(_) | Value::Object(_)) => true,
    }
}

/// `String(value)`, but for objects and lists, which are written as JSON.
#[must_use]
pub fn string(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number_text(number),
        other => other.to_string(),
    }
}

/// `String(number)`: a whole number has no fraction.
#[must_use]
pub fn number_text(number: &Number) -> String {
    match number.as_f64() {
        // Beyond 1e21 JavaScript writes an exponent, as JSON does here.
        Some(float) if float.fract() == 0.0 && float.abs() < 1e21 && number.is_f64() => format!("{float:.0}"),
        _ => number.to_string(),
    }
}

/// `Number(value)`, when that is a number.
#[must_use]
pub fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => number_of(text),
        Value::Bool(yes) => Some(f64::from(u8::from(*yes))),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// `Number(text)`, when that is a number; the empty text is 0.
#[must_use]
pub fn number_of(text: &str) -> Option<f64> {
    let text = text.trim();
    if text.is_empty() {
        return Some(0.0);
    }
    // What Rust takes and JavaScript does not, or otherwise.
    if text.contains(['i', 'I', 'n', 'N', '_']) {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// A number as JSON: a whole one without a fraction.
#[must_use]
pub fn json_number(number: f64) -> Value {
    const SAFE: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= SAFE {
        #[allow(clippy::cast_possible_truncation, reason = "it is whole and fits")]
        return Value::from(number as i64);
    }
    Value::from(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_read_as_in_javascript() {
        for value in [json!(null), json!(false), json!(0), json!(""), json!(0.0)] {
            assert!(!truthy(Some(&value)), "{value}");
        }
        for value in [json!("0"), json!([]), json!({}), json!(-1)] {
            assert!(truthy(Some(&value)), "{value}");
        }
        assert_eq!([string(&json!(5.0)), string(&json!(1.25)), string(&json!(true))], ["5", "1.25", "true"]);
        assert_eq!([number_of(" 12.5 "), number_of(""), number_of("1e3")], [Some(12.5), Some(0.0), Some(1000.0)]);
        assert_eq!([number_of("12px"), number_of("inf"), number(&json!({}))], [None; 3]);
        assert_eq!([json_number(5.0), json_number(0.5)], [json!(5), json!(0.5)]);
    }
}
