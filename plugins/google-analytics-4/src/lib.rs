//! Destination: Google Analytics 4, through its Measurement Protocol.
//!
//! ```text
//!   configuration ──config::Config──┐
//!   event ──────────────────────────┴─▶ mapping ──▶ Request: who (identity, user_properties),
//!                                          │                 when, and one event with its parameters
//!                                          └ names ▶ rules ▶ parameters ▶ items
//!   answer ─────────────────────────────▶ answer ──▶ Verdict (the validation server tells what is wrong)
//! ```

pub mod answer;
pub mod config;
pub mod mapping;

mod identity;
mod items;
mod names;
mod parameters;
mod rules;
mod user_properties;

use config::Config;
use pintle_plugin_sdk::node::Node;
use pintle_plugin_sdk::serde_json::Value;
use pintle_plugin_sdk::{Context, Destination, Event, Mistakes, Outcome, Reject, Request, Response, Verdict};

/// Google Analytics 4 with its configuration.
#[derive(Debug)]
pub struct GoogleAnalytics4(Config);

impl Destination for GoogleAnalytics4 {
    const MANIFEST: &'static str = include_str!("../manifest.json");

    fn configure(config: &Value) -> Result<GoogleAnalytics4, Mistakes> {
        Config::read(config).map(GoogleAnalytics4)
    }

    fn transform(&self, event: &Event<'_>, context: &Context) -> Result<Outcome, Reject> {
        let event = Node::of(event.raw()).map_err(|error| format!("the event cannot be read: {error}"))?;
        Ok(mapping::request(&self.0, event, context.now_ms)?.into())
    }

    fn conclude(&self, _request: &Request, response: &Response) -> Vec<Verdict> {
        vec![answer::verdict(response)]
    }
}

pintle_plugin_sdk::destination!(GoogleAnalytics4);
