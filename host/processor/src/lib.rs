//! Reads the log for each destination and turns events into deliveries.
//!
//! ```text
//!            ┌────────────────────── one Runner per destination ──────────────────────┐
//!  log ──────┤ intake ──▶ route ──▶ chain (transformations) ──▶ map (destination) ──▶ │ outlet
//!  (Reader)  │ a chunk,   which      events in, events out       deliveries, tickets   │
//!            │ as stored  connection,                                                 │
//!            │            its filter                                                  │
//!            └────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! A [`Supervisor`] holds one [`runner::Runner`] per destination of the catalog and replaces those whose
//! part of the catalog has changed: a batch sees one revision, and what was begun under the old one is
//! drained first. Runners share nothing but the log's memory and the component runtime: one that waits for
//! its destination, or for a transformation that loops, holds up nobody else.

pub mod admission;
pub mod archive;
pub mod batch;
pub mod chain;
pub mod config;
pub mod filter;
pub mod given;
pub mod intake;
pub mod integrations;
pub mod isolate;
pub mod journal;
pub mod map;
pub mod metrics;
pub mod plugins;
mod ranges;
pub mod rehearsal;
pub(crate) mod replay;
pub mod runner;
pub mod shadow;
pub mod spec;
pub mod supervisor;
mod trace;
pub mod trial;
pub mod whereabouts;

pub use config::Config;
pub use given::Given;
pub use journal::Journal;
pub use plugins::{Files, Plugins, Unloadable};
pub use supervisor::{DestinationState, Handle, RetryError, Supervisor};
