//! Destination: people, events, devices and objects to Customer.io's Track API.
//!
//! ```text
//!   event ──mapping──▶ one request of the v1 API (a group or record: of v2)
//!                          │ person    PUT  /v1/customers/{id}
//!                          │ activity  POST /v1/customers/{id}/events, /v1/events
//!                          │ device    PUT, DELETE /v1/customers/{id}/devices
//!                          │ merge     POST /v1/merge_customers
//!                          │ object    POST /v2/batch (a record too)
//!                          ▼
//!   batch::combine ──▶ POST /v2/batch with many of them ──▶ conclude, per entry
//! ```
//!
//! Traits and properties are passed on as the bytes that they came in.

mod activity;
pub mod batch;
pub mod config;
mod device;
pub mod mapping;
mod merge;
mod object;
mod person;
mod record;
mod verdicts;

use config::Config;
use pintle_plugin_sdk::serde_json::Value;
use pintle_plugin_sdk::{Combined, Context, Destination, Event, Mistakes, Outcome, Reject, Request, Response, Verdict};

/// Customer.io with its configuration.
#[derive(Debug)]
pub struct CustomerIo(Config);

impl Destination for CustomerIo {
    const MANIFEST: &'static str = include_str!("../manifest.json");

    fn configure(config: &Value) -> Result<CustomerIo, Mistakes> {
        Config::read(config).map(CustomerIo)
    }

    fn transform(&self, event: &Event<'_>, _context: &Context) -> Result<Outcome, Reject> {
        Ok(mapping::request(&self.0, event)?.into())
    }

    fn combine(&self, requests: Vec<Request>) -> Vec<Combined> {
        batch::combine(&self.0, &requests)
    }

    fn conclude(&self, request: &Request, response: &Response) -> Vec<Verdict> {
        verdicts::conclude(request, response)
    }
}

pintle_plugin_sdk::destination!(CustomerIo);

#[cfg(test)]
mod tests {
    use super::CustomerIo;
    use pintle_plugin_sdk::cases::assert_all;
    use std::path::Path;

    #[test]
    fn every_case_comes_out_as_its_file_says() {
        assert!(
            assert_all::<CustomerIo>(&Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("cases")) >= 20
        );
    }

    #[test]
    fn the_manifest_explains_every_key_and_marks_the_secrets() {
        pintle_plugin_sdk::cases::assert_manifest::<CustomerIo>(env!("CARGO_PKG_VERSION"), &["/apiKey"]);
    }
}
