//! Sends deliveries in order per key: retries, breaker, throttle, parked events, settlement.
//!
//! Every destination has an [`Outlet`], and no outlet knows of another: a destination that hangs, refuses
//! or floods holds up nobody else. An outlet takes [`Delivery`]s (what a destination transform made of an
//! event), sends their requests, and settles them through their tickets.
//!
//! ```text
//!              ┌──────────────────────────── one Outlet ───────────────────────────┐
//!  processor ──┤ queue per key ─▶ attempt ─▶ verdict ─▶ delivered / dead / parked ──┼──▶ Ticket::settle
//!              │       ▲             │ http        │                                │
//!              │       └── backoff ◀─┴─ throttle ◀─┴─ breaker                       │
//!              └────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! What must stay true:
//! - At most one request with deliveries of a key is in flight, and first receipts of a key are in the order of
//!   `send`. A bulk request carries one delivery of a key, or several in their order where the plugin says that
//!   the destination cannot take a later one and want an earlier one again.
//! - A delivery that fails while others get through parks; one that fails when nothing gets through means
//!   that the destination is down: the breaker opens, and the log is the backlog.
//! - What fails as a whole comes again in halves, so that no event is given up for another's sake.
//! - 429 slows the whole destination down and never parks anything.
//! - A trap or a time-out of a plugin is a failure of that delivery, never an error of the outlet.
//! - A delivery is tried `attempts-max` times at most, unless it is the destination that is down.
//! - An idle outlet has no timer running.

mod backoff;
mod breaker;
pub mod config;
pub mod delivery;
mod excerpt;
pub mod fetch;
pub mod http;
pub mod mask;
pub mod metrics;
pub mod outlet;
mod pace;
mod throttle;
pub mod trace;
mod verdict;

pub use breaker::Why;
pub use config::Config;
pub use delivery::Delivery;
pub use fetch::Fetcher;
pub use http::{HttpClient, Trust, Untrusted};
pub use mask::Mask;
pub use outlet::{Closed, Outlet, Preview, Rehearsal, Setup, Status};
pub use pace::{Pace, Paces};
pub use trace::Scribe;
