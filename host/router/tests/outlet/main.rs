//! An outlet over real parts: HTTP to an endpoint that misbehaves, the webhook plugin or one that combines
//! requests, settlement in Postgres.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop here")]

mod bulk;
mod closing;
mod down;
mod flow;
mod limits;
mod parking;
mod refusals;
mod setup;
mod suppressed;
