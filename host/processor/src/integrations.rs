//! Which destinations an event is for, as its `integrations` say it.
//!
//! ```json
//! {"integrations": {"All": false, "Webhook": true}}
//! ```
//! Names are those of RudderStack's SDKs: a destination's id, its name, or its plugin, in any case. What is
//! not named goes by `All`, which is true unless it is said to be false.

use pintle_catalog::Destination;
use serde::Deserialize;
use serde_json::{Map, Value};

/// One destination, by the names that an event may call it.
#[derive(Clone, Debug)]
pub struct Gate {
    names: [String; 3],
}

#[derive(Deserialize)]
struct Carrier {
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    integrations: Option<Value>,
}

impl Gate {
    /// The gate of a destination.
    #[must_use]
    pub fn new(id: &str, destination: &Destination) -> Gate {
        Gate { names: [id, &destination.name, &destination.plugin].map(str::to_lowercase) }
    }

    /// Whether an event goes on to this destination. `members` is `"message": …, "metadata": …`.
    #[must_use]
    pub fn lets_through(&self, members: &[u8]) -> bool {
        let text = [b"{", members, b"}"].concat();
        // What cannot be read says nothing about where it goes.
        let Ok(carrier) = serde_json::from_slice::<Carrier>(&text) else { return true };
        match carrier.message.integrations {
            Some(Value::Object(integrations)) => self.named(&integrations),
            _ => true,
        }
    }

    fn named(&self, integrations: &Map<String, Value>) -> bool {
        // An object holds options for the destination: that is a yes.
        let is_yes = |value: &Value| !matches!(value, Value::Bool(false) | Value::Null);
        // The id says more than the name, and the name more than the plugin.
        let own = self.names.iter().find_map(|name| {
            integrations.iter().find(|(key, _)| key.to_lowercase() == *name).map(|(_, value)| is_yes(value))
        });
        own.or_else(|| integrations.get("All").map(is_yes)).unwrap_or(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pintle_catalog::DestinationState;
    use serde_json::json;

    fn passes(integrations: Value) -> bool {
        let destination = Destination {
            name: "Our Orders".into(),
            plugin: "webhook".into(),
            config: json!({}),
            state: DestinationState::Enabled,
            message_types: None,
        };
        let message = json!({"integrations": integrations});
        let members = format!(r#""message":{message},"metadata":{{}}"#);
        Gate::new("orders", &destination).lets_through(members.as_bytes())
    }

    #[test]
    fn what_is_named_decides_before_all() {
        assert!(passes(json!({"All": false, "Webhook": true})));
        assert!(passes(json!({"All": false, "ORDERS": {"option": 1}})));
        assert!(!passes(json!({"All": true, "our orders": false})));
        assert!(!passes(json!({"webhook": true, "orders": false})), "the id goes before the plugin");
    }

    #[test]
    fn what_is_not_named_goes_by_all() {
        assert!(!passes(json!({"All": false, "Amplitude": true})));
        assert!(passes(json!({"Amplitude": true})));
        assert!(passes(json!({})) && passes(json!(null)) && passes(json!("x")));
    }
}
