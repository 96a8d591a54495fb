//! A chunk: the events of one commit of one lane, as bytes.
//!
//! ```text
//! "PLC"  u8 format (2)   u8 codec (1: zstd)   u32 events   u32 body length   u32 stored body length
//! u32 length of the counts  then per source and hour: u8 length, source   i32 hour since 1970   u32 events
//! events × u8  slots          who owns which event, without opening it
//! events × u64 message ids    xxh3-64, for rebuilding the duplicate window without opening events
//! stored body  zstd (with its checksum) of the frames, one behind the other
//! ```
//! Integers are little-endian. Format 1 had no counts: its events are in no hour of the books. Every format
//! that was ever written is readable forever; samples of each are kept in the tests. Offsets of events are not
//! stored: frames carry their length, and walking them costs less than the bytes would.

use super::batch::Part;
use super::groups::{Groups, Sorter};
use crate::Error;
use crate::ledger::Group;
use pintle_events::EventRef;
use std::sync::Arc;

const MAGIC: &[u8; 3] = b"PLC";
const FORMAT: u8 = 2;
const ZSTD: u8 = 1;
/// What comes before the counts.
const HEADER: usize = 4 + 1 + 4 + 4 + 4 + 4;
/// The same in the first format, without the length of the counts.
const HEADER_1: usize = HEADER - 4;
/// Favours speed: level 1 costs a third of level 3 and stores a tenth more.
const LEVEL: i32 = 1;
/// A stored piece fills one heap page: no TOAST, one WAL record and one index entry per 8 KB.
pub(crate) const PIECE_BYTES: usize = 8_060;

/// The events of one commit of one lane.
#[derive(Debug)]
pub struct Chunk {
    /// Its lane.
    pub lane: i64,
    /// Its number in the lane, dense from 1.
    pub seq: i64,
    /// Merges lanes: drawn inside the insert.
    pub ord: i64,
    body: Vec<u8>,
    offsets: Vec<u32>,
    groups: Arc<Groups>,
    /// Which of its events are copies of earlier ones, in order.
    duplicates: Vec<u32>,
}

impl Chunk {
    /// Where the slots begin, counted from 0, in SQL: `data` is the first piece.
    pub(crate) const SLOTS_AT: &str = "CASE get_byte(data, 3) WHEN 1 THEN 17 ELSE 21 + get_byte(data, 17) \
        + (get_byte(data, 18) << 8) + (get_byte(data, 19) << 16) END";
    /// A stored piece, but for the last one.
    pub(crate) const PIECE_BYTES: usize = PIECE_BYTES;

    /// How many events it holds.
    #[must_use]
    pub fn events(&self) -> u32 {
        self.offsets.len() as u32
    }

