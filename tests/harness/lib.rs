//! What the suites share: a real Pintle as a child process, and the world around it.
//!
//! ```text
//!  loader, http, node ──▶ pintle (child process) ──▶ receiver ──▶ ledger
//!                            │
//!                            ▼
//!               its own Postgres, or proxy ──▶ postgres (child process)
//! ```
//! Everything listens on a port of its own, lives in a folder of its own, and ends with its test, also when
//! the test panics.

pub mod events;
pub mod folder;
pub mod http;
pub mod ledger;
pub mod loader;
pub mod node;
pub mod pintle;
pub mod postgres;
mod process;
pub mod proxy;
pub mod receiver;
pub mod s3;
pub mod tls;
pub mod workspace;
