//! JSON lines, compressed as they come.

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;

/// An object in the making: gzip of one record a line.
#[derive(Debug)]
pub struct Lines {
    gzip: GzEncoder<Vec<u8>>,
    bytes: u64,
    count: u64,
}

impl Default for Lines {
    fn default() -> Lines {
        // No time and no name in the header: the same lines make the same bytes.
        Lines { gzip: GzEncoder::new(Vec::new(), Compression::default()), bytes: 0, count: 0 }
    }
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
        self.gzip.write_all(bytes).expect("a Vec takes every write");
        self.bytes += bytes.len() as u64;
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
    pub fn finish(self) -> Bytes {
        self.gzip.finish().expect("a Vec takes every write").into()
    }
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
        assert_eq!((lines.count(), lines.bytes()), (2, 25));
        assert_eq!(text(lines), "{\"a\":   1}\n{\"b\":\"x\\ny\"}\n");
        assert_eq!(text(Lines::new()), "");
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
