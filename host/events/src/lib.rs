//! What an event is.
//!
//! A client posts JSON; the gateway finds the few fields it needs in one pass ([`scan`]), refuses what
//! is not an event, and writes a [`frame::Frame`]: the client's bytes exactly as they came, behind a
//! small header with what the gateway stamped. Nothing is re-serialised until a reader asks for the
//! event [`frame::Frame::write_message`], and even then the client's bytes are copied whole, but for
//! escapes that stand for no text ([`surrogates`]), and the stamped fields are appended before the closing
//! brace (a repeated key: the last one counts, as in `JSON.parse`).
//!
//! ```text
//!   body ──scan──▶ Fields + raw slice ──Frame::encode──▶ chunk body ──EventRef──▶ message JSON
//!                                     ◀───────────────────── archived ─────────────────┘
//! ```

pub mod archived;
pub mod frame;
pub mod key;
pub mod kind;
pub mod network;
pub mod position;
pub mod sanitize;
pub mod scan;
pub mod seconds;
pub mod surrogates;
pub mod times;
pub mod utf8;

pub use frame::{EventRef, Frame};
pub use kind::Kind;
pub use network::Network;
pub use position::Position;
pub use times::Times;
