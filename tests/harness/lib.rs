//! Harness

pub mod http;
pub mod receiver;