    /// Bytes it takes in memory.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.body.len() + self.offsets.len() * 4
    }

    /// An event of it.
    ///
    /// # Panics
    /// When there is no such event.
    #[must_use]
    pub fn event(&self, idx: u32) -> EventRef<'_> {
        let at = self.offsets[idx as usize] as usize;
        EventRef::read(&self.body[at..]).expect("frames were checked when the chunk was made").0
    }

    /// What the books count its events under.
    #[must_use]
    pub fn groups(&self) -> &Arc<Groups> {
        &self.groups
    }

    /// Whether an event is a copy of an earlier one: no destination gets it.
    #[must_use]
    pub fn is_duplicate(&self, idx: u32) -> bool {
        self.duplicates.binary_search(&idx).is_ok()
    }

    /// Says which events are copies, in order.
    pub(crate) fn mark(&mut self, duplicates: Vec<u32>) {
        self.duplicates = duplicates;
    }

    /// A chunk that no table holds, of frames one behind the other: for readers of events that are not in the log.
    /// None of its events is a copy.
    ///
    /// # Errors
    /// When the bytes are not whole frames.
    pub fn of_frames(lane: i64, seq: i64, frames: Vec<u8>) -> Result<Chunk, pintle_events::frame::Damaged> {
        let mut chunk = Chunk::empty(lane, seq, 0);
        chunk.body = frames;
        chunk.index()?;
        Ok(chunk)
    }

    /// Puts a chunk together from the waiting parts.
    pub(crate) fn gather(lane: i64, seq: i64, parts: &mut [Part]) -> Chunk {
        let mut chunk = Chunk::empty(lane, seq, 0);
        if let [only] = parts {
            chunk.body = std::mem::take(&mut only.frames);
        } else {
            chunk.body.reserve_exact(parts.iter().map(|part| part.frames.len()).sum());
            for part in parts.iter() {
                chunk.body.extend_from_slice(&part.frames);
            }
        }
        chunk.index().expect("the frames were encoded by this process");
        chunk
    }

    /// The stored form.
    pub(crate) fn encode(
        &self,
        parts: &[Part],
        compressor: &mut zstd::bulk::Compressor<'_>,
    ) -> std::io::Result<Vec<u8>> {
        let events = self.offsets.len();
        let counts = counts(&self.groups);
        let mut out = Vec::with_capacity(HEADER + counts.len() + events * 9 + self.body.len() / 3);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&[FORMAT, ZSTD]);
        out.extend_from_slice(&(events as u32).to_le_bytes());
        out.extend_from_slice(&(self.body.len() as u32).to_le_bytes());
        let stored = compressor.compress(&self.body)?;
        out.extend_from_slice(&(stored.len() as u32).to_le_bytes());
        out.extend_from_slice(&(counts.len() as u32).to_le_bytes());
        out.extend_from_slice(&counts);
        for part in parts {
            out.extend_from_slice(&part.slots);
        }
        for part in parts {
            out.extend(part.message_ids.iter().flat_map(|hash| hash.to_le_bytes()));
        }
        out.extend_from_slice(&stored);
        Ok(out)
    }

    /// How long a stored chunk is, from its first piece; nothing when that is not the start of a chunk.
    pub(crate) fn stored_length(first_piece: &[u8]) -> Option<usize> {
        let header = Header::read(first_piece)?;
        Some(header.body_at() + header.stored)
    }

    /// How much of a stored chunk has the hashes of its message ids, from its first piece.
    pub(crate) fn directory_length(first_piece: &[u8]) -> Option<usize> {
        Some(Header::read(first_piece)?.body_at())
    }

    /// How much of a stored chunk has its counts, from its first piece.
    pub(crate) fn counts_length(first_piece: &[u8]) -> Option<usize> {
        Some(Header::read(first_piece)?.slots_at())
    }

    /// How many events it holds of each source and hour, from as much of a stored chunk; of one of the first
    /// format nothing is known.
    pub(crate) fn counts(directory: &[u8]) -> Option<Vec<(Group, u32)>> {
        let header = Header::read(directory)?;
        let mut rest = directory.get(header.fixed..header.slots_at())?;
        let mut counts = Vec::new();
        while let Some((length, after)) = rest.split_first() {
            let (source, after) = after.split_at_checked(usize::from(*length))?;
            let (hour, after) = after.split_first_chunk::<4>()?;
            let (events, after) = after.split_first_chunk::<4>()?;
            rest = after;
            let source = std::str::from_utf8(source).ok()?.into();
            counts.push((Group { source, hour: i32::from_le_bytes(*hour) }, u32::from_le_bytes(*events)));
        }
        Some(counts)
    }

    /// The hashes of the message ids of its events, from as much of a stored chunk.
    pub(crate) fn message_ids(directory: &[u8]) -> Option<Vec<u64>> {
        let header = Header::read(directory)?;
        let hashes = directory.get(header.slots_at() + header.events..header.body_at())?;
        let hash = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("eight bytes each"));
        Some(hashes.chunks_exact(8).map(hash).collect())
    }

    /// Reads the stored form.
    pub(crate) fn decode(lane: i64, seq: i64, ord: i64, stored: &[u8]) -> Result<Chunk, Error> {
        let damaged = |why: &str| Error::Damaged { lane, seq, why: why.to_owned() };
        let header = Header::read(stored).ok_or_else(|| damaged("it has no header that this Pintle knows"))?;
        let from = header.body_at();
        let body = stored.get(from..from + header.stored).ok_or_else(|| damaged("pieces of it are missing"))?;
        let mut chunk = Chunk::empty(lane, seq, ord);
        chunk.body = zstd::bulk::decompress(body, header.body).map_err(|error| damaged(&error.to_string()))?;
        chunk.offsets.reserve_exact(header.events);
        chunk.index().map_err(|error| damaged(&error.to_string()))?;
        if header.fixed == HEADER_1 {
            chunk.groups = Groups::untold(chunk.events());
        }
        if chunk.offsets.len() == header.events { Ok(chunk) } else { Err(damaged("its header counts other events")) }
    }

    fn empty(lane: i64, seq: i64, ord: i64) -> Chunk {
        let (body, offsets, groups, duplicates) = (Vec::new(), Vec::new(), Arc::default(), Vec::new());
        Chunk { lane, seq, ord, body, offsets, groups, duplicates }
    }

    fn index(&mut self) -> Result<(), pintle_events::frame::Damaged> {
        let (mut at, mut groups) = (0, Sorter::default());
        while at < self.body.len() {
            let (event, length) = EventRef::read(&self.body[at..])?;
            groups.push(event.source_id, event.received_at_ms);
            self.offsets.push(at as u32);
            at += length;
        }
        self.groups = groups.done();
        Ok(())
    }
}

/// A compressor for one lane, kept because setting one up costs more than a small chunk.
pub(crate) fn compressor() -> std::io::Result<zstd::bulk::Compressor<'static>> {
    let mut compressor = zstd::bulk::Compressor::new(LEVEL)?;
    compressor.include_checksum(true)?;
    Ok(compressor)
}

/// The counts as they are stored.
fn counts(groups: &Groups) -> Vec<u8> {
    let mut out = Vec::new();
    for (Group { source, hour }, events) in groups.counts() {
        // Frames cut their source at as many bytes.
        let source = &source[..source.floor_char_boundary(usize::from(u8::MAX))];
        out.push(source.len() as u8);
        out.extend_from_slice(source.as_bytes());
        out.extend_from_slice(&hour.to_le_bytes());
        out.extend_from_slice(&events.to_le_bytes());
    }
    out
}

struct Header {
    /// Bytes before the counts.
    fixed: usize,
    events: usize,
    body: usize,
    stored: usize,
    counts: usize,
}

impl Header {
    fn read(bytes: &[u8]) -> Option<Header> {
        let number =
            |at: usize| -> Option<usize> { Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize) };
        if bytes.get(..3)? != MAGIC || *bytes.get(4)? != ZSTD {
            return None;
        }
        let (fixed, counts) = match *bytes.get(3)? {
            1 => (HEADER_1, 0),
            FORMAT => (HEADER, number(HEADER_1)?),
            _ => return None,
        };
        Some(Header { fixed, events: number(5)?, body: number(9)?, stored: number(13)?, counts })
    }

    fn slots_at(&self) -> usize {
        self.fixed + self.counts
    }

    fn body_at(&self) -> usize {
        self.slots_at() + self.events * 9
    }
}

#[cfg(test)]
mod tests;
