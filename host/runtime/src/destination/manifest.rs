//! What `describe` returns.

use crate::LoadError;
use crate::egress::Hosts;
use serde::Deserialize;

/// A destination plugin in its own words.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// The plugin's name, e.g. `webhook`.
    pub name: String,
    /// The plugin's version.
    pub version: String,
    /// Event types it handles; the host filters the others.
    pub message_types: Vec<String>,
    /// JSON Schema of its configuration; secrets carry `"writeOnly": true`.
    #[serde(default)]
    pub config: serde_json::Value,
    /// Hosts its requests may go to.
    #[serde(default)]
    pub hosts: Hosts,
    /// Who judges answers.
    #[serde(default)]
    pub conclude: Conclude,
    /// Whether it can merge prepared requests.
    #[serde(default)]
    pub combine: bool,
    /// How much it takes in one combined request.
    #[serde(default)]
    pub batch: Option<BatchLimits>,
    /// The kind of authentication it needs; `none` for none.
    #[serde(default = "no_auth")]
    pub auth: String,
    /// Its default rate limits, as it wrote them.
    #[serde(default)]
    pub rate: Option<serde_json::Value>,
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

/// How much goes into one combined request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct BatchLimits {
    /// Events, at most.
    pub events: usize,
    /// Bytes of bodies, at most.
    pub bytes: usize,
}

fn no_auth() -> String {
    "none".to_owned()
}

impl Manifest {
    pub(crate) fn parse(text: &str) -> Result<Manifest, LoadError> {
        let manifest: Manifest = serde_json::from_str(text).map_err(|error| LoadError::Manifest(error.to_string()))?;
        if manifest.name.is_empty() {
            return Err(LoadError::Manifest("`name` is empty".to_owned()));
        }
        if manifest.message_types.is_empty() {
            return Err(LoadError::Manifest("`messageTypes` is empty: the plugin would never be called".to_owned()));
        }
        Ok(manifest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_manifest_gets_the_defaults() {
        let manifest = Manifest::parse(r#"{"name":"x","version":"1","messageTypes":["track"]}"#).unwrap();
        assert_eq!((manifest.conclude, manifest.auth.as_str(), manifest.combine), (Conclude::Standard, "none", false));
    }

    #[test]
    fn a_manifest_without_a_name_says_so() {
        let error = Manifest::parse(r#"{"version":"1","messageTypes":["track"]}"#).unwrap_err();
        assert!(error.to_string().contains("missing field `name`"), "{error}");
    }
}
