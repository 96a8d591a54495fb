//! The configuration, with the keys that RudderStack's GA4 destination has.

use pintle_plugin_sdk::Mistakes;
use pintle_plugin_sdk::settings::Settings;
use pintle_plugin_sdk::tree::is_blank;
use serde_json::Value;
use std::collections::BTreeSet;

/// Where events go.
const COLLECT: &str = "https://www.google-analytics.com/mp/collect";
/// Where they are only checked: <https://developers.google.com/analytics/devguides/collection/protocol/ga4/validating-events>.
const VALIDATE: &str = "https://www.google-analytics.com/debug/mp/collect";

/// What kind of data stream the events are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// A web stream; a user's browser is known by its `client_id`.
    Gtag,
    /// An app stream; an installation is known by its `app_instance_id`.
    Firebase,
}

/// A checked configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where events go: the validation server with `debugMode`.
    pub url: &'static str,
    /// `typesOfClient`.
    pub client: Client,
    /// `api_secret`, and `measurement_id` or `firebase_app_id`.
    pub query: Vec<(String, String)>,
    /// Traits that do not become user properties: `piiPropertiesToIgnore`.
    pub withheld: BTreeSet<String>,
    /// Whether browsers send page calls themselves: `connectionMode`.
    pub hybrid: bool,
}

impl Config {
    /// Reads a configuration.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn read(config: &Value) -> Result<Config, Mistakes> {
        let mut settings = Settings::of(config);
        let secret = settings.required("apiSecret", "an API secret of the data stream, for the Measurement Protocol");
        if settings.get("typesOfClient").is_none_or(is_blank) {
            settings.wrong("typesOfClient", "is required: gtag for a web stream, firebase for an app stream");
        }
        let kinds = [("gtag", Client::Gtag), ("firebase", Client::Firebase)];
        let client = settings.choice("typesOfClient", &kinds, Client::Gtag);
        let (name, id) = match client {
            Client::Gtag => ("measurement_id", settings.required("measurementId", "the data stream's measurement ID")),
            Client::Firebase => ("firebase_app_id", settings.required("firebaseAppId", "the Firebase app's ID")),
        };
        let read = Config {
            url: if settings.flag("debugMode", false) { VALIDATE } else { COLLECT },
            client,
            query: vec![("api_secret".to_owned(), secret), (name.to_owned(), id)],
            withheld: settings.list("piiPropertiesToIgnore", "piiProperty").into_iter().collect(),
            hybrid: settings.get("connectionMode").is_some_and(is_hybrid),
        };
        settings.end(read)
    }
}

/// The mode is a word, or one for each kind of source.
fn is_hybrid(mode: &Value) -> bool {
    mode.as_str().or_else(|| mode.get("web")?.as_str()) == Some("hybrid")
}
