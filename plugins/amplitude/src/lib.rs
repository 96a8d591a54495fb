//! Destination: events, user properties and groups for Amplitude.
//!
//! ```text
//!   configuration ──config::Config──┐
//!   event ──────────────────────────┴─▶ mapping ──▶ /2/httpapi   identify, track, page, screen, group
//!                                                   /groupidentify  the group's own properties
//!                                                   /usermap        alias
//!   requests ─▶ bulk ──▶ one /2/httpapi request with many events
//!   answer ──▶ answer ──▶ what it means for each of them
//! ```
//!
//! What an event says about a person, a device and money stands in fields of its own in Amplitude's HTTP V2
//! API: `device` and `person` fill those, `revenue` takes an order apart, `naming` names pages and screens.

pub mod config;
pub mod mapping;

mod answer;
mod bulk;
mod device;
mod group;
mod naming;
mod person;
mod revenue;

use config::Config;
use pintle_plugin_sdk::serde_json::Value;
use pintle_plugin_sdk::{Combined, Context, Destination, Event, Mistakes, Outcome, Reject, Request, Response, Verdict};

/// Amplitude with its configuration.
#[derive(Debug)]
pub struct Amplitude(Config);

impl Destination for Amplitude {
    const MANIFEST: &'static str = include_str!("../manifest.json");

    fn configure(config: &Value) -> Result<Amplitude, Mistakes> {
        Config::read(config).map(Amplitude)
    }

    fn transform(&self, event: &Event<'_>, _context: &Context) -> Result<Outcome, Reject> {
        let event = event.value().map_err(|error| format!("the event cannot be read: {error}"))?;
        Ok(mapping::outcome(&self.0, event)?)
    }

    fn combine(&self, requests: Vec<Request>) -> Vec<Combined> {
        bulk::combine(&self.0.upload, &requests)
    }

    fn conclude(&self, request: &Request, response: &Response) -> Vec<Verdict> {
        answer::verdicts(request, response)
    }
}

pintle_plugin_sdk::destination!(Amplitude);
