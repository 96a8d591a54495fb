//! Which objects an archive has, in the order in which their events were received.

use super::{Error, Origin, Window};
use crate::ranges;
use pintle_objects::parts;

/// An object of the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    /// Its name as it is stored.
    pub(crate) name: String,
    /// The source of its events: the folder right below the archive's prefix.
    pub(crate) source_id: String,
    /// Its bytes as they are stored.
    pub(crate) size: u64,
}

/// What is in a folder of the archive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Listing {
    /// The objects that may hold events that are wanted, in the order of replay.
    pub(crate) objects: Vec<Listed>,
    /// Objects that lie wholly outside the window, as their names say.
    pub(crate) outside: usize,
    /// Objects that are none of an archive's, by their names.
    pub(crate) others: usize,
}

/// The objects of a folder below the archive's prefix (`site`, `site/gw/2026-11-22`, or all of it when it is empty).
///
/// They are in the order of the first second in their names, then of the last one. Objects of the same seconds are in
/// the order of the chunks where their ranges began, so that a user's events stay in order.
///
/// # Errors
/// When it is no folder, or the bucket cannot be listed.
pub(crate) async fn list(origin: &Origin, asked: &str, window: Window) -> Result<Listing, Error> {
    let folder = folder(&origin.prefix, asked)?;
    let mut listing = Listing::default();
    let mut found = Vec::new();
    for object in origin.depot.list(&origin.bucket, &folder).await? {
        match about(&origin.prefix, &object.name) {
            None => listing.others += 1,
            Some(about) if !window.meets(&about.received_ms) => listing.outside += 1,
            Some(about) => found.push((about, object)),
        }
    }
    // Another lane's chunks have numbers of their own: the number comes before the lane, as lanes grow side by side.
    found.sort_by(|(a, one), (b, other)| {
        let key = |about: &ranges::Archived| {
            let (lane, seq) = about.from.unwrap_or_default();
            (*about.received_ms.start(), *about.received_ms.end(), seq, lane)
        };
        key(a).cmp(&key(b)).then_with(|| one.name.cmp(&other.name))
    });
    let listed = found.into_iter().map(|(about, object)| Listed {
        name: object.name,
        source_id: about.source_id,
        size: object.size,
    });
    listing.objects = listed.collect();
    Ok(listing)
}

/// What the stored name of an object says, when it is one of the archive with this prefix.
pub(super) fn about(prefix: &str, name: &str) -> Option<ranges::Archived> {
    let below = ranges::below(prefix);
    // Folders without a name are left out where objects are written.
    let folders = below.split('/').filter(|folder| !folder.is_empty()).count();
    let parts = parts(name);
    ranges::archived(parts.get(folders..)?)
}

/// The whole name of a folder of the archive.
fn folder(prefix: &str, asked: &str) -> Result<String, Error> {
    let wrong = |why| Err(Error::Asked { asked: asked.to_owned(), why });
    let below = asked.trim_matches('/');
    if below.split('/').any(|part| part == "." || part == "..") {
        return wrong("it must not lead out of it");
    }
    if below.contains("//") || below.contains('\\') || below.chars().any(char::is_control) {
        return wrong("folders have names, with one slash between them");
    }
    if below.ends_with(".gz") {
        return wrong("it is an object's name: name the folder that it is in");
    }
    Ok(format!("{}{below}", ranges::below(prefix)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_below_the_archives_prefix() {
        for (prefix, asked, whole) in [
            ("", "", ""),
            ("backup", "", "backup/"),
            ("/backup/eu/", "/site/gw/", "backup/eu/site/gw"),
            ("", "site..eu/gw", "site..eu/gw"),
        ] {
            assert_eq!(folder(prefix, asked).unwrap(), whole);
        }
        for asked in ["..", "../x", "site/../../x", "site/./gw", "a//b", "a\\b", "a\0b", "site/gw/x.json.gz"] {
            let error = folder("backup", asked).unwrap_err().to_string();
            assert!(error.contains("is no folder of the archive"), "{error}");
        }
    }
}
