//! Events that are written many at a time, as objects: exactly once.
//!
//! ```text
//!            ┌─────────────────────────────── Keeper ───────────────────────────────┐
//!  log ──────┤ gather ──▶ press ──▶ plan (stored) ──▶ upload ──▶ uploaded ──▶ settle ├──▶ the next range
//!  (Reader)  │ chunks     records,     │  ▲             │                            │
//!            │ until full fates        └──┴── crash ◀───┘                            │
//!            └───────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! A range is whole chunks of the log. Nothing of it counts as settled before all its objects are there, so that
//! the cursor and the books pass it together. What is about to be written is stored first
//! ([`pintle_store::plans`]): after a crash the same range is gathered again, and its objects get the same names,
//! so that they replace what was there. If the repetition makes other objects (a user was suppressed meanwhile, a
//! configuration was mended), those that it does not make again are replaced by empty ones.
//!
//! What cannot be written now is tried again until it can, or until somebody changes the configuration; the range
//! waits in memory, and the log behind it is the backlog.

mod board;
mod gathered;
mod keeper;
mod names;
mod press;
mod retried;
mod uploads;

pub(crate) use board::Shelf;
pub(crate) use keeper::{Keeper, Setup};
pub(crate) use names::{Archived, Layout, archived, below};
pub(crate) use press::{Mapped, Press};
