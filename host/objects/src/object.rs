//! One object of gzip JSON lines, read line by line.
//!
//! ```text
//!   bucket ──a piece──▶ gzip ──about 32 KiB──▶ plain ──▶ line, line, …
//! ```
//! A piece is asked for when the one before it is used up, by its range: whoever reads may take as long as it likes
//! between two lines, and no connection waits for it. An object that is replaced meanwhile is noticed by its tag.

use crate::answer;
use crate::config::Config;
use crate::depot::Failure;
use bytes::{Buf as _, Bytes};
use flate2::write::MultiGzDecoder;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectStore};
use std::io::Write as _;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// Bytes that are asked for together.
const PIECE_BYTES: u64 = 4 << 20;
/// What a gzip begins with.
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// An object that is being read.
pub struct Object {
    store: Arc<dyn ObjectStore>,
    path: Path,
    at: Whereabouts,
    within: Duration,
    line_bytes_max: usize,
    size: u64,
    tag: Option<String>,
    /// Bytes that were asked for so far.
    fetched: u64,
    /// Of these, what is not decompressed.
    piece: Bytes,
    gzip: MultiGzDecoder<Vec<u8>>,
    /// Decompressed bytes that were given out, and those that have no line's end.
    given: usize,
    searched: usize,
    /// Bytes of a line that is too long, which are not kept.
    dropped: u64,
    lines: u64,
    is_over: bool,
    /// Nothing comes behind it.
    failed: Option<Failure>,
}

/// Where an object is, for errors.
pub(crate) struct Whereabouts {
    pub(crate) place: String,
    pub(crate) bucket: String,
    pub(crate) name: String,
}

/// A line of an object.
#[derive(Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// Its number, from 1.
    pub number: u64,
    /// How long it is, without its end.
    pub bytes: u64,
    /// What it says; nothing when it is longer than `line-bytes-max`.
    pub text: Option<&'a [u8]>,
}

impl std::fmt::Debug for Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} behind line {}", self.at, self.lines)
    }
}

impl std::fmt::Display for Whereabouts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the object \"{}\" of bucket \"{}\" at {}", self.name, self.bucket, self.place)
    }
}

impl Object {
    /// Reads the first piece.
    pub(crate) async fn open(
        store: Arc<dyn ObjectStore>,
        path: Path,
        at: Whereabouts,
        config: &Config,
    ) -> Result<Object, Failure> {
        let mut object = Object {
            store,
            path,
            at,
            within: config.read_timeout,
            line_bytes_max: config.line_bytes_max.get(),
            size: 0,
            tag: None,
            fetched: 0,
            piece: Bytes::new(),
            gzip: MultiGzDecoder::new(Vec::new()),
            given: 0,
            searched: 0,
            dropped: 0,
            lines: 0,
            is_over: false,
            failed: None,
        };
        object.fetch().await?;
        if object.size > config.object_bytes_max.get() {
            return Err(object.refused(&format!(
                "has {} bytes, more than {} (object-bytes-max): raise the limit",
                object.size, config.object_bytes_max
            )));
        }
        if !object.piece.starts_with(&MAGIC) {
            return Err(object.refused("is no gzip: it is not one that an archive wrote"));
        }
        Ok(object)
    }

