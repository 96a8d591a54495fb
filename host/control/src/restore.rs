//! Applies an older revision again.

use pintle_catalog::{Catalog, History, Kind};
use std::collections::BTreeMap;

/// What `old` held, as a change of `now`: things come back as they were and go as they were not there, but
/// published versions are never lost, so that their numbers are used once. With `file`, what the workspace
/// file owns now stays as it is; those things are listed.
pub(crate) fn restored(now: &Catalog, old: &Catalog, file: bool) -> (Catalog, Vec<String>) {
    let mut kept = Vec::new();
    let mut restored = Catalog { revision: now.revision, owned: now.owned.clone(), ..Catalog::default() };
    let mut stays = |kind: Kind, id: &str, differs: bool| {
        let stays = file && now.is_owned(kind, id);
        if stays && differs {
            kept.push(format!("{kind}/{id}"));
        }
        stays
    };
    section(Kind::Source, &now.sources, &old.sources, &mut restored.sources, &mut stays);
    section(Kind::Destination, &now.destinations, &old.destinations, &mut restored.destinations, &mut stays);
    section(Kind::Connection, &now.connections, &old.connections, &mut restored.connections, &mut stays);
    section(Kind::Credential, &now.credentials, &old.credentials, &mut restored.credentials, &mut stays);
    section(Kind::Library, &now.libraries, &old.libraries, &mut restored.libraries, &mut stays);
    section(Kind::Plugin, &now.plugins, &old.plugins, &mut restored.plugins, &mut stays);
    let transformations = &mut restored.transformations;
    section(Kind::Transformation, &now.transformations, &old.transformations, transformations, &mut stays);
    for (id, thing) in &mut restored.transformations {
        if let Some(current) = now.transformations.get(id) {
            thing.history = history(&current.history, &thing.history);
        }
    }
    for (id, thing) in &mut restored.libraries {
        if let Some(current) = now.libraries.get(id) {
            thing.history = history(&current.history, &thing.history);
        }
    }
    for (id, plugin) in &mut restored.plugins {
        if let Some(current) = now.plugins.get(id) {
            let live = plugin.live;
            let missing = plugin.versions.iter().filter(|v| current.versions.iter().all(|c| c.number != v.number));
            let mut versions: Vec<_> = missing.chain(&current.versions).cloned().collect();
            versions.sort_by_key(|version| version.number);
            *plugin = pintle_catalog::Plugin { live, versions };
        }
    }
    (restored, kept)
}

fn section<T: Clone + PartialEq>(
    kind: Kind,
    now: &BTreeMap<String, T>,
    old: &BTreeMap<String, T>,
    restored: &mut BTreeMap<String, T>,
    stays: &mut impl FnMut(Kind, &str, bool) -> bool,
) {
    for (id, thing) in now {
        if stays(kind, id, old.get(id) != Some(thing)) {
            restored.insert(id.clone(), thing.clone());
        }
    }
    for (id, thing) in old {
        restored.entry(id.clone()).or_insert_with(|| thing.clone());
    }
}

/// The versions of both, the draft of now, the live version of then.
fn history(now: &History, old: &History) -> History {
    let missing = old.versions.iter().filter(|version| now.version(version.number).is_none());
    let mut versions: Vec<_> = missing.chain(&now.versions).cloned().collect();
    versions.sort_by_key(|version| version.number);
    History { draft: now.draft.clone(), live: old.live, versions }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pintle_catalog::{Code, Language, Source, Stamp, Transformation};

    fn stamp() -> Stamp {
        Stamp { author: "ann".into(), at_ms: 1 }
    }

    fn code(text: &str) -> Code {
        Code::source(Language::JavaScript, text.as_bytes())
    }

    fn catalog(texts: &[&str]) -> Catalog {
        let mut history = History::default();
        for text in texts {
            history.publish(code(text), stamp(), String::new());
        }
        let mut catalog = Catalog::default();
        let tidy = Transformation { name: "t".into(), description: String::new(), hosts: vec![], history };
        catalog.transformations.insert("tidy".into(), tidy);
        catalog
    }

    #[test]
    fn the_old_version_runs_again_and_no_number_is_used_twice() {
        let (restored, kept) = restored(&catalog(&["a", "b", "c"]), &catalog(&["a", "b"]), false);
        let mut history = restored.transformations["tidy"].history.clone();
        assert_eq!((history.live, history.versions.len(), kept.len()), (Some(2), 3, 0));
        assert_eq!(history.publish(code("d"), stamp(), String::new()), 4);
    }

    #[test]
    fn what_the_file_owns_stays() {
        let source = |key: &str| Source { name: "s".into(), write_key: key.into(), ..Source::default() };
        let (mut now, mut old) = (Catalog::default(), Catalog::default());
        now.sources.insert("site".into(), source("new"));
        now.sources.insert("api".into(), source("api"));
        now.owned.insert("source/site".into());
        old.sources.insert("site".into(), source("old"));
        let (with_file, kept) = restored(&now, &old, true);
        assert_eq!(with_file.sources["site"].write_key, "new");
        assert!(!with_file.sources.contains_key("api"));
        assert_eq!(kept, ["source/site"]);
        assert_eq!(restored(&now, &old, false).0.sources["site"].write_key, "old");
    }
}
