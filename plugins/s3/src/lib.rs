//! Destination: keeps events as objects in an S3 bucket.
//!
//! ```text
//!   event ──▶ mapping ──▶ Record (stream: the bucket, key: the folder, body: the event) ──▶ the host's writer
//! ```
//!
//! Only what each event becomes is decided here. The host collects records, signs and writes the objects, with
//! the same configuration.

pub mod config;
pub mod mapping;

use config::Config;
use pintle_plugin_sdk::serde_json::Value;
use pintle_plugin_sdk::{Context, Delivery, Destination, Event, Mistakes, Outcome, Reject};

/// S3 with its configuration.
#[derive(Debug)]
pub struct S3(Config);

impl Destination for S3 {
    const MANIFEST: &'static str = include_str!("../manifest.json");

    fn configure(config: &Value) -> Result<S3, Mistakes> {
        Config::read(config).map(S3)
    }

    fn transform(&self, event: &Event<'_>, _context: &Context) -> Result<Outcome, Reject> {
        Ok(Outcome::Deliver(vec![Delivery::Record(mapping::record(&self.0, event.raw())?)]))
    }
}

pintle_plugin_sdk::destination!(S3);

#[cfg(test)]
mod tests;
