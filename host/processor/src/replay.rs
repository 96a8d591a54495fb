//! Events of the past, for one destination again.

#[allow(dead_code, unused_imports, reason = "what replays is another's business; this reads what is replayed")]
pub(crate) mod archived;
