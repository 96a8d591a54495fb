//! How objects are called: folders as RudderStack has them, file names from log positions.
//!
//! ```text
//!   a destination   <prefix>/rudder-logs/<source>/<date>/<unix second>.<source>.<lane>-<chunk>-<tag>.json.gz
//!   the archive     <prefix>/<source>/gw/<date>/<hour>/<instance>/<first second>_<last second>_<workspace>_<lane>-<chunk>-<tag>.json.gz
//! ```
//! Date and hour are those at which an event was received, in UTC. Lane and chunk are where the range begins; the
//! tag is drawn for its plan, so that a database that begins anew never means the objects of the one before it.

use std::ops::RangeInclusive;
use time::OffsetDateTime;

/// The folders that objects are sorted into.
#[derive(Clone, Debug)]
pub(crate) enum Layout {
    /// What a destination gets, below the folder that each record names.
    Destination,
    /// Events as they were accepted.
    Archive {
        /// The bucket.
        bucket: String,
        /// What all names begin with, without slashes around it.
        prefix: String,
        /// This installation, in the folders.
        instance: String,
        /// The workspace, in the file names.
        workspace: String,
    },
}

/// One object of a range.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Slot {
    pub(super) bucket: String,
    /// Ends with a slash.
    pub(super) folder: String,
    pub(super) source: String,
}

/// What the file names of a range have in common.
#[derive(Clone, Debug)]
pub(super) struct Stamp {
    pub(super) now_ms: i64,
    /// Where it begins: lane and chunk.
    pub(super) from: (i64, i64),
    pub(super) tag: String,
}

impl Layout {
    /// Where an event that was received then goes. Of a destination, with the bucket and folder of its record.
    pub(super) fn slot(&self, source: &str, received_at_ms: i64, record: Option<(&str, &str)>) -> Slot {
        let at = OffsetDateTime::from_unix_timestamp(received_at_ms.div_euclid(1_000));
        let at = at.unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let (date, source) = (at.date(), tidy(source));
        match self {
            Layout::Destination => {
                let (bucket, prefix) = record.unwrap_or_default();
                let folder = format!("{}rudder-logs/{source}/{date}/", below(prefix));
                Slot { bucket: tidy(bucket), folder, source }
            }
            Layout::Archive { bucket, prefix, instance, .. } => {
                let folder = format!("{}{source}/gw/{date}/{}/{instance}/", below(prefix), at.hour());
                Slot { bucket: bucket.clone(), folder, source }
            }
        }
    }

    /// The whole name of an object with events that were received between these times.
    pub(super) fn name(&self, slot: &Slot, stamp: &Stamp, first_ms: i64, last_ms: i64) -> String {
        let Slot { folder, source, .. } = slot;
        let Stamp { now_ms, from: (lane, seq), tag } = stamp;
        let second = |ms: i64| ms.div_euclid(1_000);
        match self {
            Layout::Destination => format!("{folder}{}.{source}.{lane}-{seq}-{tag}.json.gz", second(*now_ms)),
            Layout::Archive { workspace, .. } => {
                format!("{folder}{}_{}_{workspace}_{lane}-{seq}-{tag}.json.gz", second(first_ms), second(last_ms))
            }
        }
    }
}

/// What the name of an object of the archive says: from where on, below the prefix, it is `parts`. Nothing when it is
/// no name of such an object. RudderStack's archive has the same names, but for what stands behind the workspace.
pub(crate) fn archived(parts: &[String]) -> Option<Archived> {
    let [source, kind, _, _, _, file] = parts else { return None };
    let mut words = file.strip_suffix(".json.gz")?.split('_');
    let mut second = || words.next()?.parse::<i64>().ok();
    let (first, last) = (second()?, second()?);
    // The workspace may be of several words.
    let from = words.next_back()?;
    if kind != "gw" || source.is_empty() || words.next().is_none() || first > last {
        return None;
    }
    let received_ms = first.saturating_mul(1_000)..=last.saturating_mul(1_000).saturating_add(999);
    let mut from = from.split('-');
    let (lane, seq, tag) = (from.next()?.parse().ok(), from.next().and_then(|seq| seq.parse().ok()), from.next());
    let from = lane.zip(seq).filter(|_| tag.is_some() && from.next().is_none());
    Some(Archived { source_id: source.clone(), received_ms, from })
}

