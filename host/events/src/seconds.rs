//! Durations in files: seconds, whole or with a fraction. For `#[serde(with = "seconds")]` in every
//! crate's settings, so that `0.25` means the same everywhere and is refused in the same words.

use serde::{Deserialize, Deserializer, de::Error};
use std::time::Duration;

/// Reads a number of seconds.
///
/// # Errors
/// When it is negative, not a number, or more than a [`Duration`] holds.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let seconds = f64::deserialize(from)?;
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| D::Error::custom(format!("{seconds} is not a duration in seconds")))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    fn read(text: &str) -> Result<Duration, String> {
        super::deserialize(&mut serde_json::Deserializer::from_str(text)).map_err(|error| error.to_string())
    }

    #[test]
    fn whole_seconds_and_fractions_are_durations() {
        assert_eq!(read("90"), Ok(Duration::from_secs(90)));
        assert_eq!(read("0.25"), Ok(Duration::from_millis(250)));
        assert_eq!(read("0"), Ok(Duration::ZERO));
    }

    #[test]
    fn what_is_no_duration_is_refused_with_its_value() {
        assert!(read("-1").unwrap_err().starts_with("-1 is not a duration in seconds"));
        assert!(read("1e300").unwrap_err().contains("is not a duration in seconds"));
        assert!(read("\"10s\"").is_err());
    }
}
