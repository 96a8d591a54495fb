//! RudderStack's `workspaceConfig.json`, turned into a catalog.
//!
//! One rule stands above all others: *nothing is delivered unfiltered*. A connection for which the file
//! asks for something Pintle does not enforce yet (a tracking plan, code that the file does not contain …)
//! is imported but stays off, and says why. Event filters and consent settings become the connection's
//! filter; those that cannot be read keep it off as well. What cannot change which
//! events arrive where, or what is in them, is listed as ignored.
//!
//! Field names match without regard to case and a missing flag is false, as for the file's usual reader.

mod client_settings;
mod document;
mod filter;
mod off;
mod plugins;
mod report;

pub(crate) use plugins::bundled;
pub use report::{Ignored, ImportReport, Item, Off};

use crate::check::check;
use crate::problem::Problem;
use crate::{Catalog, Connection, Destination, DestinationState, Filter, Source, secrets};
use document::{At, is_blank};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Whether this JSON document is such a file.
#[must_use]
pub fn recognises(document: &Value) -> bool {
    document.is_object() && matches!(At::root(document).get("sources").value(), Some(Value::Array(_)))
}

/// The catalog of such a file, and what became of its contents. `plugins` are the destinations there
/// are; a destination definition `WEBHOOK` needs the plugin `webhook`, and `AM` the plugin `amplitude`.
pub fn import(document: &Value, plugins: &BTreeSet<String>) -> Result<(Catalog, ImportReport), Vec<Problem>> {
    let root = At::root(document);
    let mut ambiguous = Vec::new();
    document::ambiguous(&root, None, &mut ambiguous);
    if !ambiguous.is_empty() {
        let problem = |path| Problem::new(path, "is there twice, in different case", "keep the one that is meant");
        return Err(ambiguous.into_iter().map(problem).collect());
    }
    let mut import = Import {
        plugins,
        catalog: Catalog::default(),
        report: ImportReport::default(),
        problems: Vec::new(),
        first_seen: BTreeMap::new(),
        joined: BTreeMap::new(),
    };
    import.workspace(&root);
    let Import { catalog, mut report, mut problems, .. } = import;
    problems.extend(check(&catalog, plugins));
    if !problems.is_empty() {
        return Err(problems);
    }
    report.sort_out(&catalog);
    Ok((catalog, report))
}

struct Import<'a> {
    plugins: &'a BTreeSet<String>,
    catalog: Catalog,
    report: ImportReport,
    problems: Vec<Problem>,
    /// Each destination as it stood where it was met first: the copies must agree.
    first_seen: BTreeMap<String, At<'a>>,
    /// Top-level connections by (source, destination).
    joined: BTreeMap<(String, String), (String, At<'a>)>,
}

impl<'a> Import<'a> {
    fn workspace(&mut self, root: &At<'a>) {
        for (id, connection) in root.get("connections").entries() {
            let source = self.text(&connection.get("sourceId"));
            let destination = self.text(&connection.get("destinationId"));
            self.joined.insert((source, destination), (id.to_owned(), connection));
        }
        let everywhere = off::of_workspace(root);
        for source in root.get("sources").items() {
            self.source(&source, &everywhere);
        }
        for ((source, destination), (id, _)) in std::mem::take(&mut self.joined) {
            self.report.ignore(
                format!("connections.{id}"),
                format!("destination {destination} is not listed under source {source}"),
            );
        }
        report::unused_of_workspace(root, &mut self.report);
    }

    fn source(&mut self, source: &At<'a>, everywhere: &[String]) {
        let id = self.text(&source.get("id"));
        if source.get("deleted").is_true() {
            self.report.ignore(source.path(), format!("source {id} is deleted"));
            return;
        }
        let imported = Source {
            name: source.get("name").text().unwrap_or(&id).to_owned(),
            write_key: self.text(&source.get("writeKey")),
            enabled: self.flag(&source.get("enabled")),
            ..Source::default()
        };
        if self.catalog.sources.insert(id.clone(), imported).is_some() {
            self.problem(source, format!("source id {id} is there twice"), "keep one of the two");
        }
        report::unused_of_source(source, &mut self.report);
        let mut because = everywhere.to_vec();
        because.extend(off::of_source(source));
        for destination in source.get("destinations").items() {
            self.destination(&id, source, &destination, &because);
        }
    }

