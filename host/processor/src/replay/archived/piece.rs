//! Pieces of objects, and what becomes of their lines.

use super::{Unfits, Window};
use crate::ranges;
use pintle_events::{archived, utf8};
use pintle_objects::{Failure, Line, Object};
use std::borrow::Cow;

/// Lines of a piece. Neither this nor the next may ever change: the cursors of replays count in pieces.
const LINES_MAX: u64 = 1_000;
/// Bytes of its lines; what the last one adds beyond is not cut.
const BYTES_MAX: u64 = 1 << 20;

/// Says where a piece ends.
#[derive(Debug, Default)]
pub(super) struct Cut {
    lines: u64,
    bytes: u64,
}

impl Cut {
    /// Reads a piece and forgets it; false when there are no lines any more.
    pub(super) async fn pass(mut self, object: &mut Object) -> Result<bool, Failure> {
        while self.next(object).await?.is_some() {}
        Ok(self.lines > 0)
    }

    /// The next line of the piece.
    async fn next<'o>(&mut self, object: &'o mut Object) -> Result<Option<Line<'o>>, Failure> {
        if self.lines >= LINES_MAX || self.bytes >= BYTES_MAX {
            return Ok(None);
        }
        let line = object.line().await?;
        if let Some(line) = &line {
            self.lines += 1;
            self.bytes += line.bytes;
        }
        Ok(line)
    }
}

/// What a piece holds.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// The events that are wanted, one behind the other.
    pub(super) frames: Vec<u8>,
    pub(super) unfit: Unfits,
}

impl Gathered {
    /// Reads the next piece; nothing when there are no lines any more.
    pub(super) async fn read(
        object: &mut Object,
        name: &str,
        about: &ranges::Archived,
        window: Window,
    ) -> Result<Option<Gathered>, Failure> {
        let (mut gathered, mut cut) = (Gathered::default(), Cut::default());
        while let Some(line) = cut.next(object).await? {
            if let Err(why) = gathered.take(&line, about, window) {
                gathered.unfit.note(name, line.number, why);
            }
        }
        Ok((cut.lines > 0).then_some(gathered))
    }

    fn take(&mut self, line: &Line<'_>, about: &ranges::Archived, window: Window) -> Result<(), String> {
        let Some(text) = line.text else {
            return Err(format!("it has {} bytes (line-bytes-max)", line.bytes));
        };
        if text.trim_ascii().is_empty() {
            return Ok(());
        }
        // As the gateway reads bodies.
        let text = match utf8::repaired_len(text) {
            None => String::from_utf8_lossy(text),
            Some(length) => Cow::Owned(utf8::repair(text, length)),
        };
        let taken = archived::read(&text, &about.source_id, Some(&about.received_ms), |frame| {
            if window.has(frame.received_at_ms) {
                frame.encode(&mut self.frames);
            }
        });
        taken.map_err(|flaw| flaw.to_string())
    }
}
