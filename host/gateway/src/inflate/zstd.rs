//! zstd, as it arrives.

use crate::body::{Growing, Limits};
use crate::rejection::Rejection;
use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

/// The largest window that a sender may ask us to keep, as a power of two: 8 MiB, which RFC 8878 asks every
/// decoder to support.
const WINDOW_LOG_MAX: u32 = 23;

/// A zstd stream: frames one behind the other.
pub(crate) struct Unzstd {
    decoder: Decoder<'static>,
    /// Nothing is missing of the last frame.
    is_whole: bool,
}

impl Unzstd {
    pub(crate) fn new() -> Result<Unzstd, Rejection> {
        let mut decoder = Decoder::new().map_err(|_| Rejection::Unreadable)?;
        decoder.set_parameter(DParameter::WindowLogMax(WINDOW_LOG_MAX)).map_err(|_| Rejection::Unreadable)?;
        Ok(Unzstd { decoder, is_whole: true })
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.is_whole
    }

    pub(crate) fn push(&mut self, input: &[u8], out: &mut Growing<'_>, limits: &Limits) -> Result<(), Rejection> {
        let mut input = InBuffer::around(input);
        let mut filled = false;
        while input.pos() < input.src.len() || filled {
            let hint = (input.src.len() - input.pos()).saturating_mul(4);
            out.make_room(hint, limits.decompressed_bytes_max + 1)?;
            let (taken, given) = (input.pos(), out.bytes.len());
            let mut output = OutBuffer::around_pos(&mut out.bytes, given);
            let missing = self.decoder.run(&mut input, &mut output).map_err(|_| Rejection::Unreadable)?;
            self.is_whole = missing == 0;
            if out.bytes.len() > limits.decompressed_bytes_max {
                return Err(Rejection::TooLarge("decompressed-bytes-max"));
            }
            if input.pos() == taken && out.bytes.len() == given && input.pos() < input.src.len() {
                return Err(Rejection::Unreadable); // It neither takes nor gives: it never will.
            }
            filled = out.bytes.len() == out.bytes.capacity() && !self.is_whole;
        }
        Ok(())
    }
}
