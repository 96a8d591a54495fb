//! Personal data as destinations for advertising want it: normalised, then hashed.

use sha2::{Digest, Sha256};

/// SHA-256 of a text, in small hexadecimal digits.
#[must_use]
pub fn sha256(text: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    // Some destinations hash a dozen texts of every event: formatting costs as much as the hash itself.
    Sha256::digest(text.as_bytes()).iter().fold(String::with_capacity(64), |mut hex, byte| {
        hex.push(char::from(DIGITS[usize::from(byte >> 4)]));
        hex.push(char::from(DIGITS[usize::from(byte & 15)]));
        hex
    })
}

/// Whether a text is already a SHA-256 in hexadecimal digits.
#[must_use]
pub fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Without white space around it, in small letters: what every vendor asks for first.
#[must_use]
pub fn normalised(text: &str) -> String {
    text.trim().to_lowercase()
}

/// The digits alone, without leading zeros: a telephone number with its country's code.
#[must_use]
pub fn phone_digits(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    digits.trim_start_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_as_vendors_show_them() {
        assert_eq!(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert!(is_sha256(&sha256("")) && !is_sha256("abc"));
        assert_eq!(normalised(" A@B.c "), "a@b.c");
        assert_eq!(phone_digits("+0049 (170) 12-34"), "491701234");
    }
}
