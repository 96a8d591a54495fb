//! The text that a JSON string stands for.

use super::json::Quoted;
use std::borrow::Cow;

/// Resolves the escapes of a string that the cursor has accepted. Half a surrogate pair becomes U+FFFD, as in Go.
pub(super) fn unescape(quoted: Quoted<'_>) -> Cow<'_, str> {
    let mut rest = quoted.escaped();
    if !quoted.has_escapes {
        return Cow::Borrowed(rest);
    }
    let mut out = String::with_capacity(rest.len());
    while let Some((plain, escape)) = rest.split_once('\\') {
        out.push_str(plain);
        let (c, length) = one(escape);
        out.push(c);
        rest = &escape[length..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The character at the start of `escape`, which begins behind the backslash, and how many bytes it took.
fn one(escape: &str) -> (char, usize) {
    let c = match escape.as_bytes().first() {
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return unicode(escape),
        Some(other) => char::from(*other), // A quote, a slash or a backslash stands for itself.
        None => return (char::REPLACEMENT_CHARACTER, 0),
    };
    (c, 1)
}

fn unicode(escape: &str) -> (char, usize) {
    let first = unit(escape, 1);
    if let Some(c) = char::from_u32(first) {
        return (c, 5);
    }
    if escape.get(5..7) == Some("\\u") {
        let pair = [first as u16, unit(escape, 7) as u16];
        if let Some(Ok(c)) = char::decode_utf16(pair).next() {
            return (c, 11);
        }
    }
    (char::REPLACEMENT_CHARACTER, 5)
}

fn unit(escape: &str, at: usize) -> u32 {
    let digits = escape.get(at..at + 4).unwrap_or_default();
    u32::from_str_radix(digits, 16).unwrap_or(u32::from(char::REPLACEMENT_CHARACTER))
}
