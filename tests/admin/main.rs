//! The admin API and the command line over it, against the real program on a real Postgres.

#![allow(clippy::unwrap_used, reason = "in a test the line is the message, also in a function that tests share")]

mod access;
mod code;
mod commands;
mod crash;
mod filters;
mod keep_out;
mod openapi;
mod plugins;
mod rollback;
mod secrets;
mod setup;
mod shadow;
mod things;
mod tls;
mod traces;
