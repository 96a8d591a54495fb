//! What becomes of an event.

use crate::config::Config;
use pintle_plugin_sdk::Record;
use serde_json::value::RawValue;

/// The record that keeps an event: its own bytes, so that nothing is lost.
///
/// # Errors
/// When it is no event.
pub fn record(config: &Config, event: &RawValue) -> Result<Record, String> {
    if !event.get().starts_with('{') {
        return Err("the event is not a JSON object".to_owned());
    }
    Ok(Record {
        stream: config.bucket.clone(),
        key: config.prefix.clone(),
        body: event.get().as_bytes().to_vec(),
        headers: Vec::new(),
    })
}
