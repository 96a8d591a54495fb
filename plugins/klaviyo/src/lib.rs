//! Destination: Klaviyo's profiles, events and list subscriptions.
//!
//! ```text
//!   configuration ──config::Config──┐
//!   event ──────────────────────────┴─▶ mapping ─┬▶ profile-import            (identify)
//!                                                ├▶ events                    (track, screen)
//!                                                └▶ subscription bulk jobs    (identify, group) ──combine──▶ one job
//! ```
//!
//! Subscriptions of many people go into one job. `verdict` reads Klaviyo's answer, so that one person whom Klaviyo
//! refuses does not keep the others of a job out.

pub mod combine;
pub mod config;
pub mod mapping;
pub mod verdict;

mod ecommerce;
mod happening;
mod message;
mod person;
mod profile;
mod subscription;

use config::Config;
use pintle_plugin_sdk::serde_json::Value;
use pintle_plugin_sdk::{Combined, Context, Delivery, Destination, Event, Mistakes, Outcome, Reject};
use pintle_plugin_sdk::{Request, Response, Verdict};

/// Klaviyo with its configuration.
#[derive(Debug)]
pub struct Klaviyo(Config);

impl Destination for Klaviyo {
    const MANIFEST: &'static str = include_str!("../manifest.json");

    fn configure(config: &Value) -> Result<Klaviyo, Mistakes> {
        Config::read(config).map(Klaviyo)
    }

    fn transform(&self, event: &Event<'_>, _context: &Context) -> Result<Outcome, Reject> {
        let requests = mapping::requests(&self.0, event.raw())?;
        Ok(Outcome::Deliver(requests.into_iter().map(Delivery::Request).collect()))
    }

    fn combine(&self, requests: Vec<Request>) -> Vec<Combined> {
        combine::combine(&requests)
    }

    fn conclude(&self, request: &Request, response: &Response) -> Vec<Verdict> {
        verdict::conclude(request, response)
    }
}

pintle_plugin_sdk::destination!(Klaviyo);
