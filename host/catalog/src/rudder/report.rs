//! What became of the contents of an imported file.

use super::document::At;
use crate::{Catalog, Connection, DestinationState};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// What works, what stays off and why, and what the import does not look at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    /// Sources that accept events, connections and destinations that deliver them.
    pub works: Vec<Item>,
    /// What is off: because the file says so, or because it would deliver unfiltered.
    pub off: Vec<Off>,
    /// Parts of the file without effect here.
    pub ignored: Vec<Ignored>,
    /// Why something is off, by kind and id, while the import runs.
    #[serde(skip)]
    reasons: BTreeMap<(&'static str, String), Vec<String>>,
}

/// One imported thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    /// `source`, `destination` or `connection`.
    pub thing: &'static str,
    /// Its id in the catalog.
    pub id: String,
    /// For people: its name; source → destination of a connection.
    pub name: String,
    /// Which events a connection lets through, when not all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
}

/// One thing that is off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Off {
    /// The thing.
    pub item: Item,
    /// Every reason there is.
    pub because: Vec<String>,
}

/// A part of the file without effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ignored {
    /// Where it stands in the file.
    pub path: String,
    /// Why it has none.
    pub why: String,
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({})", self.thing, self.id, self.name)
    }
}

impl Item {
    /// A thing without a filter.
    #[must_use]
    pub fn new(thing: &'static str, id: &str, name: String) -> Item {
        Item { thing, id: id.to_owned(), name, filter: None }
    }

    /// With what this connection lets through.
    #[must_use]
    pub fn passing(self, connection: &Connection) -> Item {
        Item { filter: connection.filter.as_ref().map(ToString::to_string), ..self }
    }
}

impl ImportReport {
    pub(super) fn ignore(&mut self, path: impl Into<String>, why: impl Into<String>) {
        self.ignored.push(Ignored { path: path.into(), why: why.into() });
    }

    pub(super) fn note(&mut self, thing: &'static str, id: &str, because: Vec<String>) {
        self.reasons.insert((thing, id.to_owned()), because);
    }

    /// Lists everything in the catalog as working or off.
    pub(super) fn sort_out(&mut self, catalog: &Catalog) {
        let mut reasons = std::mem::take(&mut self.reasons);
        let mut because = |thing, id: &String| reasons.remove(&(thing, id.clone())).unwrap_or_default();
        for (id, source) in &catalog.sources {
            let because = if source.enabled { vec![] } else { vec![DISABLED.to_owned()] };
            self.list(Item::new("source", id, source.name.clone()), because);
        }
        for (id, destination) in &catalog.destinations {
            self.list(Item::new("destination", id, destination.name.clone()), because("destination", id));
        }
        for (id, connection) in &catalog.connections {
            let mut because = because("connection", id);
            let source = &catalog.sources[&connection.source];
            let destination = &catalog.destinations[&connection.destination];
            if !connection.enabled {
                because.push(DISABLED.to_owned());
            }
            if !source.enabled {
                because.push("its source is disabled".to_owned());
            }
            if destination.state == DestinationState::Disabled && because.is_empty() {
                because.push("its destination is disabled".to_owned());
            }
            let name = format!("{} → {}", source.name, destination.name);
            self.list(Item::new("connection", id, name).passing(connection), because);
        }
    }

    fn list(&mut self, item: Item, because: Vec<String>) {
        if because.is_empty() {
            self.works.push(item);
        } else {
            self.off.push(Off { item, because });
        }
    }
}

pub(super) const DISABLED: &str = "the file has it disabled";

/// Names, dates and counters: nobody misses them.
const SILENT: [&str; 14] = [
    "createdAt",
    "createdBy",
    "deleteAccount",
    "deleted",
    "enableMetrics",
    "id",
    "internalSecret",
    "originalId",
    "revisionId",
    "transient",
    "updatedAt",
    "version",
    "workspaceId",
    "name",
];

pub(super) fn unused_of_workspace(root: &At<'_>, report: &mut ImportReport) {
    unused(root, &["sources", "connections"], report, |name, value| match name {
        "libraries" => "transformation libraries come without their code in this file".to_owned(),
        "credentials" => "only transformations could use them".to_owned(),
        "eventReplays" => "replays are started from Pintle".to_owned(),
        "settings" => {
            let blocking = value.get("eventBlocking");
            let rest = value.entries().filter(|(_, v)| !v.is_blank() && v.path() != blocking.path());
            let rest: Vec<&str> = rest.map(|(key, _)| key).collect();
            if rest.is_empty() { String::new() } else { format!("{} not used", rest.join(", ")) }
        }
        _ => NOT_USED.to_owned(),
    });
}

pub(super) fn unused_of_source(source: &At<'_>, report: &mut ImportReport) {
    let used = ["writeKey", "enabled", "destinations", "sourceDefinition", "dgSourceTrackingPlanConfig"];
    unused(source, &used, report, |name, value| match name {
        "geoEnrichment" if value.get("enabled").is_true() => "context.geo is not added to events yet".to_owned(),
        "geoEnrichment" => String::new(),
        _ => NOT_USED.to_owned(),
    });
}

pub(super) fn unused_of_destination(destination: &At<'_>, report: &mut ImportReport) {
    let used = [
        "config",
        "deliveryAccount",
        "destinationDefinition",
        "enabled",
        "hasDynamicConfig",
        "isProcessorEnabled",
        "transformations",
    ];
    unused(destination, &used, report, |_, _| NOT_USED.to_owned());
}

const NOT_USED: &str = "not used by Pintle";

fn unused(at: &At<'_>, used: &[&str], report: &mut ImportReport, why: impl Fn(&str, &At<'_>) -> String) {
    for (key, value) in at.entries() {
        let is = |name: &&str| key.eq_ignore_ascii_case(name);
        let off = matches!(value.value(), Some(serde_json::Value::Bool(false)));
        if used.iter().any(&is) || SILENT.iter().any(is) || off || value.is_blank() {
            continue;
        }
        let why = why(key, &value);
        if !why.is_empty() {
            report.ignore(value.path(), why);
        }
    }
}
