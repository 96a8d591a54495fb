//! The gateway on a real log in a real Postgres.
//!
//! One Postgres and one log serve all tests of this binary; a test that needs other settings binds a
//! gateway of its own to the same log. Tests find their events by user ids that nobody else uses.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop here")]

#[path = "../../../../tests/e2e/gateway.rs"]
mod bad_input;
#[path = "../../../../tests/harness/http.rs"]
mod http;

mod answers;
mod limits;
mod log_failures;
mod shutdown;
mod stack;
mod stored;
mod surface;
