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

pub mod change;
pub mod check;
pub mod file;
pub mod fingerprint;
pub mod problem;
pub mod rudder;
pub mod secrets;
pub mod workspace;

pub use change::{Change, diff};
pub use file::{Loaded, load};
pub use problem::{FileError, Problem};

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
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
    /// Secrets that code asks for by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub credentials: BTreeMap<String, Credential>,
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
///
/// Make one with [`Transformation::new`], which computes the version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transformation {
    /// For people; also the file name in stack traces.
    pub name: String,
    /// What it is written in.
    pub language: Language,
    /// The source text.
    pub code: String,
    /// Changes whenever the code does: the first 16 hex digits of its SHA-256.
    pub version: String,
    /// The hosts that it may fetch from; none when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
}

/// Code that transformations import by its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Library {
    /// For people.
    pub name: String,
    /// What it is written in: transformations in the same language can import it.
    #[serde(default)]
    pub language: Language,
    /// The source text.
    pub code: String,
}

/// A secret that code asks for by name.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credential {
    /// The secret; `${env:X}` and `${file:P}` are resolved when a transformation starts. Never print it.
    pub value: String,
}

/// Leaves the value out.
impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = fingerprint::of(self.value.as_bytes());
        f.debug_struct("Credential").field("value", &format_args!("#{value}")).finish()
    }
}

impl Transformation {
    /// A transformation of this code, with its version.
    #[must_use]
    pub fn new(name: String, language: Language, code: String) -> Transformation {
        let version = fingerprint::of(code.as_bytes());
        Transformation { name, language, code, version, hosts: Vec::new() }
    }
}

/// What a transformation is written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// An ES module exporting `transformEvent` or `transformBatch`.
    #[default]
    JavaScript,
    /// A Python module that defines `transformEvent` or `transformBatch`.
    Python,
}

impl Language {
    /// The language of a source file, by how its name ends; JavaScript unless the ending says otherwise.
    #[must_use]
    pub fn of_file(file: &Path) -> Language {
        match file.extension().and_then(|ending| ending.to_str()) {
            Some("py") => Language::Python,
            _ => Language::JavaScript,
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