    /// Its next line; nothing at its end.
    ///
    /// # Errors
    /// When it cannot be read, was replaced meanwhile, or is damaged. What was given before is whole.
    pub async fn line(&mut self) -> Result<Option<Line<'_>>, Failure> {
        if let Some(failure) = &self.failed {
            return Err(failure.clone());
        }
        match self.find().await {
            Ok(None) => Ok(None),
            Ok(Some((range, bytes))) => {
                let is_whole = bytes == range.len() as u64 && range.len() <= self.line_bytes_max;
                let text = is_whole.then(|| &self.gzip.get_ref()[range]);
                Ok(Some(Line { number: self.lines, bytes, text }))
            }
            Err(failure) => {
                self.failed = Some(failure.clone());
                Err(failure)
            }
        }
    }

    /// Where the next line is among what is decompressed, and how long it is.
    async fn find(&mut self) -> Result<Option<(Range<usize>, u64)>, Failure> {
        loop {
            let plain = self.gzip.get_ref();
            if let Some(length) = memchr::memchr(b'\n', &plain[self.searched..]) {
                let end = self.searched + length;
                return Ok(Some(self.cut(end, end + 1)));
            }
            self.searched = plain.len();
            if self.searched - self.given > self.line_bytes_max {
                self.dropped += (self.searched - self.given) as u64;
                self.given = self.searched;
            }
            if !self.more().await? {
                let end = self.searched;
                if self.given == end && self.dropped == 0 {
                    return Ok(None);
                }
                return Ok(Some(self.cut(end, end)));
            }
        }
    }

    /// Where the line is that ends at `end`, and how long it is. The next one begins at `next`.
    fn cut(&mut self, end: usize, next: usize) -> (Range<usize>, u64) {
        let range = self.given..end;
        let bytes = range.len() as u64 + std::mem::take(&mut self.dropped);
        (self.given, self.searched) = (next, next);
        self.lines += 1;
        (range, bytes)
    }

    /// Decompresses on, so far as something may have come of it; false at the end.
    async fn more(&mut self) -> Result<bool, Failure> {
        if self.is_over {
            return Ok(false);
        }
        self.gzip.get_mut().drain(..self.given);
        self.searched -= self.given;
        self.given = 0;
        if self.piece.is_empty() && self.fetched < self.size {
            self.fetch().await?;
        }
        if self.piece.is_empty() {
            self.is_over = true;
            let at = "breaks off or is damaged at its end";
            self.gzip.try_finish().map_err(|error| self.damaged(at, &error))?;
            return Ok(true);
        }
        let used = self.gzip.write(&self.piece).map_err(|error| self.damaged("is damaged", &error))?;
        if used == 0 {
            return Err(self.refused("is damaged: its gzip does not go on"));
        }
        self.piece.advance(used);
        Ok(true)
    }

    async fn fetch(&mut self) -> Result<(), Failure> {
        let range = self.fetched..self.fetched + PIECE_BYTES;
        let options =
            GetOptions { range: Some(GetRange::Bounded(range)), if_match: self.tag.clone(), ..GetOptions::default() };
        let exchange = async {
            let got = self.store.get_opts(&self.path, options).await?;
            let (meta, range) = (got.meta.clone(), got.range.clone());
            Ok((meta, range, got.bytes().await?))
        };
        let (meta, range, bytes) = match tokio::time::timeout(self.within, exchange).await {
            Ok(Ok(got)) => got,
            Ok(Err(error)) => return Err(self.unread(&error)),
            Err(_) => {
                let reason = format!("{}: no answer within {:?} (read-timeout)", self.at, self.within);
                return Err(Failure::Later { reason });
            }
        };
        if bytes.len() as u64 != range.end - range.start || bytes.is_empty() {
            let reason = format!("{}: the answer broke off after {} bytes", self.at, bytes.len());
            return Err(Failure::Later { reason });
        }
        if self.fetched > 0 && (meta.size, &meta.e_tag) != (self.size, &self.tag) {
            return Err(self.replaced());
        }
        (self.size, self.tag) = (meta.size, meta.e_tag);
        self.fetched = range.end;
        self.piece = bytes;
        Ok(())
    }

    fn unread(&self, error: &object_store::Error) -> Failure {
        match error {
            object_store::Error::Precondition { .. } => self.replaced(),
            _ if answer::is_no_object(error) => {
                self.refused("is not there (any more): bring it back, or read a folder without it")
            }
            _ if answer::is_out_of_range(error) => self.refused("is empty: not even an archive of no events is"),
            _ if answer::is_denied(error) => self.refused(&format!(
                "may not be read ({}): these credentials lack the right to get it",
                answer::said(error)
            )),
            _ => match answer::failure(error, &self.at.bucket, &self.at.place) {
                Failure::Later { reason } => Failure::Later { reason: format!("{}: {reason}", self.at) },
                refused => refused,
            },
        }
    }

    fn replaced(&self) -> Failure {
        self.refused("was replaced while it was read: begin again")
    }

    fn damaged(&self, how: &str, error: &std::io::Error) -> Failure {
        self.refused(&format!("{how}, behind line {} ({error}): bring back a whole copy of it", self.lines))
    }

    fn refused(&self, what: &str) -> Failure {
        Failure::Refused { reason: format!("{} {what}", self.at) }
    }
}
