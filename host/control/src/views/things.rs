//! Sources, destinations, connections and credentials.

use pintle_catalog::{Delivery, DestinationState, Filter, masking};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::num::NonZeroU32;

fn yes() -> bool {
    true
}

/// A source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceView {
    /// Its id.
    pub id: String,
    /// For people.
    pub name: String,
    /// What SDKs authenticate with.
    pub write_key: String,
    /// A disabled source answers 404.
    pub enabled: bool,
    /// Transformations that run before it is known where an event goes.
    pub transformations: Vec<String>,
    /// How many events it may send in a second; no limit when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events_per_second_max: Option<NonZeroU32>,
    /// Whether the address that an event came from loses its last part.
    #[serde(default)]
    pub anonymize_ip: bool,
    /// The workspace file that owns it; absent when the API does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// What a source is made of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceBody {
    /// For people. Default: as it was, else the id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What SDKs authenticate with. Default: as it was, else a new random key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_key: Option<String>,
    /// Default: true.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Default: none.
    #[serde(default)]
    pub transformations: Vec<String>,
    /// Default: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events_per_second_max: Option<NonZeroU32>,
    /// Default: false.
    #[serde(default)]
    pub anonymize_ip: bool,
}

/// A destination.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DestinationView {
    /// Its id.
    pub id: String,
    /// For people.
    pub name: String,
    /// The plugin that maps events for it.
    pub plugin: String,
    /// The plugin's settings, without secrets.
    pub config: Value,
    /// What it does with its events.
    pub state: DestinationState,
    /// The only event types it takes; any when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_types: Option<Vec<String>>,
    /// What events call it in their `integrations`, besides id, name and plugin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration: Option<String>,
    /// How its deliveries are sent, where that differs from the server's settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
    /// The workspace file that owns it; absent when the API does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// What a destination is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DestinationBody {
    /// For people. Default: as it was, else the id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The plugin that maps events for it.
    pub plugin: String,
    /// The plugin's settings. A `#secret:…` text stands for the stored secret.
    #[serde(default)]
    pub config: Value,
    /// Default: enabled.
    #[serde(default)]
    pub state: DestinationState,
    /// Default: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_types: Option<Vec<String>>,
    /// Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration: Option<String>,
    /// Default: the server's settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
}

/// A connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConnectionView {
    /// Its id.
    pub id: String,
    /// The source's id.
    pub source: String,
    /// The destination's id.
    pub destination: String,
    /// A disabled connection lets nothing through.
    pub enabled: bool,
    /// Transformations, run in this order.
    pub transformations: Vec<String>,
    /// Which events pass; all of them when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Filter>,
    /// Why an imported connection is off although its file says on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub off_because: Option<String>,
    /// The workspace file that owns it; absent when the API does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// What a connection is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionBody {
    /// The source's id.
    pub source: String,
    /// The destination's id.
    pub destination: String,
    /// Default: true.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Default: none.
    #[serde(default)]
    pub transformations: Vec<String>,
    /// Default: all events pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Filter>,
}

/// A credential: what it is for, and that it is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CredentialView {
    /// Its id: the name that code asks for.
    pub id: String,
    /// What it is for.
    pub description: String,
    /// Its fingerprint, or the reference that it is.
    pub value: String,
    /// The workspace file that owns it; absent when the API does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// What a credential is made of.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialBody {
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// The secret. Default: as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// Leaves the value out.
impl std::fmt::Debug for CredentialBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CredentialBody").field("description", &self.description).finish_non_exhaustive()
    }
}

/// What may be shown of a credential's value.
pub(crate) fn shown(value: &str) -> String {
    let value = Value::String(value.to_owned());
    match masking::is_reference(&value) {
        true => value.as_str().unwrap_or_default().to_owned(),
        false => masking::placeholder(&value),
    }
}
