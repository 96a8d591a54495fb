//! Destination: events, user profiles and group profiles for Mixpanel.
//!
//! ```text
//!   configuration ──config::Config──┐
//!   event ──────────────────────────┴─▶ mapping ──▶ /import  track, page, screen, alias; identify merges ids
//!                                                   /engage  identify, group; revenue and counts of a track
//!                                                   /groups  group
//!   requests ─▶ bulk ──▶ one request for many, by endpoint
//!   answer ──▶ answer ──▶ what it means for each of them
//! ```

pub mod config;
pub mod mapping;

mod answer;
mod bulk;
mod events;
mod groups;
mod identity;
mod profile;

use config::Config;
use pintle_plugin_sdk::serde_json::Value;
use pintle_plugin_sdk::{Combined, Context, Destination, Event, Mistakes, Outcome, Reject, Request, Response, Verdict};

/// Mixpanel with its configuration.
#[derive(Debug)]
pub struct Mixpanel(Config);

impl Destination for Mixpanel {
    const MANIFEST: &'static str = include_str!("../manifest.json");

    fn configure(config: &Value) -> Result<Mixpanel, Mistakes> {
        Config::read(config).map(Mixpanel)
    }

    fn transform(&self, event: &Event<'_>, context: &Context) -> Result<Outcome, Reject> {
        let event = event.value().map_err(|error| format!("the event cannot be read: {error}"))?;
        Ok(mapping::outcome(&self.0, event, context.now_ms)?)
    }

    fn combine(&self, requests: Vec<Request>) -> Vec<Combined> {
        bulk::combine(&self.0, &requests)
    }

    fn conclude(&self, request: &Request, response: &Response) -> Vec<Verdict> {
        answer::verdicts(request, response)
    }
}

pintle_plugin_sdk::destination!(Mixpanel);
