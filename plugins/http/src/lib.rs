//! Destination: makes an HTTP request of each event, or of several, as its configuration says.
//!
//! ```text
//!   configuration ──config::Config── expressions and targets, compiled once
//!   event ──▶ mapping ── expression (what to take) ──▶ target (where to put it) ──▶ body (JSON, XML, form)
//!                 └─────────────────────────────────▶ address, headers ──▶ Request ──▶ batch (several as one)
//! ```

pub mod batch;
pub mod config;
pub mod expression;
pub mod mapping;
pub mod target;

mod address;
mod body;
mod xml;

use config::Config;
use pintle_plugin_sdk::serde_json::Value;
use pintle_plugin_sdk::{Combined, Context, Destination, Event, Mistakes, Outcome, Reject, Request};

/// The destination with its configuration.
#[derive(Debug)]
pub struct Http(Config);

impl Destination for Http {
    const MANIFEST: &'static str = include_str!("../manifest.json");

    fn configure(config: &Value) -> Result<Http, Mistakes> {
        Config::read(config).map(Http)
    }

    fn transform(&self, event: &Event<'_>, _context: &Context) -> Result<Outcome, Reject> {
        Ok(mapping::request(&self.0, event.raw())?.into())
    }

    fn combine(&self, requests: Vec<Request>) -> Vec<Combined> {
        self.0.batch_size.map(|events| batch::combine(requests, events)).unwrap_or_default()
    }
}

pintle_plugin_sdk::destination!(Http);

#[cfg(test)]
mod tests;
