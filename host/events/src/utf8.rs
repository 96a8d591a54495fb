//! Bodies that are not quite UTF-8.

/// How long [`repair`]'s answer would be, or `None` when the bytes are valid and need none.
#[must_use]
pub fn repaired_len(bytes: &[u8]) -> Option<usize> {
    if std::str::from_utf8(bytes).is_ok() {
        return None;
    }
    Some(bytes.utf8_chunks().map(|chunk| chunk.valid().len() + REPLACEMENT.len() * chunk.invalid().len()).sum())
}

/// The bytes as valid UTF-8: every byte that belongs to no character becomes U+FFFD, one for one, as Go's
/// JSON decoder does it. (`String::from_utf8_lossy` makes one of several.)
#[must_use]
pub fn repair(bytes: &[u8], capacity: usize) -> String {
    let mut text = String::with_capacity(capacity);
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for _ in chunk.invalid() {
            text.push_str(REPLACEMENT);
        }
    }
    text
}

const REPLACEMENT: &str = "\u{fffd}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_bytes_need_no_repair() {
        assert_eq!(repaired_len("plain, ü, 🦀".as_bytes()), None);
    }

    #[test]
    fn every_bad_byte_becomes_one_replacement_character() {
        for (bytes, expected) in [
            (&b"a\xffb"[..], "a\u{fffd}b"),
            (b"\xe2\x82", "\u{fffd}\u{fffd}"),             // a cut off character
            (b"\xed\xa0\x80", "\u{fffd}\u{fffd}\u{fffd}"), // a surrogate
            (b"\xc0\xafz", "\u{fffd}\u{fffd}z"),           // an overlong form
        ] {
            let length = repaired_len(bytes).expect("the bytes are not valid");
            assert_eq!(length, expected.len());
            assert_eq!(repair(bytes, length), expected);
        }
    }
}
