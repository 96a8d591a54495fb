//! The real program, from an SDK's request to what a destination receives.
//!
//! Each test starts a Pintle of its own with a private Postgres. `cargo build -p pintle-server` and
//! `scripts/build-plugins` come first; `scripts/test` does both.

#![allow(clippy::unwrap_used, reason = "in a test the line is the message, also in a function that tests share")]

mod alerts;
mod archive;
mod bad_input;
mod books;
mod changes;
mod clients;
mod clients_at_once;
mod commands;
mod dead_letters;
mod duckdb;
mod duplicates;
mod filters;
mod full_log;
mod gateway;
mod granted;
mod hostile;
mod hostile_python;
mod import;
mod lagging;
mod local_tools;
mod many_transformations;
mod misbehaving;
mod neighbours;
mod objects;
mod plugins;
mod python;
mod recipes;
mod replay;
mod restart;
mod surrogates;
mod tls;
mod transformations;
mod why;

use pintle_tests::http;
