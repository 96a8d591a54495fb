//! Traces: every step of events that somebody wants to follow.
//!
//! ```text
//!  pintle trace on ──▶ switches (table) ──▶ Tracer (memory) ── is this one meant? ──▶ followed events
//!                                              │ record, never waits                       │
//!                                              ▼                                           ▼
//!                                        bounded queue ──▶ Writer ──▶ steps (table) ◀── pintle why
//! ```
//! While nobody traces anything, an event costs one atomic load. What is recorded never holds anything up: a step
//! that finds the queue full is dropped and counted. Secrets are masked before a step gets here.

mod config;
pub mod steps;
pub mod switches;
mod tracer;
mod writer;

pub use config::Config;
pub use steps::{Kind, Step};
pub use tracer::{Seen, Tracer};
pub use writer::Writer;
