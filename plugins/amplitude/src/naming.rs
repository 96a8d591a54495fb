//! What pages and screens are called.

use pintle_plugin_sdk::placeholders::Template;
use pintle_plugin_sdk::tree::Look;
use serde_json::Value;

/// How the event of a page or screen is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Naming {
    /// `Viewed … Page`, with the page's own name in it.
    Viewed(&'static str),
    /// The page's own name and nothing else: a name was asked for, and no text to put it in was given.
    Own,
    /// A text of the user's, with fields of the event in it.
    Template(Template),
}

impl Naming {
    /// The event's type, which Amplitude shows as its name.
    ///
    /// # Errors
    /// When nothing is left of it: Amplitude takes no event without a type.
    pub fn event_type(&self, event: &Value) -> Result<String, String> {
        let own = || own(event).unwrap_or_default();
        let name = match self {
            Naming::Viewed(what) => format!("Viewed {} {what}", own()),
            Naming::Own => own(),
            Naming::Template(template) => template.fill(|path| field(event, path)),
        };
        if name.is_empty() {
            return Err("it has no name to make an event type of; set `name` on pages and screens".to_owned());
        }
        Ok(name)
    }
}

/// What the page or screen calls itself.
pub fn own(event: &Value) -> Option<String> {
    event.text(&["name", "event", "properties.name", "category", "properties.category"])
}

/// A field of the event, or else of its properties.
fn field(event: &Value, path: &str) -> Option<String> {
    event.text(&[path]).or_else(|| event.at("properties")?.text(&[path]))
}
