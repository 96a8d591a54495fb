//! The HTTP front door: authenticates, bounds, validates, stamps and appends events.
//!
//! ```text
//!  connection ─▶ route ─▶ write key ─▶ log takes events? ─▶ body, bounded ─▶ scan ─▶ stamp ─▶ append ─▶ 200 ok
//!                  │          │               │                  │            │                 │
//!                 404        401, 404        503             413, 500      400, 429             503
//! ```
//!
//! The statuses and texts are RudderStack's, so that its SDKs behave as they always did; where a limit of
//! ours has refused a request, the header `x-pintle-limit` names the setting. A 200 is written only after
//! the commit of every event of the request. What the client sent is stored byte for byte; what the
//! gateway knows besides goes into the frame's header ([`stamp`]).
//!
//! Memory: a body is kept once, as it grows, and gives way to its encoded batch before the commit is
//! waited for. All bodies together stay under [`Config::bodies_bytes_max`].

pub mod config;
pub mod metrics;

mod body;
mod budget;
mod client_address;
mod clients;
mod connection;
mod cors;
mod drain;
#[cfg(test)]
mod fuzz;
mod health;
mod inflate;
mod ingest;
mod pixel;
mod query;
mod rate;
mod rejection;
mod route;
mod server;
mod stamp;
mod write_key;

pub use config::{Config, Verdicts};
pub use server::{Error, Gateway, Sink};
