//! Workspace files, built in code.

use serde_json::{Value, json};

/// The write key of the one source.
pub const WRITE_KEY: &str = "test-write-key";
/// The id of the one source.
pub const SOURCE: &str = "site";

/// A workspace with one source, and webhook destinations behind it.
#[derive(Clone, Debug)]
pub struct Workspace(Value);

impl Default for Workspace {
    fn default() -> Workspace {
        Workspace::new()
    }
}

impl Workspace {
    /// The source alone.
    #[must_use]
    pub fn new() -> Workspace {
        Workspace(json!({
            "sources": {SOURCE: {"write-key": WRITE_KEY}},
            "destinations": {},
            "transformations": {},
            "connections": {},
        }))
    }

    /// With a destination that gets the events as they are.
    #[must_use]
    pub fn webhook(mut self, id: &str, url: &str) -> Workspace {
        self.0["destinations"][id] = json!({"plugin": "webhook", "config": {"webhookUrl": url}});
        self.0["connections"][format!("{SOURCE}-{id}")] = json!({"source": SOURCE, "destination": id});
        self
    }

    /// With a destination of this plugin.
    #[must_use]
    pub fn destination(mut self, id: &str, plugin: &str, config: Value) -> Workspace {
        self.0["destinations"][id] = json!({"plugin": plugin, "config": config});
        self.0["connections"][format!("{SOURCE}-{id}")] = json!({"source": SOURCE, "destination": id});
        self
    }

    /// With this plugin and configuration for a destination that is there.
    #[must_use]
    pub fn destination_of(mut self, id: &str, plugin: &str, config: Value) -> Workspace {
        self.0["destinations"][id] = json!({"plugin": plugin, "config": config});
        self
    }

    /// With a destination that gets what this JavaScript makes of them.
    #[must_use]
    pub fn transformed(self, id: &str, url: &str, code: &str) -> Workspace {
        let mut workspace = self.webhook(id, url).code(id, code);
        workspace.0["connections"][format!("{SOURCE}-{id}")]["transformations"] = json!([id]);
        workspace
    }

    /// With this filter on the connection of a destination.
    #[must_use]
    pub fn filter(mut self, id: &str, filter: &Value) -> Workspace {
        self.0["connections"][format!("{SOURCE}-{id}")]["filter"] = filter.clone();
        self
    }

    /// With another name for the destination in the `integrations` of events.
    #[must_use]
    pub fn integration(mut self, id: &str, name: &str) -> Workspace {
        self.0["destinations"][id]["integration"] = name.into();
        self
    }

    /// With delivery settings of the destination's own.
    #[must_use]
    pub fn delivery(mut self, id: &str, settings: Value) -> Workspace {
        self.0["destinations"][id]["delivery"] = settings;
        self
    }

    /// With a source of its own for this destination, named like it and with this write key.
    #[must_use]
    pub fn own_source(mut self, id: &str, write_key: &str) -> Workspace {
        self.0["sources"][id] = json!({"write-key": write_key});
        self.0["connections"][format!("{SOURCE}-{id}")]["source"] = id.into();
        self
    }

    /// With a destination that gets what this Python makes of them.
    #[must_use]
    pub fn python(self, id: &str, url: &str, code: &str) -> Workspace {
        let mut workspace = self.transformed(id, url, code);
        workspace.0["transformations"][id]["language"] = "python".into();
        workspace
    }

    /// With this plugin for the destination.
    #[must_use]
    pub fn plugin(mut self, id: &str, plugin: &str) -> Workspace {
        self.0["destinations"][id]["plugin"] = plugin.into();
        self
    }

    /// With other code for the transformation of this destination.
    #[must_use]
    pub fn code(mut self, id: &str, code: &str) -> Workspace {
        self.0["transformations"][id] = json!({"code": code});
        self
    }

    /// With a library that transformations import by this name.
    #[must_use]
    pub fn library(mut self, name: &str, code: &str) -> Workspace {
        self.0["libraries"][name] = json!({"code": code});
        self
    }

    /// With a credential.
    #[must_use]
    pub fn credential(mut self, key: &str, value: &str) -> Workspace {
        self.0["credentials"][key] = value.into();
        self
    }

    /// With hosts that the transformation of this destination may fetch from.
    #[must_use]
    pub fn granted(mut self, id: &str, hosts: &[&str]) -> Workspace {
        self.0["transformations"][id]["hosts"] = json!(hosts);
        self
    }

    /// With the destination in this state.
    #[must_use]
    pub fn state(mut self, id: &str, state: &str) -> Workspace {
        self.0["destinations"][id]["state"] = state.into();
        self
    }

    /// The file's text. JSON is YAML as well.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{:#}\n", self.0)
    }
}
