//! What people did by hand.

use serde::{Deserialize, Serialize};

/// One thing that was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionView {
    /// The id of the record; newer ones have larger ids.
    pub id: String,
    /// When.
    pub at_ms: i64,
    /// Who did it.
    pub author: String,
    /// What, e.g. `dead-letter.discard`.
    pub action: String,
    /// To what: an id, or the filter that meant many.
    pub subject: String,
    /// Why; empty when nobody said.
    pub reason: String,
    /// To how many.
    pub count: u64,
}
