//! The admin API: what an operator may ask a running Pintle, and the few things they may tell it.
//!
//! It listens on a port of its own, on the loopback interface unless told otherwise, and never touches
//! the data path: everything it shows comes through a [`Plant`], which the server implements over the
//! store and the router. The command line and the console are clients of this API and share its types.
//!
//! ```text
//!   pintle status ──HTTP──▶ guard ──▶ access ──▶ api ─┬▶ dyn Plant ──▶ store, router
//!   Prometheus ───HTTP──▶   │          │              ├▶ Editor ────▶ revisions in the store
//!                           │          │              └▶ dyn Workshop ▶ component runtime
//!                           │          └ who asks, and whether their role includes it
//!                           └ Host and Origin are checked first: a web page that an operator happens
//!                             to visit must not reach this port through their browser
//! ```

pub mod access;
pub mod api;
pub mod comparison;
pub mod editor;
mod gauges;
pub mod guard;
pub mod health;
pub mod keys;
pub mod metrics;
pub mod plant;
pub mod problem;
pub mod refusal;
pub mod status;
pub mod tail;
pub mod tls;
pub mod views;
pub mod workshop;

mod dead_letters;
mod figures;
mod office;
mod replays;
mod restore;
mod service;

/// The author of revisions that the workspace file makes.
pub const FILE_AUTHOR: &str = "file";

pub use access::Role;
pub use api::LogsLine;
pub use dead_letters::{
    DeadLetter, DeadLetterBatch, DeadLetterDetail, DeadLetterFilter, DeadLetterPage, DiscardedBatch, DryRun,
    DryRunOutcome, DryRunRequest, DryRunResult, RefusedRetry, RetriedBatch, RetryBody, RetryOutcome, TraceStep,
};
pub use editor::{Changed, Editor, Tools};
pub use keys::KeyFile;
pub use metrics::metrics_handle;
pub use office::Office;
pub use plant::{Answer, Failure, Order, Plant, Question};
pub use refusal::Refusal;
pub use replays::{ObjectCount, ReasonCount, ReplayBody, ReplayCount, ReplayList, ReplayView, TypeCount};
pub use service::{Admin, Config, Error};
pub use status::{Breaker, CatalogStatus, DestinationStatus, LastError, LogStatus, Node, Off, Status};
pub use tail::{TailEvent, TailLine};
pub use workshop::{Candidate, Rejected, Workshop};
