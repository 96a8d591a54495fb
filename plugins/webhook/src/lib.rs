//! Destination: one HTTP request per event, with the event as its JSON body.
//!
//! ```text
//!   configuration ──config::Config──┐
//!   event ──────────────────────────┴─▶ mapping ──▶ Request (method, URL, headers, body)
//! ```
//!
//! The event is passed on byte for byte; nothing in it is parsed that need not be, so that numbers that
//! no double can hold arrive as they were sent. It is plain Rust and is tested natively; the component is
//! made by `pintle_plugin_sdk`.

pub mod config;
pub mod mapping;

mod query;

use config::Config;
use pintle_plugin_sdk::serde_json::Value;
use pintle_plugin_sdk::{Context, Destination, Event, Mistakes, Outcome, Reject};

/// The webhook with its configuration.
#[derive(Debug)]
pub struct Webhook(Config);

impl Destination for Webhook {
    const MANIFEST: &'static str = include_str!("../manifest.json");

    fn configure(config: &Value) -> Result<Webhook, Mistakes> {
        Config::read(config).map(Webhook)
    }

    fn transform(&self, event: &Event<'_>, _context: &Context) -> Result<Outcome, Reject> {
        Ok(mapping::request(&self.0, event.raw())?.into())
    }
}

pintle_plugin_sdk::destination!(Webhook);
