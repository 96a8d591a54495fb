//! A chunk: the events of one commit of one lane, as bytes.
//!
//! ```text
//! "PLC"  u8 format (1)   u8 codec (1: zstd)   u32 events   u32 body length   u32 stored body length
//! events × u8  slots          who owns which event, without opening it
//! events × u64 message ids    xxh3-64, for rebuilding the duplicate window without opening events
//! stored body  zstd (with its checksum) of the frames, one behind the other
//! ```
//! Integers are little-endian. Every format that was ever written is readable forever; samples of each
//! are kept in the tests. Offsets of events are not stored: frames carry their length, and walking them
//! costs less than the bytes would.

use super::batch::Part;
use crate::Error;
use pintle_events::EventRef;

const MAGIC: &[u8; 4] = b"PLC\x01";
const ZSTD: u8 = 1;
const HEADER: usize = 4 + 1 + 4 + 4 + 4;
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
    /// Which of its events are copies of earlier ones, in order.
    duplicates: Vec<u32>,
}

impl Chunk {
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

    /// Whether an event is a copy of an earlier one: no destination gets it.
    #[must_use]
    pub fn is_duplicate(&self, idx: u32) -> bool {
        self.duplicates.binary_search(&idx).is_ok()
    }

    /// Says which events are copies, in order.
    pub(crate) fn mark(&mut self, duplicates: Vec<u32>) {
        self.duplicates = duplicates;
    }

    /// Puts a chunk together from the waiting parts.
    pub(crate) fn gather(lane: i64, seq: i64, parts: &mut [Part]) -> Chunk {
        let mut chunk = Chunk { lane, seq, ord: 0, body: Vec::new(), offsets: Vec::new(), duplicates: Vec::new() };
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
        let mut out = Vec::with_capacity(HEADER + events * 9 + self.body.len() / 3);
        out.extend_from_slice(MAGIC);
        out.push(ZSTD);
        out.extend_from_slice(&(events as u32).to_le_bytes());
        out.extend_from_slice(&(self.body.len() as u32).to_le_bytes());
        let stored = compressor.compress(&self.body)?;
        out.extend_from_slice(&(stored.len() as u32).to_le_bytes());
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
        Some(HEADER + header.events * 9 + header.stored)
    }

    /// How much of a stored chunk has the hashes of its message ids, from its first piece.
    pub(crate) fn directory_length(first_piece: &[u8]) -> Option<usize> {
        Some(HEADER + Header::read(first_piece)?.events * 9)
    }

    /// The hashes of the message ids of its events, from as much of a stored chunk.
    pub(crate) fn message_ids(directory: &[u8]) -> Option<Vec<u64>> {
        let events = Header::read(directory)?.events;
        let hashes = directory.get(HEADER + events..HEADER + events * 9)?;
        let hash = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("eight bytes each"));
        Some(hashes.chunks_exact(8).map(hash).collect())
    }

    /// Reads the stored form.
    pub(crate) fn decode(lane: i64, seq: i64, ord: i64, stored: &[u8]) -> Result<Chunk, Error> {
        let damaged = |why: &str| Error::Damaged { lane, seq, why: why.to_owned() };
        let header = Header::read(stored).ok_or_else(|| damaged("it has no header that this Pintle knows"))?;
        let from = HEADER + header.events * 9;
        let body = stored.get(from..from + header.stored).ok_or_else(|| damaged("pieces of it are missing"))?;
        let body = zstd::bulk::decompress(body, header.body).map_err(|error| damaged(&error.to_string()))?;
        let offsets = Vec::with_capacity(header.events);
        let mut chunk = Chunk { lane, seq, ord, body, offsets, duplicates: Vec::new() };
        chunk.index().map_err(|error| damaged(&error.to_string()))?;
        if chunk.offsets.len() == header.events { Ok(chunk) } else { Err(damaged("its header counts other events")) }
    }

    fn index(&mut self) -> Result<(), pintle_events::frame::Damaged> {
        let mut at = 0;
        while at < self.body.len() {
            let (_, length) = EventRef::read(&self.body[at..])?;
            self.offsets.push(at as u32);
            at += length;
        }
        Ok(())
    }
}

/// A compressor for one lane, kept because setting one up costs more than a small chunk.
pub(crate) fn compressor() -> std::io::Result<zstd::bulk::Compressor<'static>> {
    let mut compressor = zstd::bulk::Compressor::new(LEVEL)?;
    compressor.include_checksum(true)?;
    Ok(compressor)
}

struct Header {
    events: usize,
    body: usize,
    stored: usize,
}

impl Header {
    fn read(bytes: &[u8]) -> Option<Header> {
        let number =
            |at: usize| -> Option<usize> { Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize) };
        if bytes.get(..4)? != MAGIC || *bytes.get(4)? != ZSTD {
            return None;
        }
        Some(Header { events: number(5)?, body: number(9)?, stored: number(13)? })
    }
}
