//! Which destinations an event is for, as its `integrations` say it.
//!
//! ```json
//! {"integrations": {"All": false, "Webhook": true}}
//! ```
//! A destination is named as RudderStack's SDKs do, by the name that is shown for its type, or by its id, its own
//! name or its plugin, in any case. What is
//! not named goes by `All`, which is true unless it is said to be false. As in RudderStack, `integrations` that
//! are no object, or whose `All` is neither true nor false, are for no destination at all.
//!
//! It is asked of every event and for each destination, and nearly every event says `{"All": true}` or nothing:
//! a search for bytes finds that out, and only what says more is read.

use memchr::memmem::Finder;
use pintle_catalog::Destination;
use pintle_events::{scan, surrogates};
use serde_json::{Map, Value};
use std::sync::LazyLock;

/// Why an event is not for a destination.
pub const LEFT_OUT: &str = "its integrations leave this destination out";

/// One destination, by the names that an event may call it.
#[derive(Clone, Debug)]
pub struct Gate {
    names: Vec<String>,
}

impl Gate {
    /// The gate of a destination.
    #[must_use]
    pub fn new(id: &str, destination: &Destination) -> Gate {
        // The id says more than the name, and the name more than the type.
        let names = [
            Some(id),
            Some(destination.name.as_str()),
            destination.integration.as_deref(),
            Some(destination.plugin.as_str()),
        ];
        Gate { names: names.into_iter().flatten().map(|name| name.trim().to_lowercase()).collect() }
    }

    /// Whether an event goes on to this destination. `message` is its JSON text.
    #[must_use]
    pub fn lets_through(&self, message: &[u8]) -> bool {
        if says_nothing(message) {
            return true;
        }
        let message = String::from_utf8_lossy(message);
        let [Some(integrations)] = scan::members(&message, ["integrations"]) else { return true };
        let mut text = integrations.as_bytes().to_vec();
        surrogates::mend(&mut text);
        match serde_json::from_slice(&text) {
            Ok(Value::Object(integrations)) => self.named(&integrations),
            Ok(Value::Null) => true,
            _ => false,
        }
    }

    fn named(&self, integrations: &Map<String, Value>) -> bool {
        let all = match integrations.get("All") {
            None => true,
            Some(Value::Bool(all)) => *all,
            Some(_) => return false,
        };
        // An object holds options for the destination: that is a yes.
        let is_yes = |value: &Value| !matches!(value, Value::Bool(false) | Value::Null);
        let own = self.names.iter().find_map(|name| {
            integrations.iter().find(|(key, _)| key.to_lowercase() == *name).map(|(_, value)| is_yes(value))
        });
        own.unwrap_or(all)
    }
}

/// Whether an event is for every destination at first sight: wherever the word stands in it, an empty object or
/// `{"All": true}` follows. What is written with escapes is read instead.
fn says_nothing(message: &[u8]) -> bool {
    static WORD: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"integrations\""));
    static ESCAPE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\\u"));
    let mut words = WORD.find_iter(message);
    words.all(|at| is_for_all(&message[at + WORD.needle().len()..])) && ESCAPE.find(message).is_none()
}

/// Whether the text goes on with `: {}` or `: {"All": true}`.
fn is_for_all(text: &[u8]) -> bool {
    let rest = after(text, b":").and_then(|rest| after(rest, b"{"));
    let Some(rest) = rest else { return false };
    let yes = after(rest, b"\"All\"").and_then(|rest| after(rest, b":")).and_then(|rest| after(rest, b"true"));
    after(yes.unwrap_or(rest), b"}").is_some()
}

/// What follows this token, which white space may stand before.
fn after<'a>(text: &'a [u8], token: &[u8]) -> Option<&'a [u8]> {
    text.trim_ascii_start().strip_prefix(token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pintle_catalog::DestinationState;
    use serde_json::json;

    fn passes_text(message: &str) -> bool {
        let destination = Destination {
            name: "Our Orders".into(),
            plugin: "webhook".into(),
            config: json!({}),
            state: DestinationState::Enabled,
            message_types: None,
            integration: Some("Order Book (V2)".into()),
            delivery: None,
        };
        Gate::new("orders", &destination).lets_through(message.as_bytes())
    }

    fn passes(integrations: Value) -> bool {
        passes_text(&json!({"type": "track", "integrations": integrations}).to_string())
    }

    #[test]
    fn what_is_named_decides_before_all() {
        assert!(passes(json!({"All": false, "Webhook": true})));
        assert!(passes(json!({"All": false, "ORDERS": {"option": 1}})));
        assert!(!passes(json!({"All": true, "our orders": false})));
        assert!(passes(json!({"All": false, "Order Book (v2)": true, "Webhook": false})));
        assert!(!passes(json!({"webhook": true, "orders": false})), "the id goes before the plugin");
    }

    #[test]
    fn what_is_not_named_goes_by_all() {
        assert!(!passes(json!({"All": false, "Amplitude": true})));
        assert!(passes(json!({"Amplitude": true})));
        assert!(passes(json!({})) && passes(json!(null)) && passes(json!({"All": true})));
        assert!(passes_text("{}") && passes_text(r#"{"integrations" : { } }"#));
    }

    #[test]
    fn what_makes_no_sense_is_for_nobody() {
        for all in [json!("true"), json!(1), json!(null), json!({})] {
            assert!(!passes(json!({"All": all, "Webhook": true})), "{all}");
        }
        assert!(!passes(json!("x")) && !passes(json!([])) && !passes(json!(true)));
    }

    #[test]
    fn however_it_is_written_it_is_found() {
        for stopped in [
            r#"{"integrations":{"All":true},"integrations":{"All":false}}"#,
            r#"{"integr\u0061tions":{"All":false}}"#,
            r#"{"context":{"integrations":{"All":true}},"integrations":{"All":true,"Webhook":false}}"#,
            r#"{"integrations" : { "All" : true , "Webhook" : false } }"#,
            r#"{"x":"\ud800","integrations":{"\ud800":1,"\u0041ll":false}}"#,
        ] {
            assert!(!passes_text(stopped), "{stopped}");
        }
        for through in [
            r#"{"integrations":{"All":false},"integrations":{"All":true}}"#,
            r#"{"context":{"integrations":{"All":false}},"properties":{"a":"integrations"}}"#,
            r#"{"properties":{"integrations":{"All":false}},"integrations" : { "All" : true } }"#,
            "{\"integrations\"\t:\n{ \"All\" :true}}",
        ] {
            assert!(passes_text(through), "{through}");
        }
    }

    #[test]
    fn most_events_are_not_even_read() {
        for usual in [
            r#"{"type":"track","properties":{"a":1}}"#,
            r#"{"integrations":{"All":true},"type":"track"}"#,
            r#"{"integrations": {}, "type":"track"}"#,
        ] {
            assert!(says_nothing(usual.as_bytes()), "{usual}");
        }
        assert!(!says_nothing(br#"{"integrations":{"All":true,"Webhook":false}}"#));
    }
}
