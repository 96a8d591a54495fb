//! What a new revision changes, in words that may be logged.

use crate::{Catalog, Connection, Credential, Destination, Kind, Library, Plugin, Source, Transformation, fingerprint};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// One thing that differs between two catalogs. Configuration values, write keys and code appear as
/// fingerprints only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What kind of thing.
    pub thing: Kind,
    /// Its id.
    pub id: String,
    /// What happened to it.
    pub how: How,
}

/// What happened to a thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// These fields differ.
    Changed(Vec<Field>),
}

/// One field that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// What may be shown of the old value.
    pub from: String,
    /// What may be shown of the new value.
    pub to: String,
}

/// Everything that differs, kind by kind, each by id.
#[must_use]
pub fn diff(old: &Catalog, new: &Catalog) -> Vec<Change> {
    let mut changes = Vec::new();
    for kind in Kind::ALL {
        let out = &mut changes;
        match kind {
            Kind::Source => section(kind, &old.sources, &new.sources, source, out),
            Kind::Destination => section(kind, &old.destinations, &new.destinations, destination, out),
            Kind::Plugin => section(kind, &old.plugins, &new.plugins, plugin, out),
            Kind::Credential => section(kind, &old.credentials, &new.credentials, credential, out),
            Kind::Library => section(kind, &old.libraries, &new.libraries, library, out),
            Kind::Transformation => section(kind, &old.transformations, &new.transformations, transformation, out),
            Kind::Connection => section(kind, &old.connections, &new.connections, connection, out),
        }
    }
    changes
}

