//! What became of each event, per destination.
//!
//! ```text
//!  processor ── Ticket::new ──▶ Ticket ── one fate per output ──▶ Tracker ── dirty ──▶ Flusher ──▶ Postgres
//! ```
//!
//! A [`Ticket`] stands for one event (or the events of one `transformBatch` call) on its way to one
//! destination. When every output has met its fate, the [`Tracker`] marks the event settled. The cursor of
//! the destination is the position before which everything is settled, and a bitmap of what is settled
//! beyond it. The [`flush::Flusher`] writes the cursors of all destinations in one statement that presents
//! the lease's epoch; parked events and dead letters go in the same transaction that moves the cursor past
//! them, so there is no moment in which an event is neither before a cursor nor in a table.

pub mod books;
pub(crate) mod columns;
pub mod flush;
pub mod marks;
pub(crate) mod parked;
pub(crate) mod restore;
pub mod rows;
pub mod ticket;
pub mod tracker;

pub use books::{Books, Passed};
pub use flush::{Flusher, Settlement};
pub use rows::{DeadLetter, Fate, Parked, Stage};
pub use ticket::Ticket;
pub use tracker::{Claim, Tracker};
