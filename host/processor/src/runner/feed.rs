//! Where a runner's chunks come from.

use super::{Held, Parts, next_chunk};
use crate::spec::{Mode, Spec};
use pintle_store::Error;
use pintle_store::log::{Chunk, Reader};
use pintle_store::replays::Origin;
use pintle_store::settle::Tracker;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Chunks, one after another.
pub(super) struct Feed {
    reader: Reader,
    /// Where it ends; nowhere, when it follows the log.
    end: Option<BTreeMap<i64, i64>>,
}

impl Feed {
    /// From where the cursors stand. Who only filters reads what there is now, and a replay what it was given.
    pub(super) fn open(parts: &Parts, spec: &Spec, tracker: &Tracker) -> Result<Feed, Held> {
        let next = tracker.next_chunks();
        Ok(match spec.replay.as_ref().map(|replay| &replay.origin) {
            Some(Origin::Log(ends)) => {
                Feed { reader: parts.log.reader_up_to(next, ends.clone()), end: Some(ends.clone()) }
            }
            Some(Origin::Archive { .. }) => todo!(),
            None => {
                let end = (spec.mode != Mode::Deliver).then(|| parts.log.heads());
                Feed { reader: parts.log.reader(next), end }
            }
        })
    }

    /// The next chunk, however long it takes; nothing at the end.
    pub(super) async fn next(&mut self, destination: &str) -> Result<Option<Arc<Chunk>>, Held> {
        if self.is_at_end() {
            return Ok(None);
        }
        Ok(Some(next_chunk(destination, &mut self.reader).await))
    }

    /// The next chunk, if one is there.
    pub(super) async fn next_ready(&mut self) -> Result<Option<Arc<Chunk>>, Error> {
        if self.is_at_end() {
            return Ok(None);
        }
        self.reader.next_ready().await
    }

    fn is_at_end(&self) -> bool {
        self.end.as_ref().is_some_and(|end| self.reader.has_passed(end))
    }
}
