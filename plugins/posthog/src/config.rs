//! The configuration, with the keys that RudderStack's PostHog destination has.

use pintle_plugin_sdk::Mistakes;
use pintle_plugin_sdk::http::check_url;
use pintle_plugin_sdk::settings::Settings;
use serde_json::Value;

/// PostHog's cloud, where no instance is given. It forwards to the region of the project.
const CLOUD: &str = "https://app.posthog.com";

/// A checked configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where events go: `yourInstance` with `/batch` behind it.
    pub url: String,
    /// How each body begins: an object whose first member is `teamApiKey`.
    pub head: Vec<u8>,
    /// Whether a group call is one of PostHog's group analytics: `useV2Group`.
    pub group_analytics: bool,
}

impl Config {
    /// Reads a configuration, or says everything that is wrong with it at once. Unknown keys are ignored.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn read(config: &Value) -> Result<Config, Mistakes> {
        let mut settings = Settings::of(config);
        let key = settings.required("teamApiKey", "the project's API key, which starts with phc_");
        let instance = instance(settings.text("yourInstance"));
        if let Err(wrong) = check_url(&instance) {
            settings.wrong("yourInstance", wrong);
        }
        let url = format!("{}/batch", instance.trim_end_matches('/'));
        let group_analytics = settings.flag("useV2Group", false);
        let head = format!(r#"{{"api_key":{}"#, Value::String(key)).into_bytes();
        settings.end(Config { url, head, group_analytics })
    }
}

/// The instance's URL, which people write with or without a scheme.
fn instance(written: String) -> String {
    match written {
        none if none.is_empty() => CLOUD.to_owned(),
        url if url.contains("://") => url,
        host => format!("https://{host}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_instance_is_found_however_it_is_written() {
        for (instance, expected) in [
            ("", "https://app.posthog.com/batch"),
            ("https://eu.i.posthog.com", "https://eu.i.posthog.com/batch"),
            (" https://eu.i.posthog.com// ", "https://eu.i.posthog.com/batch"),
            ("posthog.example.com", "https://posthog.example.com/batch"),
            ("http://10.1.2.3:8000/hog/", "http://10.1.2.3:8000/hog/batch"),
        ] {
            let config = Config::read(&json!({"teamApiKey": "k", "yourInstance": instance})).unwrap();
            assert_eq!(config.url, expected);
        }
    }
}
