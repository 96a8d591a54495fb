//! Rows that come from a warehouse.
//!
//! Whoever reads a warehouse sends the time of reading; when something happened stands in a column of the row, which
//! arrives as a trait or a property called `timestamp`. Rows that a mapping in the workspace has given a
//! destination's own names (`context.mappedToDestination`) are taken as they are.

use crate::Event;
use crate::fields::Fields;
use crate::json::Members;
use serde_json::value::RawValue;

/// The `channel` of such events.
const CHANNEL: &str = "\"sources\"";
const TIMESTAMP: &str = "timestamp";

/// Where the time of an identify's row may stand, and that of a track's. The event's own times come behind them.
const OF_IDENTIFY: [&str; 3] = ["context.timestamp", "context.traits.timestamp", "traits.timestamp"];
const OF_TRACK: [&str; 1] = ["properties.timestamp"];

/// The event with its row's time as its own; nothing when it is none of a warehouse, or its row has none.
pub(crate) fn timed(event: &Event<'_>) -> Option<Box<RawValue>> {
    // Nearly every event is told from these by its bytes.
    if !mentions(event.raw().get().as_bytes()) {
        return None;
    }
    let fields = event.fields();
    if fields.get("channel")?.get() != CHANNEL || is_mapped(fields) {
        return None;
    }
    let places: &[&str] = match event.kind().as_str() {
        "identify" => &OF_IDENTIFY,
        "track" => &OF_TRACK,
        _ => return None,
    };
    let time = fields.first(places).filter(|time| !is_blank(time))?;
    let mut json = Members::of(event.raw())?.without(&[TIMESTAMP]);
    json.pop();
    if json.len() > 1 {
        json.push(b',');
    }
    json.extend_from_slice(format!("\"{TIMESTAMP}\":{}}}", time.get()).as_bytes());
    RawValue::from_string(String::from_utf8(json).ok()?).ok()
}

/// Whether the channel's name stands anywhere in an event. Every event pays for this, so that not every byte is looked
/// at: of a word of nine, one stands at a ninth place.
fn mentions(json: &[u8]) -> bool {
    let mut at = CHANNEL.len() - 1;
    while let Some(byte) = json.get(at) {
        let begins = |before: usize| json[at - before] == b'"' && json[at - before..].starts_with(CHANNEL.as_bytes());
        let is_in = match byte {
            b'"' => begins(0) || begins(8),
            b's' => begins(1) || begins(7),
            b'o' => begins(2),
            b'u' => begins(3),
            b'r' => begins(4),
            b'c' => begins(5),
            b'e' => begins(6),
            _ => false,
        };
        if is_in {
            return true;
        }
        at += CHANNEL.len();
    }
    false
}

fn is_mapped(fields: &Fields<'_>) -> bool {
    fields.text(&["context.mappedToDestination"]).is_some_and(|mapped| mapped != "false")
}

fn is_blank(value: &RawValue) -> bool {
    matches!(value.get(), "\"\"" | "0" | "false")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use super::*;

    fn of(event: &str) -> Option<String> {
        let event: &RawValue = serde_json::from_str(event).unwrap();
        timed(&Event::new(event, None)).map(|timed| timed.get().to_owned())
    }

    #[test]
    fn a_rows_time_becomes_the_events() {
        let event =
            r#"{"type":"identify","channel":"sources","timestamp":"now","traits":{"timestamp":"2024-01-01","n":1.0}}"#;
        let expected = r#"{"type":"identify","channel":"sources","traits":{"timestamp":"2024-01-01","n":1.0},"timestamp":"2024-01-01"}"#;
        assert_eq!(of(event).unwrap(), expected);
        let event = r#"{"type":"Track","channel":"sources","properties":{"timestamp":1704067200}}"#;
        assert!(of(event).unwrap().ends_with(r#","timestamp":1704067200}"#));
    }

    #[test]
    fn the_channel_is_found_wherever_it_stands() {
        for before in 0..20 {
            for behind in 0..20 {
                let text = |word: &str| format!("{}{word}{}", "s".repeat(before), "\"".repeat(behind));
                assert!(mentions(text(CHANNEL).as_bytes()), "{before} {behind}");
                assert!(!mentions(text("\"source\"").as_bytes()), "{before} {behind}");
            }
        }
        assert!(!mentions(b"") && !mentions(b"\"sources"));
    }

    #[test]
    fn other_events_stay_as_they_are() {
        for event in [
            r#"{"type":"track","channel":"web","properties":{"timestamp":"2024-01-01","from":"sources"}}"#,
            r#"{"type":"track","channel":"sources","context":{"mappedToDestination":true},"properties":{"timestamp":"2024-01-01"}}"#,
            r#"{"type":"track","channel":"sources","properties":{"timestamp":null},"timestamp":"now"}"#,
            r#"{"type":"page","channel":"sources","properties":{"timestamp":"2024-01-01"}}"#,
            r#"{"type":"identify","channel":"sources","traits":{"timestamp":""}}"#,
        ] {
            assert_eq!(of(event), None, "{event}");
        }
    }
}
