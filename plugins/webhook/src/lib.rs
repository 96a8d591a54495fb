//! Destination: one HTTP request per event, with the event as its JSON body.
//!
//! ```text
//!   configuration ──config::Config──┐
//!   event ──────────────────────────┴─▶ mapping::outcome ──▶ Request (method, URL, headers, body)
//! ```
//!
//! The event is passed on byte for byte; nothing in it is parsed that need not be, so that numbers that
//! no double can hold arrive as they were sent. The mapping is plain Rust and is tested natively; the
//! glue to the `destination-plugin` world is compiled for WebAssembly only.

pub mod config;
pub mod mapping;

mod json;
mod query;

#[cfg(target_family = "wasm")]
mod component;

/// What `describe` answers: name, limits and the JSON Schema of the configuration.
pub const MANIFEST: &str = include_str!("manifest.json");
