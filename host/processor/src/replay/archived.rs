//! Chunks of events that an archive kept: ours, or RudderStack's, which has the same names.
//!
//! ```text
//!   names, in order ──▶ Object ──lines──▶ frames ──▶ Chunk   seq = place of the name × 2^20 + piece of the object + 1
//! ```
//! The names are listed once and kept with the replay. A chunk is a piece of one object, cut where its bytes alone say
//! so, by no setting and whatever of it is wanted: a replay that was interrupted finds the same chunks under the same
//! numbers, and what lies before its cursor is not opened, or is passed over within one object.

mod listing;
mod piece;

pub(crate) use listing::{Listing, list};

use crate::ranges;
use crate::runner::Parts;
use piece::{Cut, Gathered};
use pintle_objects::{Depot, Failure, Object};
use pintle_store::log::Chunk;
use pintle_store::replays::{ARCHIVE_PIECE_BITS, Replay};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

/// Pieces that an object may have, as a power of two: they share a chunk's number with the object's place.
const PIECES_BITS: u32 = ARCHIVE_PIECE_BITS;
/// Lines that are no events and that are told one by one; all are counted.
const UNFIT_TOLD_MAX: usize = 20;

/// An archive, as the settings say where it is.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) depot: Depot,
    pub(crate) bucket: String,
    /// What all its names begin with.
    pub(crate) prefix: String,
}

impl Origin {
    /// That of the settings.
    ///
    /// # Errors
    /// What is to be set.
    pub(crate) fn of(parts: &Parts) -> Result<Origin, String> {
        let Parts { archive, objects, router, .. } = parts;
        let bucket = archive.bucket.clone().ok_or_else(|| {
            "there is no archive: `archive: bucket` in the settings says where it is, also when it is no more written"
                .to_owned()
        })?;
        let (place, _) = archive.place()?;
        Ok(Origin { depot: Depot::open(place, objects, router), bucket, prefix: archive.prefix.clone() })
    }
}

/// When events were received that are wanted, in milliseconds since 1970. Default: whenever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Window {
    /// From then on.
    pub(crate) since_ms: Option<i64>,
    /// Before then.
    pub(crate) until_ms: Option<i64>,
}

impl Window {
    /// That of a replay.
    pub(crate) fn of(replay: &Replay) -> Window {
        Window { since_ms: Some(replay.since_ms), until_ms: Some(replay.until_ms) }
    }

    fn has(&self, received_at_ms: i64) -> bool {
        self.meets(&(received_at_ms..=received_at_ms))
    }

    fn meets(&self, received_ms: &RangeInclusive<i64>) -> bool {
        self.since_ms.is_none_or(|since| *received_ms.end() >= since)
            && self.until_ms.is_none_or(|until| *received_ms.start() < until)
    }
}

/// Why it does not go on. It can be taken up again where it stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// What is asked for is no folder of the archive.
    #[error("\"{asked}\" is no folder of the archive: {why}; write for example site/gw/2026-11-22")]
    Asked {
        /// What is asked for.
        asked: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A kept name is none of the archive's.
    #[error("\"{name}\" is no name of an object of the archive: list it again")]
    Name {
        /// The name.
        name: String,
    },
    /// An object that no archive has.
    #[error("the object \"{name}\" has more than {max} pieces, which is more than can be numbered")]
    TooLong {
        /// Its name.
        name: String,
        /// How many there may be.
        max: i64,
    },
    /// An object is not there, damaged, or cannot be reached; or the bucket.
    #[error(transparent)]
    Objects(#[from] Failure),
    /// What this process wrote cannot be read by it.
    #[error(transparent)]
    Damaged(#[from] pintle_events::frame::Damaged),
}

/// A line that is no event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unfit {
    /// The name of its object.
    pub(crate) object: String,
    /// Its number there, from 1.
    pub(crate) line: u64,
    /// What is wrong with it.
    pub(crate) why: String,
}

impl std::fmt::Display for Unfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Unfit { object, line, why } = self;
        write!(f, "{object}, line {line}: {why}")
    }
}

/// Lines that are no events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unfits {
    /// How many.
    pub(crate) count: u64,
    /// The first of them.
    pub(crate) first: Vec<Unfit>,
}

impl Unfits {
    /// Adds those that come behind.
    pub(crate) fn append(&mut self, mut later: Unfits) {
        self.count += later.count;
        let room = UNFIT_TOLD_MAX - self.first.len().min(UNFIT_TOLD_MAX);
        later.first.truncate(room);
        self.first.append(&mut later.first);
    }

    fn note(&mut self, object: &str, line: u64, why: String) {
        let first = vec![Unfit { object: object.to_owned(), line, why }];
        self.append(Unfits { count: 1, first });
    }
}

