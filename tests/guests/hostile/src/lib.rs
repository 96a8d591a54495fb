//! A destination that misbehaves as its configuration says: for the tests, built by the toolchain that builds
//! those that behave.
//!
//! The configuration is `{"misdeed": "loop", "guilty": "0/19", "url": "…"}`: it misbehaves on events whose
//! `messageId` ends so, and delivers all others to the URL.

#[cfg(target_family = "wasm")]
mod component;

/// What it can be told to do.
pub const MISDEEDS: [&str; 5] = ["loop", "recursion", "memory", "output", "panic"];

/// What `describe` answers.
pub const MANIFEST: &str = r#"{
  "name": "hostile", "version": "0.1.0", "messageTypes": ["track"], "auth": "none", "hosts": ["*"],
  "conclude": "standard", "combine": false, "config": {"type": "object"}
}"#;

/// Whether it misbehaves on this event.
#[must_use]
pub fn guilty(message_id: &str, ending: &str) -> bool {
    !ending.is_empty() && message_id.ends_with(ending)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_guilty_by_how_their_id_ends() {
        assert!(guilty("user-10/19", "0/19"));
        assert!(!guilty("user-11/19", "0/19") && !guilty("user-10/19", ""));
    }
}
