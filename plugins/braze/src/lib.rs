//! Destination: attributes, events, purchases and subscription groups to Braze's REST API.
//!
//! ```text
//!   event ──mapping──▶ requests, one after another
//!                         │ identity   POST /users/identify (an identify, before its attributes)
//!                         │ tracking   POST /users/track (attributes, events, purchases)
//!                         │ merge      POST /users/merge
//!                         │ group      POST /v2/subscription/status/set
//!                         ▼
//!   bulk::combine ──▶ few requests to the same addresses ──▶ conclude, per event where Braze tells them apart
//! ```
//!
//! What is passed on as it is keeps the bytes that it came in.

mod attributes;
pub mod bulk;
pub mod config;
mod ecommerce;
mod group;
mod identity;
pub mod mapping;
mod marks;
mod merge;
mod nested;
mod purchases;
mod tracking;
mod verdicts;

use config::Config;
use pintle_plugin_sdk::serde_json::Value;
use pintle_plugin_sdk::{
    Combined, Context, Delivery, Destination, Event, Mistakes, Outcome, Reject, Request, Response, Verdict,
};

/// Braze with its configuration.
#[derive(Debug)]
pub struct Braze(Config);

impl Destination for Braze {
    const MANIFEST: &'static str = include_str!("../manifest.json");

    fn configure(config: &Value) -> Result<Braze, Mistakes> {
        Config::read(config).map(Braze)
    }

    fn transform(&self, event: &Event<'_>, context: &Context) -> Result<Outcome, Reject> {
        let requests = mapping::requests(&self.0, event, context)?;
        Ok(Outcome::Deliver(requests.into_iter().map(Delivery::Request).collect()))
    }

    fn combine(&self, requests: Vec<Request>) -> Vec<Combined> {
        bulk::combine(&self.0, &requests)
    }

    fn conclude(&self, request: &Request, response: &Response) -> Vec<Verdict> {
        verdicts::conclude(request, response)
    }
}

pintle_plugin_sdk::destination!(Braze);

#[cfg(test)]
mod tests {
    use super::Braze;
    use pintle_plugin_sdk::cases::assert_all;
    use std::path::Path;

    #[test]
    fn every_case_comes_out_as_its_file_says() {
        let folder = std::env::var_os("CARGO_MANIFEST_DIR").unwrap();
        assert!(assert_all::<Braze>(&Path::new(&folder).join("cases")) >= 20);
    }

    #[test]
    fn the_manifest_explains_every_key_and_marks_the_secrets() {
        pintle_plugin_sdk::cases::assert_manifest::<Braze>(env!("CARGO_PKG_VERSION"), &["/restApiKey"]);
    }
}
