//! Reading a body within bounds.

use crate::budget::{Budget, Exhausted, Share};
use crate::inflate::{Encoding, Inflate};
use crate::rejection::Rejection;
use http_body_util::BodyExt;
use hyper::HeaderMap;
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header::CONTENT_ENCODING;

/// The smallest buffer that is worth having.
const BUFFER_BYTES_MIN: usize = 4_096;

/// The bounds of one body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) body_bytes_max: usize,
    pub(crate) decompressed_bytes_max: usize,
}

/// A body that has not been read, or not to its end.
pub(crate) struct Unread {
    incoming: Incoming,
    started: bool,
    ended: bool,
    arrived: usize,
}

/// A body that was read whole, and its share of the memory for bodies.
pub(crate) struct Read<'a> {
    pub(crate) bytes: Bytes,
    pub(crate) share: Share<'a>,
}

impl From<Exhausted> for Rejection {
    fn from(exhausted: Exhausted) -> Rejection {
        Rejection::Busy(exhausted.0)
    }
}

impl Unread {
    pub(crate) fn new(incoming: Incoming) -> Unread {
        let ended = incoming.is_end_stream();
        Unread { incoming, started: false, ended, arrived: 0 }
    }

    /// Reads and, where the headers say so, decompresses all of it.
    pub(crate) async fn read<'a>(
        &mut self,
        headers: &HeaderMap,
        limits: &Limits,
        budget: &'a Budget,
    ) -> Result<Read<'a>, Rejection> {
        // What the client announces is believed when it is too much, and never used to make room.
        if self.incoming.size_hint().lower() > limits.body_bytes_max as u64 {
            return Err(Rejection::TooLarge("body-bytes-max"));
        }
        let encoding = headers.get(CONTENT_ENCODING).map_or(&b""[..], |value| value.as_bytes());
        match Encoding::named(encoding) {
            Some(encoding) => self.compressed(encoding, limits, budget).await,
            None => self.plain(limits, budget).await,
        }
    }

    async fn plain<'a>(&mut self, limits: &Limits, budget: &'a Budget) -> Result<Read<'a>, Rejection> {
        let Some(first) = self.next(limits).await? else {
            return Ok(Read { bytes: Bytes::new(), share: budget.take(0)? });
        };
        // Most bodies arrive in one piece, which is then used as it is.
        let share = budget.take(first.len())?;
        let Some(second) = self.next(limits).await? else {
            return Ok(Read { bytes: first, share });
        };
        let mut whole = Growing::new(share);
        let mut next = Some(second);
        let ceiling = limits.body_bytes_max;
        whole.push(&first, ceiling)?;
        drop(first);
        while let Some(piece) = next {
            whole.push(&piece, ceiling)?;
            drop(piece);
            next = self.next(limits).await?;
        }
        Ok(whole.into_read())
    }

    async fn compressed<'a>(
        &mut self,
        encoding: Encoding,
        limits: &Limits,
        budget: &'a Budget,
    ) -> Result<Read<'a>, Rejection> {
        let mut whole = Growing::new(budget.take(0)?);
        let mut inflate = Inflate::new(encoding)?;
        while let Some(piece) = self.next(limits).await? {
            inflate.push(&piece, &mut whole, limits)?;
        }
        inflate.finish()?;
        Ok(whole.into_read())
    }

    /// The next piece, or nothing at the end.
    async fn next(&mut self, limits: &Limits) -> Result<Option<Bytes>, Rejection> {
        loop {
            if self.ended {
                return Ok(None);
            }
            self.started = true;
            match self.incoming.frame().await {
                Some(Ok(frame)) => {
                    self.ended = self.incoming.is_end_stream();
                    let Ok(piece) = frame.into_data() else { continue };
                    self.arrived += piece.len();
                    if self.arrived > limits.body_bytes_max {
                        return Err(Rejection::TooLarge("body-bytes-max"));
                    }
                    return Ok(Some(piece));
                }
                Some(Err(error)) => {
                    tracing::debug!(%error, "body did not arrive whole");
                    return Err(Rejection::Unreadable);
                }
                None => self.ended = true,
            }
        }
    }

    /// How many bytes of it have arrived.
    pub(crate) fn arrived(&self) -> usize {
        self.arrived
    }

    /// Whether it was read to its end.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Whether the client has been asked for the body, or sends it unasked, and there is more of it.
    pub(crate) fn is_coming(&self, headers: &HeaderMap) -> bool {
        !self.ended && (self.started || !headers.contains_key(hyper::header::EXPECT))
    }

    /// What is left of it.
    pub(crate) fn into_rest(self) -> Incoming {
        self.incoming
    }
}

/// A buffer that doubles as bytes come, and takes its share of the budget before it does.
pub(crate) struct Growing<'a> {
    pub(crate) bytes: Vec<u8>,
    share: Share<'a>,
}

impl<'a> Growing<'a> {
    /// An empty one. What it grows by is added to the share.
    pub(crate) fn new(share: Share<'a>) -> Growing<'a> {
        Growing { bytes: Vec::new(), share }
    }

    fn push(&mut self, piece: &[u8], ceiling: usize) -> Result<(), Rejection> {
        if self.bytes.capacity() - self.bytes.len() < piece.len() {
            self.make_room_for(piece.len(), ceiling)?;
        }
        self.bytes.extend_from_slice(piece);
        Ok(())
    }

    /// Makes room for at least one more byte: `hint` of them at first, later as many as there are already.
    pub(crate) fn make_room(&mut self, hint: usize, ceiling: usize) -> Result<(), Rejection> {
        if self.bytes.len() < self.bytes.capacity() {
            return Ok(());
        }
        let more = hint.max(1).min(ceiling.saturating_sub(self.bytes.len()).max(1));
        self.make_room_for(more, ceiling)
    }

    fn make_room_for(&mut self, more: usize, ceiling: usize) -> Result<(), Rejection> {
        let needed = (self.bytes.len() + more).max(BUFFER_BYTES_MIN);
        let doubled = needed.max((2 * self.bytes.capacity()).min(ceiling));
        let held = self.bytes.capacity();
        // Where memory is short, what is needed has to do.
        let capacity = match self.share.grow(doubled - held) {
            Ok(()) => doubled,
            Err(_) => self.share.grow(needed - held).map(|()| needed)?,
        };
        self.bytes.reserve_exact(capacity - self.bytes.len());
        Ok(())
    }

    fn into_read(self) -> Read<'a> {
        Read { bytes: Bytes::from(self.bytes), share: self.share }
    }
}

#[cfg(test)]
mod tests;
