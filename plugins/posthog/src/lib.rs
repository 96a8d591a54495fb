//! Destination: PostHog's batch endpoint.
//!
//! ```text
//!   configuration ──config::Config──┐
//!   event ──────────────────────────┴─▶ mapping ──▶ one event for /batch ──combine──▶ many in one request
//! ```
//!
//! What an event says about its device, page and campaign becomes PostHog's `$` properties. Values are copied
//! byte for byte, so that numbers arrive as they were sent, and nothing is parsed that need not be.

pub mod combine;
pub mod config;
pub mod mapping;

mod context;
mod message;
mod own;

use config::Config;
use pintle_plugin_sdk::serde_json::Value;
use pintle_plugin_sdk::{Combined, Context, Destination, Event, Mistakes, Outcome, Reject, Request};

/// PostHog with its configuration.
#[derive(Debug)]
pub struct PostHog(Config);

impl Destination for PostHog {
    const MANIFEST: &'static str = include_str!("../manifest.json");

    fn configure(config: &Value) -> Result<PostHog, Mistakes> {
        Config::read(config).map(PostHog)
    }

    fn transform(&self, event: &Event<'_>, _context: &Context) -> Result<Outcome, Reject> {
        Ok(mapping::request(&self.0, event)?.into())
    }

    fn combine(&self, requests: Vec<Request>) -> Vec<Combined> {
        combine::combine(&self.0, &requests)
    }
}

pintle_plugin_sdk::destination!(PostHog);
