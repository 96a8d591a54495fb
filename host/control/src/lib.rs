//! The admin API: what an operator may ask a running Pintle, and the few things they may tell it.
//!
//! It listens on a port of its own, on the loopback interface unless told otherwise, and never touches
//! the data path: everything it shows comes through a [`Plant`], which the server implements over the
//! store and the router. The command line and the console are clients of this API and share its types.
//!
//! ```text
//!   pintle status ──HTTP──▶ guard ──▶ api ──▶ dyn Plant ──▶ store, router, catalog
//!   Prometheus ───HTTP──▶   │   └──▶ metrics
//!                           └ Host and Origin are checked first: a web page that an operator happens
//!                             to visit must not reach this port through their browser
//! ```

pub mod api;
pub mod guard;
pub mod metrics;
pub mod plant;
pub mod problem;
pub mod status;
pub mod tail;

mod dead_letters;
mod service;

pub use dead_letters::{DeadLetter, DeadLetterDetail, DeadLetterFilter, DeadLetterPage, RetryOutcome};
pub use metrics::metrics_handle;
pub use plant::{Answer, Failure, Plant};
pub use service::{Admin, Config, Error};
pub use status::{Breaker, CatalogStatus, DestinationStatus, LastError, LogStatus, Node, Off, Status};
pub use tail::{TailEvent, TailLine};
