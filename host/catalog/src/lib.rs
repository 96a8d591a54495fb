//! What a user configures, as pure data.
//!
//! A [`Catalog`] is one immutable document tree. `store` keeps its revisions, the nodes hold the current
//! one as `Arc<Catalog>`, and everything that judges an event does so by the revision that was current
//! when its batch started. The files it can be read from live here as well: Pintle's own YAML
//! ([`workspace`]) and RudderStack's `workspaceConfig.json` ([`rudder`]).
//!
//! ```text
//!   file ──load──▶ workspace │ rudder ──▶ Catalog ──check──▶ diff against the current one ──▶ revision
//!                                         │
//!                                         └─ ${env:X}, ${file:P} stay references; `secrets::resolve`
//!                                            reads them when a destination starts
//! ```
//!
//! Code is in versions ([`history`]); the document names it by digest and stays small. What the workspace
//! file lists is the file's, everything else belongs to the admin API ([`ownership`]).

pub mod change;
pub mod check;
pub mod delivery;
pub mod export;
pub mod file;
pub mod filter;
pub mod fingerprint;
pub mod history;
pub mod masking;
pub mod ownership;
pub mod problem;
pub mod rudder;
pub mod rudder_cli;
pub mod secrets;
pub mod stored;
pub mod workspace;

pub use change::{Change, diff};
pub use delivery::Delivery;
pub use file::{Loaded, load};
pub use filter::Filter;
pub use history::{Code, Draft, Form, History, Stamp, Version};
pub use ownership::Kind;
pub use problem::{FileError, Problem};

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::num::NonZeroU32;
use std::path::Path;

/// One revision of everything that is configured. Keys of the maps are the ids.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalog {
    /// The number of the revision; 0 before anything was configured. Not part of the stored document.
    #[serde(skip)]
    pub revision: i64,
    /// Where events come from.
    #[serde(default)]
    pub sources: BTreeMap<String, Source>,
    /// Where events go.
    #[serde(default)]
    pub destinations: BTreeMap<String, Destination>,
    /// Which source feeds which destination, and through which transformations.
    #[serde(default)]
    pub connections: BTreeMap<String, Connection>,
    /// User code.
    #[serde(default)]
    pub transformations: BTreeMap<String, Transformation>,
    /// Code that transformations import by its id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub libraries: BTreeMap<String, Library>,
    /// Destination components that were uploaded. One that has the name of a bundled plugin goes before it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub plugins: BTreeMap<String, Plugin>,
    /// Secrets that code asks for by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub credentials: BTreeMap<String, Credential>,
    /// What the workspace file lists, as `kind/id`: nobody else may change it while there is a file.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub owned: BTreeSet<String>,
}

/// Where events come from: an SDK with a write key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// For people.
    pub name: String,
    /// What SDKs authenticate with.
    pub write_key: String,
    /// A disabled source answers 404.
    pub enabled: bool,
    /// Transformations that every event goes through before it is known where it goes; run in this order.
    /// The `integrations` that they leave on an event decide.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transformations: Vec<String>,
    /// How many events it may send in a second, on average; more are answered with 429. No limit when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events_per_second_max: Option<NonZeroU32>,
    /// Whether the address that an event came from loses its last part before it is stored: the last byte of an
    /// IPv4 address, the last 80 bits of an IPv6 one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub anonymize_ip: bool,
}

impl Default for Source {
    fn default() -> Source {
        Source {
            name: String::new(),
            write_key: String::new(),
            enabled: true,
            transformations: Vec::new(),
            events_per_second_max: None,
            anonymize_ip: false,
        }
    }
}

/// Where events go.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Destination {
    /// For people.
    pub name: String,
    /// The plugin that maps events for it, e.g. `webhook`.
    pub plugin: String,
    /// What the plugin is configured with: a JSON object, checked against the plugin's schema. May hold
    /// secrets: never print it. `${env:X}` and `${file:P}` are resolved when the destination starts.
    pub config: serde_json::Value,
    /// What the destination does with its events.
    pub state: DestinationState,
    /// The only event types it takes, in lower case; any type when absent. An empty list takes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_types: Option<Vec<String>>,
    /// What events call it in their `integrations`, in any case, besides its id, its name and its plugin: the name
    /// that RudderStack shows for destinations of this type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration: Option<String>,
    /// How its deliveries are sent, where that differs from the server's settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
}

