//! Who a thing belongs to: the workspace file owns what it lists, everything else is the admin API's.

use crate::{Catalog, Stamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// The kinds of things in a catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A source.
    Source,
    /// A destination.
    Destination,
    /// A connection.
    Connection,
    /// A transformation.
    Transformation,
    /// A library.
    Library,
    /// An uploaded plugin.
    Plugin,
    /// A credential.
    Credential,
}

impl Kind {
    /// Every kind, in the order in which a diff lists them.
    pub const ALL: [Kind; 7] = [
        Kind::Source,
        Kind::Destination,
        Kind::Plugin,
        Kind::Credential,
        Kind::Library,
        Kind::Transformation,
        Kind::Connection,
    ];

    /// One of it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Source => "source",
            Kind::Destination => "destination",
            Kind::Connection => "connection",
            Kind::Transformation => "transformation",
            Kind::Library => "library",
            Kind::Plugin => "plugin",
            Kind::Credential => "credential",
        }
    }

    /// Several of it, as in paths and sections of files.
    #[must_use]
    pub fn plural(self) -> &'static str {
        match self {
            Kind::Source => "sources",
            Kind::Destination => "destinations",
            Kind::Connection => "connections",
            Kind::Transformation => "transformations",
            Kind::Library => "libraries",
            Kind::Plugin => "plugins",
            Kind::Credential => "credentials",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Catalog {
    /// Whether the workspace file lists this thing.
    #[must_use]
    pub fn is_owned(&self, kind: Kind, id: &str) -> bool {
        // The set is asked once per request: a text for the look-up is fine.
        self.owned.contains(&format!("{kind}/{id}"))
    }

    /// This catalog after the workspace file was read: what the file lists replaces what is there under the
    /// same id, what it listed before and lists no more is gone, and everything else stays. Code that has
    /// changed is published as the next version of its thing.
    #[must_use]
    pub fn with_file(&self, mut file: Catalog, stamp: &Stamp) -> Catalog {
        for (id, new) in &mut file.transformations {
            let old = self.transformations.get(id).map(|old| old.history.clone()).unwrap_or_default();
            new.history = old.continued(&new.history, stamp);
        }
        for (id, new) in &mut file.libraries {
            let old = self.libraries.get(id).map(|old| old.history.clone()).unwrap_or_default();
            new.history = old.continued(&new.history, stamp);
        }
        let mut merged = Catalog { owned: Default::default(), ..self.clone() };
        replace(self, &mut merged.sources, file.sources, Kind::Source, &mut file.owned);
        replace(self, &mut merged.destinations, file.destinations, Kind::Destination, &mut file.owned);
        replace(self, &mut merged.connections, file.connections, Kind::Connection, &mut file.owned);
        replace(self, &mut merged.transformations, file.transformations, Kind::Transformation, &mut file.owned);
        replace(self, &mut merged.libraries, file.libraries, Kind::Library, &mut file.owned);
        replace(self, &mut merged.credentials, file.credentials, Kind::Credential, &mut file.owned);
        merged.owned = file.owned;
        merged
    }
}

fn replace<T>(
    before: &Catalog,
    things: &mut BTreeMap<String, T>,
    listed: BTreeMap<String, T>,
    kind: Kind,
    owned: &mut std::collections::BTreeSet<String>,
) {
    things.retain(|id, _| !before.is_owned(kind, id));
    for (id, thing) in listed {
        owned.insert(format!("{kind}/{id}"));
        things.insert(id, thing);
    }
}

impl crate::History {
    /// This history with the live code of another as its live version.
    fn continued(mut self, other: &crate::History, stamp: &Stamp) -> crate::History {
        if let Some(version) = other.live() {
            self.publish(version.code.clone(), stamp.clone(), String::new());
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Code, History, Language, Source, Transformation};

    fn stamp() -> Stamp {
        Stamp { author: "file".into(), at_ms: 7 }
    }

    fn source(key: &str) -> Source {
        Source { name: "s".into(), write_key: key.into(), ..Source::default() }
    }

    fn transformation(code: &str) -> Transformation {
        let code = Code::source(Language::JavaScript, code.as_bytes());
        Transformation {
            name: "tidy".into(),
            description: String::new(),
            hosts: vec![],
            history: History::begin(code, stamp()),
        }
    }

    #[test]
    fn the_file_takes_away_only_what_it_gave() {
        let mut api = Catalog::default();
        api.sources.insert("by-api".into(), source("a"));
        let mut file = Catalog::default();
        file.sources.insert("by-file".into(), source("b"));
        let both = api.with_file(file, &stamp());
        assert_eq!(both.sources.keys().collect::<Vec<_>>(), ["by-api", "by-file"]);
        assert!(both.is_owned(Kind::Source, "by-file") && !both.is_owned(Kind::Source, "by-api"));
        let left = both.with_file(Catalog::default(), &stamp());
        assert_eq!(left.sources.keys().collect::<Vec<_>>(), ["by-api"]);
        assert!(left.owned.is_empty());
    }

    #[test]
    fn changed_code_of_the_file_is_a_new_version_and_unchanged_code_is_none() {
        let file = |code| {
            let mut file = Catalog::default();
            file.transformations.insert("tidy".into(), transformation(code));
            file
        };
        let first = Catalog::default().with_file(file("a"), &stamp());
        assert_eq!(first.transformations["tidy"].history.live, Some(1));
        assert_eq!(first.with_file(file("a"), &Stamp { at_ms: 9, ..stamp() }), first);
        let second = first.with_file(file("b"), &stamp());
        assert_eq!(second.transformations["tidy"].history.live, Some(2));
        assert_eq!(second.transformations["tidy"].history.versions.len(), 2);
    }
}
