//! The events, in memory before anything is measured.

use super::Result;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// Hex digits of a message id that are written anew for each use.
const ID_DIGITS: usize = 12;

/// An event and what a gateway would have found in it.
#[derive(Clone, Debug)]
pub struct Event {
    pub raw: Vec<u8>,
    pub message_id: String,
    pub user_id: String,
    pub anonymous_id: String,
    id_at: usize,
}

/// Reads a file with one event a line.
pub fn read(path: &Path) -> Result<Vec<Event>> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    text.lines().map(Event::parse).collect()
}

impl Event {
    fn parse(line: &str) -> Result<Event> {
        let json: serde_json::Value = serde_json::from_str(line)?;
        let text = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
        let message_id = text("messageId");
        let id_at = line.find(&message_id).filter(|_| message_id.len() > ID_DIGITS).ok_or("an event without an id")?;
        Ok(Event {
            id_at: id_at + message_id.len() - ID_DIGITS,
            raw: line.as_bytes().to_vec(),
            user_id: text("userId"),
            anonymous_id: text("anonymousId"),
            message_id,
        })
    }

    /// Gives it an id that was never used before.
    pub fn renew(&mut self) {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15) & 0xFFFF_FFFF_FFFF;
        let digits = format!("{number:0width$x}", width = ID_DIGITS);
        self.raw[self.id_at..self.id_at + ID_DIGITS].copy_from_slice(digits.as_bytes());
        self.message_id.truncate(self.message_id.len() - ID_DIGITS);
        self.message_id.push_str(&digits);
    }
}