/// What the name of an object of the archive says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Archived {
    pub(crate) source_id: String,
    /// When its events were received, in milliseconds since 1970: whole seconds.
    pub(crate) received_ms: RangeInclusive<i64>,
    /// Where the range begins that it was written with: lane and chunk. Not known of other archives than ours.
    pub(crate) from: Option<(i64, i64)>,
}

/// A folder's name with a slash behind it; nothing of none.
pub(crate) fn below(prefix: &str) -> String {
    let prefix = prefix.trim_matches('/');
    if prefix.is_empty() { String::new() } else { format!("{}/", tidy(prefix)) }
}

/// Without what no name may have: a plan is stored as text.
fn tidy(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '_' } else { c }).collect()
}

/// Eight letters of a seed.
pub(super) fn tag(seed: u64) -> String {
    format!("{:08x}", seed as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: i64 = 1_763_845_200_123; // 2025-11-22T21:00:00.123Z
    const LATER: i64 = AT + 90_000;

    fn stamp() -> Stamp {
        Stamp { now_ms: LATER, from: (3, 14), tag: tag(0xfeed_beef_0000_002a) }
    }

    #[test]
    fn a_destinations_objects_are_where_rudderstack_has_them() {
        let slot = Layout::Destination.slot("site", AT, Some(("events", "/eu/prod/")));
        assert_eq!((slot.bucket.as_str(), slot.folder.as_str()), ("events", "eu/prod/rudder-logs/site/2025-11-22/"));
        let name = Layout::Destination.name(&slot, &stamp(), AT, LATER);
        assert_eq!(name, "eu/prod/rudder-logs/site/2025-11-22/1763845290.site.3-14-0000002a.json.gz");
        let bare = Layout::Destination.slot("site", AT, Some(("a\0b", "")));
        assert_eq!((bare.bucket.as_str(), bare.folder.as_str()), ("a_b", "rudder-logs/site/2025-11-22/"));
    }

    #[test]
    fn the_archive_has_a_folder_for_each_hour() {
        let layout = Layout::Archive {
            bucket: "backup".into(),
            prefix: "raw".into(),
            instance: "1".into(),
            workspace: "main".into(),
        };
        let slot = layout.slot("site", AT - 20 * 3_600_000, None);
        assert_eq!(slot.folder, "raw/site/gw/2025-11-22/1/1/");
        let name = layout.name(&slot, &stamp(), AT, LATER);
        assert_eq!(name, "raw/site/gw/2025-11-22/1/1/1763845200_1763845290_main_3-14-0000002a.json.gz");
    }

    fn read(name: &str) -> Option<Archived> {
        archived(&name.split('/').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn a_name_of_the_archive_says_what_it_was_made_of() {
        let layout = Layout::Archive {
            bucket: "backup".into(),
            prefix: String::new(),
            instance: "1".into(),
            workspace: "of_several_words".into(),
        };
        let name = layout.name(&layout.slot("site", AT, None), &stamp(), AT, LATER);
        let received_ms = AT - AT % 1_000..=LATER - LATER % 1_000 + 999;
        let said = Archived { source_id: "site".into(), received_ms, from: Some((3, 14)) };
        assert_eq!(read(&name), Some(said), "{name}");
    }

    #[test]
    fn rudderstacks_names_are_read_and_others_are_not() {
        let theirs = "2Ab/gw/2025-11-22/7/1/1763845200_1763845290_ws_0b5f6a1c-7f1d-4d7e-9d35-1c2f3a4b5c6d.json.gz";
        let said = read(theirs).unwrap();
        assert_eq!((&*said.source_id, said.from), ("2Ab", None));
        assert_eq!(said.received_ms, 1_763_845_200_000..=1_763_845_290_999);
        for other in [
            "site/gw/2025-11-22/7/1/1763845290.site.3-14-0000002a.json.gz",
            "site/gw/2025-11-22/7/1/9_1_main_3-14-a.json.gz",
            "site/gw/2025-11-22/7/1/1_9_3-14-a.json.gz",
            "site/gw/2025-11-22/7/1/1_9_main_3-14-a.json",
            "site/gw/2025-11-22/7/1_9_main_3-14-a.json.gz",
            "site/rt/2025-11-22/7/1/1_9_main_3-14-a.json.gz",
            "/gw/2025-11-22/7/1/1_9_main_3-14-a.json.gz",
            "",
        ] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
