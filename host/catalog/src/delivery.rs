//! How the deliveries of one destination are sent, where that differs from the server's settings.
//!
//! What is absent is the server's (`router` in the configuration file), the rate the plugin's manifest's. Names
//! and meanings are those of the router's settings; times are seconds, whole or with a fraction.

use crate::Problem;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::RangeInclusive;

/// The longest time-out: whoever needs longer than an hour for an answer answers before it is done.
const TIMEOUT_SECONDS: RangeInclusive<f64> = 0.001..=3_600.0;
/// The longest wait between two tries.
const WAIT_SECONDS: RangeInclusive<f64> = 0.001..=86_400.0;
/// A wait that a destination asks for may be ignored altogether.
const RETRY_AFTER_SECONDS: RangeInclusive<f64> = 0.0..=86_400.0;
/// As long as dead letters are kept.
const WINDOW_SECONDS: RangeInclusive<f64> = 0.0..=2_592_000.0;
const ATTEMPTS: RangeInclusive<f64> = 1.0..=1_000_000.0;
const REQUESTS_PER_SECOND: RangeInclusive<f64> = 0.001..=1_000_000.0;
const REQUESTS: RangeInclusive<f64> = 1.0..=1_024.0;
const RESPONSE_BYTES: RangeInclusive<f64> = 1.0..=16_777_216.0;

/// What a destination sets for itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// Requests begun in a second, on average.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_second_max: Option<f64>,
    /// Requests in flight at the same time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency_max: Option<u32>,
    /// Seconds until a connection stands: name, TCP and TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_timeout: Option<f64>,
    /// Seconds until the head of the answer has come, connection included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_byte_timeout: Option<f64>,
    /// Seconds for one request with its answer, connection included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt_timeout: Option<f64>,
    /// Bytes of an answer's body that are read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_bytes_max: Option<u32>,
    /// Tries that a delivery gets however long they take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts_min: Option<u32>,
    /// Tries after which a delivery becomes a dead letter, also when it was throttled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts_max: Option<u32>,
    /// Seconds after its first failure when a delivery becomes a dead letter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_time_window: Option<f64>,
    /// Seconds of the first wait after a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_base: Option<f64>,
    /// Seconds of the longest wait that the destination did not ask for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_max: Option<f64>,
    /// Seconds of the longest `Retry-After` that is honoured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_max: Option<f64>,
}

/// One of the settings: its name in a file, its value, what it may be, and in which unit.
type Setting = (&'static str, Option<f64>, RangeInclusive<f64>, &'static str);

impl Delivery {
    /// Whether it says nothing.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        *self == Delivery::default()
    }

    /// What is set, by its name in a file.
    pub fn given(&self) -> impl Iterator<Item = (&'static str, f64)> {
        self.settings().into_iter().filter_map(|(name, value, ..)| Some((name, value?)))
    }

    fn settings(&self) -> [Setting; 12] {
        [
            ("requests-per-second-max", self.requests_per_second_max, REQUESTS_PER_SECOND, "requests"),
            ("concurrency-max", self.concurrency_max.map(f64::from), REQUESTS, "requests"),
            ("connect-timeout", self.connect_timeout, TIMEOUT_SECONDS, "seconds"),
            ("first-byte-timeout", self.first_byte_timeout, TIMEOUT_SECONDS, "seconds"),
            ("attempt-timeout", self.attempt_timeout, TIMEOUT_SECONDS, "seconds"),
            ("response-bytes-max", self.response_bytes_max.map(f64::from), RESPONSE_BYTES, "bytes"),
            ("attempts-min", self.attempts_min.map(f64::from), ATTEMPTS, "tries"),
            ("attempts-max", self.attempts_max.map(f64::from), ATTEMPTS, "tries"),
            ("retry-time-window", self.retry_time_window, WINDOW_SECONDS, "seconds"),
            ("retry-base", self.retry_base, WAIT_SECONDS, "seconds"),
            ("retry-max", self.retry_max, WAIT_SECONDS, "seconds"),
            ("retry-after-max", self.retry_after_max, RETRY_AFTER_SECONDS, "seconds"),
        ]
    }

    /// Adds what is wrong with it.
    pub(crate) fn check(&self, path: &str, problems: &mut Vec<Problem>) {
        for (name, value, range, unit) in self.settings() {
            // Not `<` and `>`: what is no number is outside of every range.
            if let Some(value) = value
                && !range.contains(&value)
            {
                problems.push(Problem::new(
                    format!("{path}.{name}"),
                    format!("is {value}"),
                    format!("use {} to {} {unit}", range.start(), range.end()),
                ));
            }
        }
        for (less, least, more, most) in [
            ("attempts-min", self.attempts_min.map(f64::from), "attempts-max", self.attempts_max.map(f64::from)),
            ("retry-base", self.retry_base, "retry-max", self.retry_max),
            ("connect-timeout", self.connect_timeout, "attempt-timeout", self.attempt_timeout),
            ("first-byte-timeout", self.first_byte_timeout, "attempt-timeout", self.attempt_timeout),
        ] {
            if let (Some(least), Some(most)) = (least, most)
                && least > most
            {
                problems.push(Problem::new(
                    format!("{path}.{less}"),
                    format!("is {least}, more than `{more}`, which is {most}"),
                    format!("lower it, or raise `{more}`"),
                ));
            }
        }
    }
}

impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_blank() {
            return f.write_str("none");
        }
        for (place, (name, value)) in self.given().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            write!(f, "{comma}{name} {value}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn problems(document: Value) -> Vec<String> {
        let delivery: Delivery = serde_json::from_value(document).unwrap();
        let mut problems = Vec::new();
        delivery.check("d", &mut problems);
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn sound_settings_have_no_problems_and_are_told_in_words() {
        let document = json!({"requests_per_second_max": 0.5, "attempts_max": 20, "attempt_timeout": 30});
        assert_eq!(problems(document.clone()), [""; 0]);
        let delivery: Delivery = serde_json::from_value(document).unwrap();
        assert_eq!(delivery.to_string(), "requests-per-second-max 0.5, attempt-timeout 30, attempts-max 20");
        assert_eq!(Delivery::default().to_string(), "none");
        assert_eq!(problems(json!({"retry_after_max": 0, "retry_time_window": 0})), [""; 0]);
    }

    #[test]
    fn each_mistake_is_named_with_its_place_and_what_to_do() {
        for (document, start) in [
            (json!({"requests_per_second_max": 0}), "d.requests-per-second-max: is 0; use 0.001 to 1000000 requests"),
            (json!({"requests_per_second_max": -3}), "d.requests-per-second-max: is -3; use"),
            (json!({"concurrency_max": 0}), "d.concurrency-max: is 0; use 1 to 1024 requests"),
            (json!({"attempt_timeout": 3_601}), "d.attempt-timeout: is 3601; use 0.001 to 3600 seconds"),
            (json!({"connect_timeout": 0}), "d.connect-timeout: is 0; use"),
            (json!({"response_bytes_max": 0}), "d.response-bytes-max: is 0; use 1 to 16777216 bytes"),
            (json!({"attempts_max": 0}), "d.attempts-max: is 0; use 1 to 1000000 tries"),
            (json!({"retry_time_window": 1e9}), "d.retry-time-window: is 1000000000; use 0 to 2592000 seconds"),
            (
                json!({"attempts_min": 5, "attempts_max": 4}),
                "d.attempts-min: is 5, more than `attempts-max`, which is 4; lower it, or raise `attempts-max`",
            ),
            (json!({"retry_base": 9, "retry_max": 3}), "d.retry-base: is 9, more than `retry-max`"),
            (
                json!({"first_byte_timeout": 9, "attempt_timeout": 3}),
                "d.first-byte-timeout: is 9, more than `attempt-timeout`",
            ),
        ] {
            let problems = problems(document.clone());
            assert_eq!(problems.len(), 1, "{document}: {problems:?}");
            assert!(problems[0].starts_with(start), "{document}: {problems:?}");
        }
    }

    #[test]
    fn a_name_that_nobody_knows_is_refused_where_it_is_read() {
        let error = serde_json::from_value::<Delivery>(json!({"attempt_max": 3})).unwrap_err().to_string();
        assert!(error.contains("attempt_max"), "{error}");
        assert!(serde_json::from_value::<Delivery>(json!({"attempts_max": 1.5})).is_err());
    }
}
