//! The configuration, with the keys that RudderStack's Facebook Pixel destination has.

use crate::standard_events::Standard;
use pintle_plugin_sdk::Mistakes;
use pintle_plugin_sdk::settings::Settings;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The version of the Graph API that is spoken.
const VERSION: &str = "v25.0";

/// A checked configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The pixel's address: `pixelId`.
    pub url: String,
    /// `accessToken`.
    pub access_token: String,
    /// Events that are sent as another one, by their names in small letters: `eventsToEvents`.
    pub renamed: BTreeMap<String, Standard>,
    /// Content types of categories: `categoryToContent`.
    pub content_types: BTreeMap<String, String>,
    /// Whether a product's worth is its `value`, and not its `price`: `valueFieldIdentifier`.
    pub worth_is_value: bool,
    /// Whether identify calls are sent: `advancedMapping`.
    pub sends_identify: bool,
    /// Properties that are dropped, or hashed: `blacklistPiiProperties`.
    pub denied: BTreeMap<String, bool>,
    /// Properties that are sent although they are personal: `whitelistPiiProperties`.
    pub allowed: BTreeSet<String>,
    /// Whether events may limit the use of their data: `limitedDataUSage`.
    pub limits_data_use: bool,
    /// `testEventCode`, with `testDestination`.
    pub test_event_code: Option<String>,
    /// Whether the user's id is sent: not with `removeExternalId`.
    pub sends_external_id: bool,
    /// Whether the words of a full name are written in small letters before they are hashed: `normalizeNames`.
    pub normalizes_names: bool,
}

impl Config {
    /// Reads a configuration.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn read(config: &Value) -> Result<Config, Mistakes> {
        let mut settings = Settings::of(config);
        let pixel = settings.required("pixelId", "the pixel's ID, from Meta's Events Manager");
        if !pixel.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_')) {
            settings.wrong("pixelId", "must be the ID alone, as in 1234567890");
        }
        let test_event_code = settings.text("testEventCode");
        let is_test = settings.flag("testDestination", false);
        // Written in two ways by workspaces that are in use.
        let limits = [settings.flag("limitedDataUSage", false), settings.flag("limitedDataUsage", false)];
        let read = Config {
            url: format!("https://graph.facebook.com/{VERSION}/{pixel}/events"),
            access_token: settings.required("accessToken", "an access token for the Conversions API"),
            renamed: renamed(&mut settings),
            content_types: settings.pairs("categoryToContent", "from", "to").into_iter().collect(),
            worth_is_value: settings.text("valueFieldIdentifier") == "properties.value",
            sends_identify: settings.flag("advancedMapping", false),
            denied: denied(&mut settings),
            allowed: settings.list("whitelistPiiProperties", "whitelistPiiProperties").into_iter().collect(),
            limits_data_use: limits.contains(&true),
            test_event_code: (is_test && !test_event_code.is_empty()).then_some(test_event_code),
            sends_external_id: !settings.flag("removeExternalId", false),
            normalizes_names: settings.flag("normalizeNames", false),
        };
        settings.end(read)
    }
}

/// The first row for a name counts.
fn renamed(settings: &mut Settings<'_>) -> BTreeMap<String, Standard> {
    let mut renamed = BTreeMap::new();
    for (from, to) in settings.pairs("eventsToEvents", "from", "to") {
        renamed.entry(from.to_lowercase()).or_insert_with(|| Standard::named(&to));
    }
    renamed
}

fn denied(settings: &mut Settings<'_>) -> BTreeMap<String, bool> {
    let rows = settings.rows("blacklistPiiProperties").iter();
    let row = |row: &Value| {
        let name = row.get("blacklistPiiProperties").unwrap_or(row).as_str()?.trim();
        let hash = row.get("blacklistPiiHash").is_some_and(|hash| *hash == true || *hash == "true");
        (!name.is_empty()).then(|| (name.to_owned(), hash))
    };
    rows.filter_map(row).collect()
}
