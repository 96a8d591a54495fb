//! JSON lines, compressed as they come.

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;

/// Bytes that are kept as they are before a compressor is set up, which takes about as many: a range of many small
/// objects would need hundreds of megabytes for those.
const PLAIN_BYTES_MAX: usize = 256 << 10;

/// An object in the making: gzip of one record a line.
#[derive(Debug, Default)]
pub struct Lines {
    plain: Vec<u8>,
    gzip: Option<GzEncoder<Vec<u8>>>,
    bytes: u64,
    count: u64,
}

impl Lines {
    /// No lines yet.
    #[must_use]
    pub fn new() -> Lines {
        Lines::default()
    }

    /// Adds a record. Line breaks, which a JSON document has only between its tokens, become blanks.
    pub fn push(&mut self, record: &[u8]) {
        for (at, line) in record.split(|byte| matches!(byte, b'\n' | b'\r')).enumerate() {
            if at > 0 {
                self.write(b" ");
            }
            self.write(line);
        }
        self.write(b"\n");
        self.count += 1;
    }

    fn write(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        if self.gzip.is_none() && self.plain.len() + bytes.len() <= PLAIN_BYTES_MAX {
            return self.plain.extend_from_slice(bytes);
        }
        compress(self.compressor(), bytes);
    }

    /// The compressor, which has taken what was kept before.
    fn compressor(&mut self) -> &mut GzEncoder<Vec<u8>> {
        let plain = std::mem::take(&mut self.plain);
        // No time and no name in the header: the same lines make the same bytes.
        let gzip = self.gzip.get_or_insert_with(|| GzEncoder::new(Vec::new(), Compression::default()));
        compress(gzip, &plain);
        gzip
    }

    /// How many records.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Their bytes before compression.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The object's bytes; of no lines, a valid empty gzip.
    #[must_use]
    pub fn finish(mut self) -> Bytes {
        self.compressor();
        self.gzip.and_then(|gzip| gzip.finish().ok()).expect("a Vec takes every write").into()
    }
}

fn compress(gzip: &mut GzEncoder<Vec<u8>>, bytes: &[u8]) {
    gzip.write_all(bytes).expect("a Vec takes every write");
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;
    use std::io::Read as _;

    fn text(lines: Lines) -> String {
        let mut text = String::new();
        GzDecoder::new(&lines.finish()[..]).read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn each_record_is_one_line_and_no_record_is_an_empty_object() {
        let mut lines = Lines::new();
        lines.push(b"{\"a\":\n  1}");
        lines.push(b"{\"b\":\"x\\ny\"}");
        assert_eq!((lines.count(), lines.bytes()), (2, 24));
        assert_eq!(text(lines), "{\"a\":   1}\n{\"b\":\"x\\ny\"}\n");
        assert_eq!(text(Lines::new()), "");
    }

    #[test]
    fn a_large_object_is_whole() {
        let mut lines = Lines::new();
        let record = [b'x'; 1_000];
        for _ in 0..1_000 {
            lines.push(&record);
        }
        assert!(lines.gzip.is_some() && lines.plain.is_empty());
        assert_eq!((lines.count(), lines.bytes()), (1_000, 1_001_000));
        assert_eq!(text(lines).lines().filter(|line| line.as_bytes() == record).count(), 1_000);
    }

    #[test]
    fn the_same_lines_make_the_same_bytes() {
        let made = || {
            let mut lines = Lines::new();
            lines.push(b"{}");
            lines.finish()
        };
        assert_eq!(made(), made());
    }
}
