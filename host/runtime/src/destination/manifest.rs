//! What `describe` returns.

use super::ConfigError;
use super::schema::Schema;
use crate::LoadError;
use crate::egress::Hosts;
use pintle_events::Kind;
use serde::Deserialize;
use serde_json::{Value, json};
use std::num::NonZeroUsize;

/// The largest manifest, in bytes: it is kept, compared and sent to whoever draws a form of it.
pub const MANIFEST_BYTES_MAX: usize = 256 << 10;
/// The longest name of a plugin, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// A destination plugin in its own words.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The plugin's name, e.g. `webhook`: lower case letters, digits and dashes.
    pub name: String,
    /// The plugin's version, e.g. `1.2.0`.
    pub version: String,
    /// Event types it handles; the host filters the others.
    pub message_types: Vec<String>,
    /// JSON Schema of its configuration; secrets carry `"writeOnly": true`.
    pub config: Value,
    /// Hosts its requests may go to.
    pub hosts: Hosts,
    /// What carries its deliveries.
    pub wire: Wire,
    /// Who judges answers.
    pub conclude: Conclude,
    /// Whether it can merge prepared requests.
    pub combine: bool,
    /// How much it takes in one combined request.
    pub batch: Option<BatchLimits>,
    /// The kind of authentication that the host does for it.
    pub auth: Auth,
    /// How much it may be sent, unless an operator allows less.
    pub rate: Rate,
    /// The manifest as it was written, for those who draw a form of it.
    pub document: Value,
    schema: Schema,
}

/// As it is written.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    name: String,
    version: String,
    message_types: Vec<String>,
    config: Option<Value>,
    #[serde(default)]
    hosts: Hosts,
    #[serde(default)]
    wire: Wire,
    #[serde(default)]
    conclude: Conclude,
    #[serde(default)]
    combine: bool,
    batch: Option<BatchLimits>,
    #[serde(default)]
    auth: Auth,
    #[serde(default)]
    rate: Rate,
}

/// What carries deliveries, and so what a plugin has to describe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Wire {
    /// Requests over HTTP.
    #[default]
    Http,
    /// Records that the host gathers into objects: the stream is the bucket, the key the folder.
    Objects,
}

/// Who judges the answer to a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Conclude {
    /// The host, by status alone.
    #[default]
    Standard,
    /// The plugin's `conclude`.
    Custom,
}

/// Who proves to the destination who we are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Auth {
    /// The plugin's requests carry what they need, usually a secret of the configuration.
    #[default]
    None,
}

/// How much goes into one combined request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchLimits {
    /// Events, at most.
    pub events: NonZeroUsize,
    /// Bytes of its body before compression, at most.
    pub bytes: NonZeroUsize,
    /// Whether the destination works through a combined request in order, so that it never takes an event
    /// while it wants an earlier one again. See [`Manifest::combines_in_order`].
    pub ordered: Option<bool>,
    /// Whether a request that goes by itself is given to `combine` as well: where what a transform describes is
    /// not yet what the destination takes, but an entry of a bulk request.
    #[serde(default)]
    pub alone: bool,
}

/// How much a destination may be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Rate {
    /// Requests in flight at the same time; the router's `concurrency-max` when absent or smaller.
    pub concurrency: Option<NonZeroUsize>,
    /// Requests begun in a second; no limit when absent.
    pub requests_per_second: Option<f64>,
}

impl Manifest {
    /// Reads a manifest and checks all of it, the schema included.
    ///
    /// # Errors
    /// [`LoadError::Manifest`] names the member that is wrong.
    pub fn parse(text: &str) -> Result<Manifest, LoadError> {
        Manifest::read(text).map_err(LoadError::Manifest)
    }

    fn read(text: &str) -> Result<Manifest, String> {
        if text.len() > MANIFEST_BYTES_MAX {
            return Err(format!("it has {} bytes, more than the {MANIFEST_BYTES_MAX} of a manifest", text.len()));
        }
        let document: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        // From the text again: its errors know lines and columns.
        let written: Written = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let Written { name, version, message_types, config, hosts, wire, conclude, combine, batch, auth, rate } =
            written;
        check_name(&name)?;
        check_version(&version)?;
        check_types(&message_types)?;
        if rate.requests_per_second.is_some_and(|rate| !(rate.is_finite() && rate > 0.0)) {
            return Err("`rate.requestsPerSecond` must be more than 0".to_owned());
        }
        if combine && wire == Wire::Objects {
            return Err("`combine` merges requests, and `wire` says that there are none".to_owned());
        }
        if combine && batch.is_none() {
            return Err("`combine` needs `batch`: how many events and bytes one combined request may have".to_owned());
        }
        let config = config.unwrap_or_else(|| json!({"type": "object"}));
        let schema = Schema::compile(&config)?;
        Ok(Manifest {
            name,
            version,
            message_types,
            config,
            hosts,
            wire,
            conclude,
            combine,
            batch,
            auth,
            rate,
            document,
            schema,
        })
    }

    /// Whether several events of one ordering key may share a combined request, in their order: when the
    /// destination cannot take a later one and want an earlier one again. Where answers are judged by status
    /// alone there is one answer for all of them; otherwise the manifest has to say so (`batch.ordered`).
    #[must_use]
    pub fn combines_in_order(&self) -> bool {
        let said = self.batch.and_then(|batch| batch.ordered);
        said.unwrap_or(self.conclude == Conclude::Standard)
    }

    /// Whether `combine` gets each request, also one that goes by itself (`batch.alone`).
    #[must_use]
    pub fn combines_alone(&self) -> bool {
        self.combine && self.batch.is_some_and(|batch| batch.alone)
    }

    /// What the schema finds wrong with a configuration. Texts with references (`${env:X}`) are taken to be
    /// right, so that a configuration can be checked where its secrets are not known.
    #[must_use]
    pub fn check_config(&self, config: &Value) -> Vec<ConfigError> {
        if config.is_object() {
            return self.schema.check(config);
        }
        let message = "the configuration must be a JSON object".to_owned();
        vec![ConfigError { path: String::new(), message }]
    }
}

fn check_name(name: &str) -> Result<(), String> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.is_empty() {
        return Err("`name` is empty".to_owned());
    }
    if name.len() > NAME_BYTES_MAX || !name.bytes().all(fits) || name.starts_with('-') || name.ends_with("-engine") {
        return Err(format!(
            "`name` must be at most {NAME_BYTES_MAX} lower case letters, digits and dashes, and not end in `-engine`"
        ));
    }
    Ok(())
}

fn check_version(version: &str) -> Result<(), String> {
    let numbers = version.split(['-', '+']).next().unwrap_or_default();
    let parts: Vec<&str> = numbers.split('.').collect();
    if parts.len() == 3 && parts.iter().all(|part| part.parse::<u32>().is_ok()) {
        return Ok(());
    }
    Err(format!("`version` must be three numbers as in `1.2.0`, and not `{}`", version.escape_debug()))
}

fn check_types(types: &[String]) -> Result<(), String> {
    if types.is_empty() {
        return Err("`messageTypes` is empty: the plugin would never be called".to_owned());
    }
    match types.iter().find(|name| Kind::from_name(name).is_none()) {
        None => Ok(()),
        Some(name) => {
            let known = Kind::ALL.map(Kind::as_str).join(", ");
            Err(format!("`messageTypes` has `{}`, which no event is; use {known}", name.escape_debug()))
        }
    }
}

#[cfg(test)]
mod tests;
