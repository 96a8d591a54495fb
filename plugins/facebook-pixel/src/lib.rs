//! Destination: a Meta pixel, through the Conversions API.
//!
//! ```text
//!   configuration ──config::Config──┐
//!   event ──────────────────────────┴─▶ mapping ──▶ Request: a form with one server event
//!                                          ├ server_event: time, id, source
//!                                          ├ user_data (hashed), app_data
//!                                          └ custom_data: standard_events ▶ contents, privacy
//!   answer ─────────────────────────────▶ answer ──▶ Verdict, by Meta's error codes
//! ```

pub mod answer;
pub mod config;
pub mod mapping;

mod app_data;
mod contents;
mod custom_data;
mod privacy;
mod server_event;
mod standard_events;
mod user_data;

use config::Config;
use pintle_plugin_sdk::node::Node;
use pintle_plugin_sdk::serde_json::Value;
use pintle_plugin_sdk::{Context, Destination, Event, Mistakes, Outcome, Reject, Request, Response, Verdict};

/// A pixel with its configuration.
#[derive(Debug)]
pub struct FacebookPixel(Config);

impl Destination for FacebookPixel {
    const MANIFEST: &'static str = include_str!("../manifest.json");

    fn configure(config: &Value) -> Result<FacebookPixel, Mistakes> {
        Config::read(config).map(FacebookPixel)
    }

    fn transform(&self, event: &Event<'_>, context: &Context) -> Result<Outcome, Reject> {
        let event = Node::of(event.raw()).map_err(|error| format!("the event cannot be read: {error}"))?;
        Ok(mapping::request(&self.0, &event, context.now_ms)?.into())
    }

    fn conclude(&self, _request: &Request, response: &Response) -> Vec<Verdict> {
        vec![answer::verdict(response)]
    }
}

pintle_plugin_sdk::destination!(FacebookPixel);
