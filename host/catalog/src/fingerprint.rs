//! Fingerprints: what may be shown of something that may be secret.

use sha2::{Digest, Sha256};
use std::fmt::Write;

/// The first 16 hex digits of the SHA-256 of these bytes.
#[must_use]
pub fn of(bytes: &[u8]) -> String {
    let mut text = digest(bytes);
    text.truncate(16);
    text
}

/// The SHA-256 of these bytes in hexadecimal.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The fingerprint of a JSON value. Equal values have equal fingerprints: maps are ordered.
#[must_use]
pub fn of_value(value: &serde_json::Value) -> String {
    of(value.to_string().as_bytes())
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_fingerprint_is_the_start_of_the_sha256() {
        assert_eq!(super::of(b"abc"), "ba7816bf8f01cfea");
    }

    #[test]
    fn the_order_of_keys_does_not_change_a_fingerprint() {
        let one = serde_json::json!({"a": 1, "b": {"c": 2, "d": 3}});
        let two: serde_json::Value = serde_json::from_str(r#"{"b": {"d": 3, "c": 2}, "a": 1}"#).unwrap();
        assert_eq!(super::of_value(&one), super::of_value(&two));
    }
}