type Shown = Vec<(&'static str, String)>;

fn section<T: PartialEq>(
    thing: Kind,
    old: &BTreeMap<String, T>,
    new: &BTreeMap<String, T>,
    shown: fn(&T) -> Shown,
    changes: &mut Vec<Change>,
) {
    let ids: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for id in ids {
        let how = match (old.get(id), new.get(id)) {
            (None, _) => How::Added,
            (_, None) => How::Removed,
            (Some(old), Some(new)) if old == new => continue,
            (Some(old), Some(new)) => How::Changed(fields(shown(old), shown(new))),
        };
        changes.push(Change { thing, id: id.clone(), how });
    }
}

fn fields(old: Shown, new: Shown) -> Vec<Field> {
    old.into_iter()
        .zip(new)
        .filter(|(old, new)| old != new)
        .map(|((name, from), (_, to))| Field { name: name.to_owned(), from, to })
        .collect()
}

fn source(source: &Source) -> Shown {
    vec![
        ("name", source.name.clone()),
        ("write key", format!("#{}", fingerprint::of(source.write_key.as_bytes()))),
        ("enabled", source.enabled.to_string()),
        ("transformations", list(&source.transformations)),
        ("events per second", source.events_per_second_max.map_or("any".to_owned(), |max| max.to_string())),
        ("anonymize ip", source.anonymize_ip.to_string()),
    ]
}

fn destination(destination: &Destination) -> Shown {
    vec![
        ("name", destination.name.clone()),
        ("plugin", destination.plugin.clone()),
        ("config", format!("#{}", fingerprint::of_value(&destination.config))),
        ("state", format!("{:?}", destination.state).to_lowercase()),
        ("message types", destination.message_types.as_ref().map_or("any".to_owned(), |types| list(types))),
        ("integration", destination.integration.clone().unwrap_or_else(|| "none".to_owned())),
        ("delivery", destination.delivery.as_ref().map_or("none".to_owned(), ToString::to_string)),
    ]
}

fn transformation(transformation: &Transformation) -> Shown {
    let mut shown = vec![
        ("name", transformation.name.clone()),
        ("description", transformation.description.clone()),
        ("hosts", list(&transformation.hosts)),
    ];
    shown.extend(transformation.history.shown());
    shown
}

fn library(library: &Library) -> Shown {
    let mut shown = vec![("name", library.name.clone()), ("description", library.description.clone())];
    shown.extend(library.history.shown());
    shown
}

fn plugin(plugin: &Plugin) -> Shown {
    let live = plugin.live().map_or("none".to_owned(), |v| format!("{} (#{})", v.number, v.code.short()));
    vec![("live version", live), ("versions", plugin.versions.len().to_string())]
}

fn credential(credential: &Credential) -> Shown {
    vec![
        ("description", credential.description.clone()),
        ("value", format!("#{}", fingerprint::of(credential.value.as_bytes()))),
    ]
}

fn connection(connection: &Connection) -> Shown {
    vec![
        ("source", connection.source.clone()),
        ("destination", connection.destination.clone()),
        ("enabled", connection.enabled.to_string()),
        ("transformations", list(&connection.transformations)),
        ("filter", connection.filter.as_ref().map_or("none".to_owned(), ToString::to_string)),
        ("off", connection.off_because.clone().unwrap_or_else(|| "no".to_owned())),
    ]
}

fn list(items: &[String]) -> String {
    if items.is_empty() { "none".to_owned() } else { items.join(", ") }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Change { thing, id, how } = self;
        match how {
            How::Added => write!(f, "{thing} {id} added"),
            How::Removed => write!(f, "{thing} {id} removed"),
            How::Changed(fields) => {
                write!(f, "{thing} {id} changed")?;
                for (number, field) in fields.iter().enumerate() {
                    let comma = if number == 0 { ": " } else { ", " };
                    write!(f, "{comma}{} {} → {}", field.name, field.from, field.to)?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Code, DestinationState, Filter, History, Language, Stamp};
    use serde_json::json;

    fn catalog(token: &str, code: &str) -> Catalog {
        let mut catalog = Catalog::default();
        let source = Source { name: "Site".into(), write_key: "wk-1".into(), ..Source::default() };
        catalog.sources.insert("site".into(), source);
        let destination = Destination {
            name: "Orders".into(),
            plugin: "webhook".into(),
            config: json!({"headers": [{"to": token}]}),
            state: DestinationState::Enabled,
            message_types: None,
            integration: None,
            delivery: None,
        };
        catalog.destinations.insert("orders".into(), destination);
        let history = History::begin(
            Code::source(Language::JavaScript, code.as_bytes()),
            Stamp { author: "ann".into(), at_ms: 1 },
        );
        let transformation = Transformation { name: "tidy".into(), description: String::new(), hosts: vec![], history };
        catalog.transformations.insert("tidy".into(), transformation);
        catalog
    }

    #[test]
    fn equal_catalogs_differ_in_nothing() {
        assert!(diff(&catalog("t", "c"), &catalog("t", "c")).is_empty());
    }

    #[test]
    fn the_revision_number_is_not_a_difference() {
        let mut later = catalog("t", "c");
        later.revision = 9;
        assert!(diff(&catalog("t", "c"), &later).is_empty());
    }

    #[test]
    fn a_changed_secret_shows_as_two_fingerprints_only() {
        let changes = diff(&catalog("hunter2", "c"), &catalog("hunter3", "c"));
        let text = changes[0].to_string();
        assert!(text.starts_with("destination orders changed: config #"), "{text}");
        let all = format!("{text} {changes:?} {}", serde_json::to_string(&changes).unwrap());
        assert!(!all.contains("hunter"), "{all}");
    }

    #[test]
    fn a_changed_write_key_is_not_shown_either() {
        let mut new = catalog("t", "c");
        new.sources.get_mut("site").unwrap().write_key = "wk-2".into();
        let text = diff(&catalog("t", "c"), &new)[0].to_string();
        assert!(text.starts_with("source site changed: write key #"), "{text}");
        assert!(!text.contains("wk-"), "{text}");
    }

    #[test]
    fn changed_code_shows_as_versions() {
        let text = diff(&catalog("t", "one"), &catalog("t", "two"))[0].to_string();
        assert!(text.starts_with("transformation tidy changed: live version 1 (#"), "{text}");
        assert!(!text.contains("one") && !text.contains("two"), "{text}");
    }

    #[test]
    fn a_credential_shows_as_a_fingerprint() {
        let with = |value: &str| {
            let mut catalog = Catalog::default();
            let credential = Credential { description: String::new(), value: value.into() };
            catalog.credentials.insert("key".into(), credential);
            catalog
        };
        let changes = diff(&with("hunter2"), &with("hunter3"));
        let all = format!("{} {changes:?} {:?}", changes[0], with("hunter2"));
        assert!(all.starts_with("credential key changed: value #") && !all.contains("hunter"), "{all}");
    }

    #[test]
    fn a_changed_filter_shows_in_words() {
        let with = |filter| {
            let mut catalog = Catalog::default();
            let connection = Connection {
                source: "site".into(),
                destination: "orders".into(),
                enabled: true,
                transformations: vec![],
                filter,
                off_because: None,
            };
            catalog.connections.insert("c".into(), connection);
            catalog
        };
        let filter = Filter { message_types: Some(vec!["track".into()]), ..Filter::default() };
        let text = diff(&with(None), &with(Some(filter)))[0].to_string();
        assert_eq!(text, "connection c changed: filter none → only track");
    }

    #[test]
    fn things_that_come_and_go_are_named() {
        let full = catalog("t", "c");
        let changes = diff(&Catalog::default(), &full);
        let texts: Vec<String> = changes.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["source site added", "destination orders added", "transformation tidy added"]);
        assert_eq!(diff(&full, &Catalog::default())[1].to_string(), "destination orders removed");
    }

    #[test]
    fn debug_of_a_destination_hides_its_configuration() {
        let text = format!("{:?}", catalog("hunter2", "c"));
        assert!(text.contains("Orders"), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}
