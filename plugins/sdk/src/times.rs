//! Times as events write them, and as destinations want them.

use serde_json::Value;
use time::format_description::well_known::Iso8601;
use time::macros::format_description;
use time::{Date, OffsetDateTime, PrimitiveDateTime};

/// A number below this counts seconds since 1970, above it milliseconds: 1e11 ms is in 1973, 1e11 s in 5138.
const SECONDS_MAX: f64 = 1e11;

/// Milliseconds since 1970 of a text in ISO 8601 (without an offset: UTC; a date alone: its start), or of a
/// number or a text of digits, in seconds or milliseconds.
#[must_use]
pub fn millis(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => millis_of(text),
        Value::Number(number) => number.as_f64().and_then(of_number),
        _ => None,
    }
}

/// The same for a text.
#[must_use]
pub fn millis_of(text: &str) -> Option<i64> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) && text.len() > 8 {
        return of_number(text.parse().ok()?);
    }
    // A blank instead of the T, as databases write it.
    let with_t = text.replacen(' ', "T", 1);
    let nanos = OffsetDateTime::parse(&with_t, &Iso8601::DEFAULT)
        .or_else(|_| PrimitiveDateTime::parse(&with_t, &Iso8601::DEFAULT).map(PrimitiveDateTime::assume_utc))
        .or_else(|_| Date::parse(&with_t, &Iso8601::DEFAULT).map(|date| date.midnight().assume_utc()))
        .ok()?
        .unix_timestamp_nanos();
    i64::try_from(nanos.div_euclid(1_000_000)).ok()
}

fn of_number(number: f64) -> Option<i64> {
    let millis = if number.abs() < SECONDS_MAX { number * 1000.0 } else { number };
    #[allow(clippy::cast_possible_truncation, reason = "it is checked to be far inside")]
    (millis.abs() < 8.64e15).then_some(millis.round() as i64)
}

/// `2006-01-02T15:04:05.000Z`, as `toISOString` writes it; empty for a time beyond the year 9999.
#[must_use]
pub fn iso(millis: i64) -> String {
    let layout = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000);
    time.ok().and_then(|time| time.format(&layout).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn times_are_read_however_they_are_written() {
        for (text, expected) in [
            ("2024-02-29T12:00:00.123Z", Some(1_709_208_000_123)),
            ("2024-02-29T14:00:00+02:00", Some(1_709_208_000_000)),
            ("2024-02-29 12:00:00", Some(1_709_208_000_000)),
            ("2024-02-29", Some(1_709_164_800_000)),
            ("1709208000", Some(1_709_208_000_000)),
            ("1709208000123", Some(1_709_208_000_123)),
            ("20240229", Some(1_709_164_800_000)),
            ("2023-02-29", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(millis(&json!(text)), expected, "{text}");
        }
        assert_eq!(millis(&json!(1_709_208_000)), Some(1_709_208_000_000));
        assert_eq!(iso(1_709_208_000_123), "2024-02-29T12:00:00.123Z");
        assert_eq!(iso(-1), "1969-12-31T23:59:59.999Z");
    }
}
