//! The times of an event: what clients write, and what readers are given.
//!
//! A client's clock may be wrong. It says when it thinks the event happened (`originalTimestamp`) and when it
//! sent it (`sentAt`); only the difference of the two is believed, and counted back from the moment at which
//! the event arrived. The rules and the layout are RudderStack's, so that what was written for its events goes
//! on to work.

use crate::scan::Event;
use std::time::{SystemTime, UNIX_EPOCH};
use time::{Date, Month, Time, UtcOffset};

/// Now, in milliseconds since 1970.
#[must_use]
pub fn now_ms() -> i64 {
    // A clock before 1970 is a machine without a clock; what events say of themselves still stands.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

/// Times that a reader is given besides what the client wrote: those that the client did not write, or not in
/// the usual layout. Milliseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// `originalTimestamp`: when the event happened, by the client's clock; when it arrived, if the client does
    /// not say.
    pub original_timestamp_ms: Option<i64>,
    /// `sentAt`: when it was sent, by the client's clock; when it arrived, if the client does not say.
    pub sent_at_ms: Option<i64>,
    /// `timestamp`: when the event happened. The client's own, else counted back from its arrival.
    pub timestamp_ms: Option<i64>,
}

impl Times {
    /// What has to be added to an event that arrived at that moment.
    #[must_use]
    pub fn of(event: &Event<'_>, received_at_ms: i64) -> Times {
        let read = |text: &Option<_>| text.as_deref().and_then(parse);
        let added = |read: Option<Parsed>, otherwise: i64| match read {
            Some(Parsed { is_usual: true, .. }) => None,
            Some(Parsed { ms, .. }) => Some(ms),
            None => Some(otherwise),
        };
        let received_ms = read(&event.received_at).map_or(received_at_ms, |own| own.ms);
        let (original, sent) = (read(&event.original_timestamp), read(&event.sent_at));
        let ms = |time: Option<Parsed>| time.map_or(received_ms, |time| time.ms);
        let happened_ms = received_ms.saturating_sub(ms(sent).saturating_sub(ms(original)));
        Times {
            original_timestamp_ms: added(original, received_ms),
            sent_at_ms: added(sent, received_ms),
            timestamp_ms: added(read(&event.timestamp), happened_ms),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parsed {
    pub(crate) ms: i64,
    /// Written as `2006-01-02T15:04:05.000Z`, or with an offset in the place of the Z.
    is_usual: bool,
}

/// Reads an RFC 3339 time, also with a space between date and time, and without a zone, which is UTC then.
pub(crate) fn parse(text: &str) -> Option<Parsed> {
    let bytes = text.as_bytes();
    let separators = [(4, b"-" as &[u8]), (7, b"-"), (10, b"Tt "), (13, b":"), (16, b":")];
    if bytes.len() < 19 || separators.iter().any(|(at, one_of)| !one_of.contains(&bytes[*at])) {
        return None;
    }
    let month = Month::try_from(number(&bytes[5..7])? as u8).ok()?;
    let date = Date::from_calendar_date(number(&bytes[..4])? as i32, month, number(&bytes[8..10])? as u8).ok()?;
    let [hour, minute, second] = [11, 14, 17].map(|at| number(&bytes[at..at + 2]));
    let time = Time::from_hms(hour? as u8, minute? as u8, second? as u8).ok()?;
    let (fraction, zone) = match bytes[19..].strip_prefix(b".") {
        None => (&b""[..], &bytes[19..]),
        Some(rest) => rest.split_at(rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len())),
    };
    if fraction.is_empty() && bytes.get(19) == Some(&b'.') {
        return None;
    }
    // Milliseconds are kept; what is finer is cut off.
    let ms = fraction.iter().chain(b"000").take(3).fold(0, |ms, digit| ms * 10 + i64::from(digit - b'0'));
    let offset = match zone {
        b"" | b"Z" | b"z" => UtcOffset::UTC,
        [sign @ (b'+' | b'-'), rest @ ..] if rest.len() == 5 && rest[2] == b':' => {
            let (hours, minutes) = (number(&rest[..2])? as i8, number(&rest[3..])? as i8);
            let sign = if *sign == b'-' { -1 } else { 1 };
            UtcOffset::from_hms(sign * hours, sign * minutes, 0).ok()?
        }
        _ => return None,
    };
    let at = date.with_time(time).assume_offset(offset);
    let is_usual = bytes[10] == b'T' && fraction.len() == 3 && !matches!(zone, b"" | b"z");
    Some(Parsed { ms: at.unix_timestamp() * 1000 + ms, is_usual })
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + u32::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::timestamp;
    use crate::scan::{self, Limits};

    const RECEIVED_MS: i64 = 1_795_255_872_345; // 2026-11-21T10:11:12.345Z

    fn added(event: &str) -> Vec<(&'static str, String)> {
        let event = scan::event(event, &Limits { nesting_max: 10, events_max: 1 }).unwrap();
        let Times { original_timestamp_ms, sent_at_ms, timestamp_ms } = Times::of(&event, RECEIVED_MS);
        let named = [("originalTimestamp", original_timestamp_ms), ("sentAt", sent_at_ms), ("timestamp", timestamp_ms)];
        named.into_iter().filter_map(|(name, ms)| Some((name, timestamp(ms?)))).collect()
    }

    #[test]
    fn a_clock_that_is_wrong_is_corrected_by_what_it_says_of_itself() {
        // An hour fast, and half a minute between the event and its sending.
        let event = r#"{"originalTimestamp":"2026-11-21T11:10:00.000Z","sentAt":"2026-11-21T11:10:30.000Z"}"#;
        assert_eq!(added(event), [("timestamp", "2026-11-21T10:10:42.345Z".to_owned())]);
    }

    #[test]
    fn an_event_without_times_happened_when_it_arrived() {
        let now = "2026-11-21T10:11:12.345Z".to_owned();
        let all = ["originalTimestamp", "sentAt", "timestamp"].map(|name| (name, now.clone()));
        assert_eq!(added("{}"), all);
        assert_eq!(added(r#"{"originalTimestamp":"yesterday","sentAt":5,"timestamp":""}"#), all);
    }

    #[test]
    fn a_time_of_the_clients_own_stands_and_is_only_written_as_usual() {
        let usual = r#""originalTimestamp":"2020-01-01T00:00:00.000Z","sentAt":"2020-01-01T00:00:00.000+02:00""#;
        let stands = format!(r#"{{{usual},"timestamp":"2019-12-31T23:59:59.999Z"}}"#);
        assert!(added(&stands).is_empty());
        let rewritten = format!(r#"{{{usual},"timestamp":"2019-12-31 23:59:59+01:00"}}"#);
        assert_eq!(added(&rewritten), [("timestamp", "2019-12-31T22:59:59.000Z".to_owned())]);
    }

    #[test]
    fn an_arrival_that_the_event_brings_along_is_counted_from() {
        let event = r#"{"receivedAt":"2020-01-01T00:00:10.000Z","originalTimestamp":"2020-01-01T00:00:00.000Z"}"#;
        let wanted = [("sentAt", "2020-01-01T00:00:10.000Z"), ("timestamp", "2020-01-01T00:00:00.000Z")];
        assert_eq!(added(event), wanted.map(|(name, time)| (name, time.to_owned())));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "2026-11-21",
            "2026-13-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-11-21T24:00:00Z",
            "2026-11-21T10:11:12.Z",
            "2026-11-21T10:11:12.345+1:00",
            "2026-11-21T10:11:12.345ZZ",
            "２026-11-21T10:11:12Z",
            "1795255872345",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        for text in ["2026-11-21T10:11:12.345678Z", "2026-11-21t10:11:12.345z", "2026-11-21 10:11:12.345"] {
            assert_eq!(parse(text), Some(Parsed { ms: RECEIVED_MS, is_usual: false }), "{text}");
        }
    }
}
