//! Where a runner's chunks come from.

use super::{Held, Parts, READ_PAUSE, REST_LOOK, next_chunk};
use crate::metrics;
use crate::replay::archived::{self, Archived, Window};
use crate::spec::{Mode, Spec};
use pintle_store::log::{Chunk, Reader};
use pintle_store::replays::Origin;
use pintle_store::settle::Tracker;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Chunks, one after another.
pub(super) enum Feed {
    /// From the log.
    Log {
        reader: Reader,
        /// Where it ends; nowhere, when it follows the log.
        end: Option<BTreeMap<i64, i64>>,
    },
    /// From the archive.
    Archive(Box<Archived>),
}

impl Feed {
    /// From where the cursors stand. Who only filters reads what there is now, and a replay what it was given.
    pub(super) fn open(parts: &Parts, spec: &Spec, tracker: &Tracker) -> Result<Feed, Held> {
        let next = tracker.next_chunks();
        Ok(match &spec.replay {
            None => {
                let end = (spec.mode != Mode::Deliver).then(|| parts.log.heads());
                Feed::Log { reader: parts.log.reader(next), end }
            }
            Some(replay) => match &replay.origin {
                Origin::Log(ends) => {
                    let reader = parts.log.reader_up_to(next, ends.clone());
                    Feed::Log { reader, end: Some(ends.clone()) }
                }
                Origin::Archive { objects, .. } => {
                    let origin = archived::Origin::of(parts).map_err(Held::Unread)?;
                    let lane = replay.archive_lane();
                    let from = next.get(&lane).copied().unwrap_or(1);
                    let names = if replay.is_read() { Vec::new() } else { objects.clone() };
                    let archived = Archived::new(origin, names, Window::of(replay), lane, from);
                    Feed::Archive(Box::new(archived))
                }
            },
        })
    }

    /// The next chunk, however long it takes; nothing at the end.
    pub(super) async fn next(&mut self, reader_id: &str) -> Result<Option<Arc<Chunk>>, Held> {
        match self {
            Feed::Log { reader, end } => Ok(next_before(reader_id, reader, end.as_ref()).await),
            Feed::Archive(archived) => {
                let next = archived.next().await;
                for line in tell(archived) {
                    tracing::warn!(destination = reader_id, %line, "a line of the archive is no event, and is left out");
                }
                next.map_err(|error| Held::Unread(error.to_string()))
            }
        }
    }

    /// The next chunk, if one is there without waiting for it. What cannot be read is told by [`Feed::next`].
    pub(super) async fn next_ready(&mut self) -> Option<Arc<Chunk>> {
        match self {
            Feed::Log { reader, end } if is_at_end(reader, end.as_ref()) => None,
            Feed::Log { reader, .. } => reader.next_ready().await.ok().flatten(),
            // Its chunks are as large as a call of a component may be.
            Feed::Archive(_) => None,
        }
    }
}

/// The next chunk up to an end, if there is one, however long it takes. The log may lose what is left of it meanwhile, and then nothing
/// new wakes anybody: so it is looked at now and then.
pub(crate) async fn next_before(
    reader_id: &str,
    reader: &mut Reader,
    end: Option<&BTreeMap<i64, i64>>,
) -> Option<Arc<Chunk>> {
    let Some(end) = end else { return Some(next_chunk(reader_id, reader).await) };
    while !reader.has_passed(end) {
        match reader.next_ready().await {
            Ok(Some(chunk)) => return Some(chunk),
            Ok(None) => tokio::time::sleep(REST_LOOK).await,
            Err(error) => {
                tracing::warn!(destination = reader_id, %error, "the log cannot be read, trying again");
                tokio::time::sleep(READ_PAUSE).await;
            }
        }
    }
    None
}

fn is_at_end(reader: &Reader, end: Option<&BTreeMap<i64, i64>>) -> bool {
    end.is_some_and(|end| reader.has_passed(end))
}

/// The lines that were no events, counted.
fn tell(archived: &mut Archived) -> Vec<String> {
    let unfit = archived.take_unfit();
    metrics::unreadable(unfit.count);
    unfit.first.iter().map(ToString::to_string).collect()
}
