//! The ordering key: events with the same key reach a destination in the order they were accepted.

use md5::{Digest, Md5};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// How many slots there are: the unit in which ordering keys are owned by nodes. Stored in chunks.
pub const SLOTS: u64 = 64;

/// The hash of the ordering key: `anonymousId` when present, else `userId`, so that an identify keeps
/// its place between the anonymous events before it and the known ones after it.
///
/// xxh3-64 of the UTF-8 bytes. Stored with parked events and used to place events in lanes, so it never changes.
#[must_use]
pub fn hash(anonymous_id: &str, user_id: &str) -> u64 {
    xxh3_64(if anonymous_id.is_empty() { user_id.as_bytes() } else { anonymous_id.as_bytes() })
}

/// The slot of an ordering key.
#[must_use]
pub fn slot(key_hash: u64) -> u8 {
    (key_hash % SLOTS) as u8
}

/// The hash of a message id and its source that chunk headers carry, for finding duplicates without opening
/// events. Another source's message with the same id is another message.
#[must_use]
pub fn message_id_hash(source_id: &str, message_id: &str) -> u64 {
    xxh3_64_with_seed(message_id.as_bytes(), xxh3_64(source_id.as_bytes()))
}

/// The `rudderId` of an event: MD5 of `userId:anonymousId`, written as a UUID.
#[must_use]
pub fn rudder_id(user_id: &str, anonymous_id: &str) -> String {
    let mut md5 = Md5::new();
    md5.update(user_id.as_bytes());
    md5.update(b":");
    md5.update(anonymous_id.as_bytes());
    uuid::Uuid::from_bytes(md5.finalize().into()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stored with parked events, and what places an event: a change would tear users apart.
    #[test]
    fn hashes_are_what_they_have_always_been() {
        assert_eq!(hash("", ""), 0x2d06_8005_38d3_94c2);
        assert_eq!(message_id_hash("a", "m"), message_id_hash("a", "m"));
        assert_ne!(message_id_hash("a", "m"), message_id_hash("b", "m"));
    }

    #[test]
    fn the_anonymous_id_is_the_key_and_the_user_id_stands_in_for_it() {
        assert_eq!(hash("anon", "user"), hash("anon", ""));
        assert_eq!(hash("", "user"), hash("user", "other"));
        assert_ne!(hash("anon", "user"), hash("", "user"));
    }

    #[test]
    fn a_rudder_id_is_the_md5_of_both_ids() {
        assert_eq!(rudder_id("u-1", "a-1"), "a83e8f69-6c0b-85b9-068e-e800599ad9a4");
    }
}