impl Destination {
    /// Whether events of this type may be delivered.
    #[must_use]
    pub fn takes(&self, event_type: &str) -> bool {
        match &self.message_types {
            None => true,
            Some(types) => types.iter().any(|t| t.eq_ignore_ascii_case(event_type)),
        }
    }
}

/// Leaves the configuration out: it may hold secrets, and a log line is not the place for them.
impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Destination")
            .field("name", &self.name)
            .field("plugin", &self.plugin)
            .field("config", &format_args!("#{}", fingerprint::of_value(&self.config)))
            .field("state", &self.state)
            .field("message_types", &self.message_types)
            .field("integration", &self.integration)
            .field("delivery", &self.delivery)
            .finish()
    }
}

/// What a destination does with its events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DestinationState {
    /// Delivers.
    #[default]
    Enabled,
    /// Keeps its place in the log and waits, within retention.
    Paused,
    /// Takes nothing; what is left of its backlog is filtered with that reason.
    Disabled,
}

/// One source feeding one destination.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connection {
    /// The source's id.
    pub source: String,
    /// The destination's id.
    pub destination: String,
    /// A disabled connection lets nothing through.
    pub enabled: bool,
    /// Transformations, run in this order.
    #[serde(default)]
    pub transformations: Vec<String>,
    /// Which events pass; all of them when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Filter>,
    /// Why an imported connection is off although its file says on: it would deliver unfiltered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub off_because: Option<String>,
}

impl Connection {
    /// Whether events may pass.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.enabled && self.off_because.is_none()
    }
}

/// User code that runs on events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transformation {
    /// For people; also the file name in stack traces.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The hosts that it may fetch from; none when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Its versions.
    pub history: History,
}

/// Code that transformations import by its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Library {
    /// For people; also the file name in stack traces.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Its versions.
    pub history: History,
}

/// A destination component that was uploaded.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plugin {
    /// The number of the version that runs.
    pub live: u32,
    /// What was uploaded, oldest first.
    pub versions: Vec<PluginVersion>,
}

/// An uploaded version of a plugin. It never changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PluginVersion {
    /// Counted up from 1.
    pub number: u32,
    /// The component.
    pub code: Code,
    /// Who uploaded it.
    pub published: Stamp,
    /// What the component says of itself: its own version, the event types, the schema of its configuration.
    pub manifest: serde_json::Value,
}

impl Plugin {
    /// The version that runs.
    #[must_use]
    pub fn live(&self) -> Option<&PluginVersion> {
        self.versions.iter().find(|version| version.number == self.live)
    }
}

/// A secret that code asks for by name.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credential {
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The secret; `${env:X}` and `${file:P}` are resolved when code asks. Never print it.
    pub value: String,
}

/// Leaves the value out.
impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = fingerprint::of(self.value.as_bytes());
        f.debug_struct("Credential").field("value", &format_args!("#{value}")).finish()
    }
}

/// What code is written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// An ES module exporting `transformEvent` or `transformBatch`.
    #[default]
    JavaScript,
    /// A Python module defining `transformEvent` or `transformBatch`.
    Python,
}

impl Language {
    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Language::JavaScript => "javascript",
            Language::Python => "python",
        }
    }

    /// The language of a source file, by how its name ends; JavaScript unless the ending says otherwise.
    #[must_use]
    pub fn of_file(file: &Path) -> Language {
        match file.extension().and_then(|ending| ending.to_str()) {
            Some("py") => Language::Python,
            _ => Language::JavaScript,
        }
    }

    /// How files of it end, without the dot.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Language::JavaScript => "js",
            Language::Python => "py",
        }
    }
}

impl Catalog {
    /// The source with this write key.
    #[must_use]
    pub fn source_by_write_key(&self, write_key: &str) -> Option<(&str, &Source)> {
        // A few sources at most: a scan beats keeping a second map true.
        self.sources.iter().find(|(_, s)| s.write_key == write_key).map(|(id, s)| (id.as_str(), s))
    }

    /// The connections that end in this destination, with their ids.
    pub fn connections_to(&self, destination: &str) -> impl Iterator<Item = (&str, &Connection)> {
        self.connections.iter().filter(move |(_, c)| c.destination == destination).map(|(id, c)| (id.as_str(), c))
    }
}