    fn destination(&mut self, source_id: &str, source: &At<'a>, destination: &At<'a>, source_off: &[String]) {
        let id = self.text(&destination.get("id"));
        if destination.get("deleted").is_true() {
            self.report.ignore(destination.path(), format!("destination {id} is deleted"));
            return;
        }
        let mut because = source_off.to_vec();
        match self.first_seen.get(&id) {
            Some(first) if first.value() != destination.value() => because.push(format!(
                "the destination is described differently at {}, and one description must hold for \
                 both",
                first.path()
            )),
            Some(_) => {}
            None => {
                let imported = self.new_destination(&id, destination);
                self.catalog.destinations.insert(id.clone(), imported);
                self.first_seen.insert(id.clone(), destination.clone());
                report::unused_of_destination(destination, &mut self.report);
                plugins::unused_settings(destination, &mut self.report);
            }
        }
        because.extend(off::of_destination(destination, self.plugins));
        let (filter, unreadable) = filter::of(source, destination);
        because.extend(unreadable);
        self.connection(source_id, &id, filter, because);
    }

    fn new_destination(&mut self, id: &str, destination: &At<'a>) -> Destination {
        let enabled = self.flag(&destination.get("enabled"));
        let plugin = plugins::plugin(destination);
        // Without its plugin it cannot even start: its place in the log would stand still for nothing.
        let on = enabled && self.plugins.contains(&plugin);
        if !enabled {
            self.report.note("destination", id, vec![report::DISABLED.to_owned()]);
        } else if !on {
            self.report.note("destination", id, vec![off::no_plugin(destination)]);
        }
        Destination {
            name: destination.get("name").text().unwrap_or(id).to_owned(),
            plugin,
            config: plugin_config(destination),
            state: if on { DestinationState::Enabled } else { DestinationState::Disabled },
            message_types: off::message_types(destination),
            integration: off::integration(destination),
            delivery: None,
        }
    }

    fn connection(&mut self, source: &str, destination: &str, filter: Option<Filter>, mut because: Vec<String>) {
        let joined = self.joined.remove(&(source.to_owned(), destination.to_owned()));
        let mut enabled = true;
        let mut id = format!("{source}-{destination}");
        if let Some((given, connection)) = joined {
            id = given;
            enabled = !connection.get("enabled").is_false();
            because.extend(off::of_connection(&connection));
        }
        let off_because = (!because.is_empty()).then(|| because.join("; "));
        let imported = Connection {
            source: source.to_owned(),
            destination: destination.to_owned(),
            enabled,
            transformations: Vec::new(),
            filter,
            off_because,
        };
        if self.catalog.connections.insert(id.clone(), imported).is_some() {
            self.problems.push(Problem::new(
                format!("connections.{id}"),
                "is there twice",
                "list the destination once under its source",
            ));
        }
        self.report.note("connection", &id, because);
    }

    /// A text that must be there.
    fn text(&mut self, at: &At<'a>) -> String {
        match at.text() {
            Some(text) => text.to_owned(),
            None => {
                self.problem(at, "is missing, or is not a text", "write it as a JSON string");
                String::new()
            }
        }
    }

    /// A flag: false when it is missing, an error when it is something else.
    fn flag(&mut self, at: &At<'a>) -> bool {
        if at.value().is_some_and(|value| !value.is_boolean() && !value.is_null()) {
            self.problem(at, "is neither true nor false", "write it without quotes");
        }
        at.is_true()
    }

    fn problem(&mut self, at: &At<'a>, message: impl Into<String>, fix: &str) {
        self.problems.push(Problem::new(at.path(), message, fix));
    }
}

/// The plugin's own settings: without those that are the same for every destination and are judged
/// here, and with texts that happen to look like our references kept as texts.
fn plugin_config(destination: &At<'_>) -> Value {
    let mut config = match destination.get("config").value() {
        Some(Value::Object(fields)) => fields.clone(),
        _ => serde_json::Map::new(),
    };
    config.retain(|key, _| !off::COMMON.iter().any(|common| key.eq_ignore_ascii_case(common)));
    let mut config = Value::Object(config);
    secrets::walk(&mut config, &mut String::new(), &mut |text, _| *text = secrets::literal(text));
    config
}

#[cfg(test)]
mod tests;
