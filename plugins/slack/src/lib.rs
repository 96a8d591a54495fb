//! Destination: tells Slack channels what users do, through incoming webhooks.
//!
//! ```text
//!   configuration ──config::Config── templates and patterns, compiled once
//!   event ──▶ mapping ──▶ who did it (person), which rule fits (rules), its words (template) ──▶ Request
//! ```

pub mod config;
pub mod mapping;
pub mod rules;
pub mod template;

mod person;

use config::Config;
use pintle_plugin_sdk::serde_json::Value;
use pintle_plugin_sdk::{Context, Destination, Event, Mistakes, Outcome, Reject};

/// Slack with its configuration.
#[derive(Debug)]
pub struct Slack(Config);

impl Destination for Slack {
    const MANIFEST: &'static str = include_str!("../manifest.json");

    fn configure(config: &Value) -> Result<Slack, Mistakes> {
        Config::read(config).map(Slack)
    }

    fn transform(&self, event: &Event<'_>, _context: &Context) -> Result<Outcome, Reject> {
        mapping::outcome(&self.0, event)
    }
}

pintle_plugin_sdk::destination!(Slack);

#[cfg(test)]
mod tests;
