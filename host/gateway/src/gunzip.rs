//! Decompression while a body arrives: the compressed bytes are never kept.

use crate::body::{Growing, Limits};
use crate::rejection::Rejection;
use flate2::{Decompress, FlushDecompress, Status};

/// The widest window that gzip has.
const WINDOW_BITS: u8 = 15;

/// A gzip stream being read.
pub(crate) struct Gunzip {
    inflate: Decompress,
    state: State,
}

#[derive(PartialEq)]
enum State {
    /// Nothing has arrived.
    Empty,
    /// Within a member.
    Within,
    /// Behind a member; another may follow, as in Go's reader and `gunzip`.
    Behind,
}

impl Gunzip {
    pub(crate) fn new() -> Gunzip {
        Gunzip { inflate: Decompress::new_gzip(WINDOW_BITS), state: State::Empty }
    }

    /// Decompresses the next piece behind what is there.
    pub(crate) fn push(&mut self, mut input: &[u8], out: &mut Growing<'_>, limits: &Limits) -> Result<(), Rejection> {
        // Goes on without input while output is left over in the decoder, which it is when `out` was filled.
        let mut filled = false;
        while !input.is_empty() || filled && self.state == State::Within {
            if self.state == State::Behind {
                self.inflate.reset(true);
            }
            self.state = State::Within;
            // One byte more than may be kept: whether it is used tells a full body from one that is too long.
            out.make_room(input.len().saturating_mul(4), limits.decompressed_bytes_max + 1)?;
            let (consumed, before) = (self.inflate.total_in(), out.bytes.len());
            let status = self.inflate.decompress_vec(input, &mut out.bytes, FlushDecompress::None);
            let status = status.map_err(|_| Rejection::Unreadable)?;
            if out.bytes.len() > limits.decompressed_bytes_max {
                return Err(Rejection::TooLarge("decompressed-bytes-max"));
            }
            let consumed = (self.inflate.total_in() - consumed) as usize;
            input = &input[consumed..];
            if status == Status::StreamEnd {
                self.state = State::Behind;
            } else if consumed == 0 && out.bytes.len() == before && !input.is_empty() {
                return Err(Rejection::Unreadable); // It neither takes nor gives: it never will.
            }
            filled = out.bytes.len() == out.bytes.capacity();
        }
        Ok(())
    }

    /// Whether the stream may end here.
    pub(crate) fn finish(&self) -> Result<(), Rejection> {
        if self.state == State::Within { Err(Rejection::Unreadable) } else { Ok(()) }
    }
}
