//! Which group a person belongs to, and what is known about it.

use crate::config::Config;
use crate::mapping::option;
use pintle_plugin_sdk::tree::{Look, is_blank};
use serde_json::{Map, Value};

/// A group that a call names.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Its type, e.g. `company`.
    pub kind: String,
    /// Its value, e.g. the company's name; several when it is a list.
    pub value: Value,
    /// What is known about it.
    pub properties: Option<Value>,
}

impl Group {
    /// The group of a group call: what the event says to Amplitude itself, or else the configured traits.
    pub fn of(config: &Config, event: &Value) -> Option<Group> {
        if let Some(own) = option(event, "groups")
            && let (Some(kind), Some(value)) = (own.text(&["group_type"]), own.at("group_value"))
        {
            return Group::new(kind, value, own.at("group_properties"));
        }
        let (kind, value) = config.group_traits.as_ref()?;
        let traits = event.at("traits")?;
        let find = |name: &str| traits.get(name).or_else(|| traits.at(name));
        Group::new(find(kind)?.as_str()?.to_owned(), find(value)?, Some(traits))
    }

    fn new(kind: String, value: &Value, properties: Option<&Value>) -> Option<Group> {
        let is_one = |value: &Value| (value.is_string() || value.is_number()) && !is_blank(value);
        let fits = is_one(value) || value.as_array().is_some_and(|all| !all.is_empty() && all.iter().all(is_one));
        fits.then(|| Group { kind, value: value.clone(), properties: properties.cloned() })
    }

    /// What the Group Identify API is told: one entry for each value.
    #[must_use]
    pub fn identification(&self) -> Value {
        let values = match &self.value {
            Value::Array(values) => values.as_slice(),
            value => std::slice::from_ref(value),
        };
        let each = values.iter().map(|value| {
            let mut entry = Map::new();
            entry.insert("group_type".to_owned(), self.kind.as_str().into());
            entry.insert("group_value".to_owned(), value.clone());
            if let Some(properties) = &self.properties {
                entry.insert("group_properties".to_owned(), properties.clone());
            }
            Value::Object(entry)
        });
        each.collect()
    }
}
