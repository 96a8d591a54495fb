//! Decompression while a body arrives: the compressed bytes are never kept.

mod zstd;

use crate::body::{Growing, Limits};
use crate::rejection::Rejection;
use flate2::{Decompress, FlushDecompress, Status};

/// The widest window that gzip has.
const WINDOW_BITS: u8 = 15;

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Gzip,
    Deflate,
    Zstd,
}

impl Encoding {
    /// What `Content-Encoding` names; none when it names nothing that is known here. What is then not JSON is
    /// refused for that.
    pub(crate) fn named(name: &[u8]) -> Option<Encoding> {
        let known = [("gzip", Encoding::Gzip), ("x-gzip", Encoding::Gzip), ("deflate", Encoding::Deflate)];
        let mut known = known.into_iter().chain([("zstd", Encoding::Zstd)]);
        let name = name.trim_ascii();
        known.find(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes())).map(|(_, encoding)| encoding)
    }
}

/// A compressed body being read.
pub(crate) enum Inflate {
    Flate(Flate),
    Zstd(zstd::Unzstd),
}

impl Inflate {
    pub(crate) fn new(encoding: Encoding) -> Result<Inflate, Rejection> {
        Ok(match encoding {
            Encoding::Gzip => Inflate::Flate(Flate::gzip()),
            Encoding::Deflate => Inflate::Flate(Flate::deflate()),
            Encoding::Zstd => Inflate::Zstd(zstd::Unzstd::new()?),
        })
    }

    /// Decompresses the next piece behind what is there.
    pub(crate) fn push(&mut self, input: &[u8], out: &mut Growing<'_>, limits: &Limits) -> Result<(), Rejection> {
        match self {
            Inflate::Flate(flate) => flate.push(input, out, limits),
            Inflate::Zstd(unzstd) => unzstd.push(input, out, limits),
        }
    }

    /// Whether the body may end here.
    pub(crate) fn finish(&self) -> Result<(), Rejection> {
        let is_whole = match self {
            Inflate::Flate(flate) => flate.state != State::Within,
            Inflate::Zstd(unzstd) => unzstd.is_whole(),
        };
        if is_whole { Ok(()) } else { Err(Rejection::Unreadable) }
    }
}

/// A gzip, zlib or bare deflate stream.
pub(crate) struct Flate {
    inflate: Decompress,
    state: State,
    format: Format,
}

#[derive(Clone, Copy, PartialEq)]
enum Format {
    Gzip,
    /// `deflate` is zlib by the standard, and a bare stream in some clients: the first byte tells.
    Unknown,
    Zlib,
    Bare,
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

impl Flate {
    fn gzip() -> Flate {
        Flate { inflate: Decompress::new_gzip(WINDOW_BITS), state: State::Empty, format: Format::Gzip }
    }

    fn deflate() -> Flate {
        Flate { inflate: Decompress::new(true), state: State::Empty, format: Format::Unknown }
    }

    fn push(&mut self, mut input: &[u8], out: &mut Growing<'_>, limits: &Limits) -> Result<(), Rejection> {
        if let (Format::Unknown, Some(first)) = (self.format, input.first()) {
            // The low half is 8 in every zlib header; a bare stream would have to begin with a block type that
            // does not exist.
            self.format = if first & 0x0f == 8 { Format::Zlib } else { Format::Bare };
            self.inflate = Decompress::new(self.format == Format::Zlib);
        }
        // Goes on without input while output is left over in the decoder, which it is when `out` was filled.
        let mut filled = false;
        while !input.is_empty() || filled && self.state == State::Within {
            if self.state == State::Behind {
                if self.format != Format::Gzip {
                    return Err(Rejection::Unreadable);
                }
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
}