/// What was found by [`Archived::count`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    /// Events that are wanted.
    pub(crate) events: u64,
    /// Objects that were read to their end.
    pub(crate) objects: usize,
    /// Whether that were all.
    pub(crate) is_complete: bool,
    /// Lines that are no events.
    pub(crate) unfit: Unfits,
}

/// Reads objects of an archive as chunks of a lane of their own.
#[derive(Debug)]
pub(crate) struct Archived {
    origin: Origin,
    names: Vec<String>,
    window: Window,
    lane: i64,
    /// The place of the object that is read, and the piece of it that comes next.
    place: usize,
    piece: i64,
    /// Taken out while it is read: whoever gives up waiting does not leave it in the middle of a piece.
    open: Option<Opened>,
    unfit: Unfits,
}

#[derive(Debug)]
struct Opened {
    object: Object,
    about: ranges::Archived,
}

impl Archived {
    /// Chunks from the number `from` on of what these objects hold, in this order. `names` and `window` are to be the
    /// same each time.
    pub(crate) fn new(origin: Origin, names: Vec<String>, window: Window, lane: i64, from: i64) -> Archived {
        let (place, piece) = place_of(from);
        Archived { origin, names, window, lane, place, piece, open: None, unfit: Unfits::default() }
    }

    /// The next chunk with any event that is wanted; nothing at the end. May be given up: the next call goes on there.
    ///
    /// # Errors
    /// When an object cannot be read, which the error names. The next call tries the same piece again.
    pub(crate) async fn next(&mut self) -> Result<Option<Arc<Chunk>>, Error> {
        while self.place < self.names.len() {
            match self.piece().await? {
                None => {
                    self.open = None;
                    (self.place, self.piece) = (self.place + 1, 0);
                }
                Some(gathered) => {
                    let seq = seq_of(self.place, self.piece);
                    self.piece += 1;
                    self.unfit.append(gathered.unfit);
                    if !gathered.frames.is_empty() {
                        return Ok(Some(Arc::new(Chunk::of_frames(self.lane, seq, gathered.frames)?)));
                    }
                }
            }
            // Decompressing waits for nothing; others are to have their turn.
            tokio::task::yield_now().await;
        }
        Ok(None)
    }

    /// Lines that are no events, among all up to the chunk that was given last and since this was asked last.
    pub(crate) fn take_unfit(&mut self) -> Unfits {
        std::mem::take(&mut self.unfit)
    }

    /// How many objects are behind it, and how many there are.
    pub(crate) fn progress(&self) -> (usize, usize) {
        (self.place.min(self.names.len()), self.names.len())
    }

    /// Reads on to the end and shows each chunk, for as long as it may take. That it takes longer is no error.
    ///
    /// # Errors
    /// As [`Archived::next`].
    pub(crate) async fn count(mut self, within: Duration, mut each: impl FnMut(&Chunk)) -> Result<Counted, Error> {
        let deadline = tokio::time::Instant::now() + within;
        let mut counted = Counted::default();
        // What is ready at once does not time out, however late it is.
        while tokio::time::Instant::now() < deadline {
            let Ok(next) = tokio::time::timeout_at(deadline, self.next()).await else { break };
            let Some(chunk) = next? else {
                counted.is_complete = true;
                break;
            };
            counted.events += u64::from(chunk.events());
            each(&chunk);
        }
        counted.objects = self.progress().0;
        counted.unfit = self.unfit;
        Ok(counted)
    }

    /// What the next piece holds; nothing behind the last one of an object.
    async fn piece(&mut self) -> Result<Option<Gathered>, Error> {
        let name = &self.names[self.place];
        if self.piece >> PIECES_BITS != 0 {
            return Err(Error::TooLong { name: name.clone(), max: 1 << PIECES_BITS });
        }
        let mut opened = match self.open.take() {
            Some(opened) => opened,
            None => {
                let mut opened = self.opened(name).await?;
                for _ in 0..self.piece {
                    if !Cut::default().pass(&mut opened.object).await? {
                        break;
                    }
                    tokio::task::yield_now().await;
                }
                opened
            }
        };
        let gathered = Gathered::read(&mut opened.object, name, &opened.about, self.window).await?;
        self.open = Some(opened);
        Ok(gathered)
    }

    async fn opened(&self, name: &str) -> Result<Opened, Error> {
        let Origin { depot, bucket, prefix } = &self.origin;
        let about = listing::about(prefix, name).ok_or_else(|| Error::Name { name: name.to_owned() })?;
        Ok(Opened { object: depot.get(bucket, name).await?, about })
    }
}

/// The number of a chunk.
fn seq_of(place: usize, piece: i64) -> i64 {
    ((place as i64) << PIECES_BITS) + piece + 1
}

/// The place of its object among all, and its piece of that.
fn place_of(seq: i64) -> (usize, i64) {
    let at = seq.max(1) - 1;
    ((at >> PIECES_BITS) as usize, at & ((1 << PIECES_BITS) - 1))
}

#[cfg(test)]
mod tests;
