//! The configuration, with the keys that RudderStack's Klaviyo destination has.

use crate::subscription::Channels;
use pintle_plugin_sdk::Mistakes;
use pintle_plugin_sdk::http::check_header_value;
use pintle_plugin_sdk::settings::Settings;
use serde_json::Value;

/// A checked configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Which revision of Klaviyo's API is spoken: `apiVersion`.
    pub version: Version,
    /// What goes with each request, `privateApiKey` included.
    pub headers: Vec<(String, String)>,
    /// Whom events without a list are subscribed to: `listId`; may be empty.
    pub list: String,
    /// What events without a consent subscribe to: `consent`.
    pub channels: Option<Channels>,
    /// Whether people are told apart by email and phone alone: `enforceEmailAsPrimary`.
    pub email_first: bool,
    /// Whether nested properties become one level: `flattenProperties`.
    pub flatten: bool,
}

/// A revision of Klaviyo's API, in the order of their dates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// 2023-02-22, with `$` names for a person and a list id among a job's attributes.
    V1,
    /// 2024-10-15.
    V2,
    /// 2026-04-15, where a job that unsubscribes names the channels.
    V3,
}

impl Version {
    /// The date that Klaviyo calls a revision.
    #[must_use]
    pub fn revision(self) -> &'static str {
        match self {
            Version::V1 => "2023-02-22",
            Version::V2 => "2024-10-15",
            Version::V3 => "2026-04-15",
        }
    }
}

impl Config {
    /// Reads a configuration, or says everything that is wrong with it at once. Unknown keys are ignored.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn read(config: &Value) -> Result<Config, Mistakes> {
        const VERSIONS: [(&str, Version); 3] = [("v1", Version::V1), ("v2", Version::V2), ("v3", Version::V3)];
        let mut settings = Settings::of(config);
        let key = settings.required("privateApiKey", "the private API key, which starts with pk_");
        if let Err(wrong) = check_header_value(&key) {
            settings.wrong("privateApiKey", wrong);
        }
        let version = settings.choice("apiVersion", &VERSIONS, Version::V1);
        let read = Config {
            version,
            headers: headers(&key, version),
            list: settings.text("listId"),
            channels: settings.get("consent").and_then(Channels::of),
            email_first: settings.flag("enforceEmailAsPrimary", false),
            flatten: settings.flag("flattenProperties", false),
        };
        settings.end(read)
    }
}

fn headers(key: &str, version: Version) -> Vec<(String, String)> {
    let headers = [
        ("authorization", format!("Klaviyo-API-Key {key}")),
        ("accept", "application/json".to_owned()),
        ("content-type", "application/json".to_owned()),
        ("revision", version.revision().to_owned()),
    ];
    headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
