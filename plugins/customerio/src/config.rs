//! The configuration, with the keys that RudderStack's Customer.io destination has.

use pintle_plugin_sdk::encode::basic_auth;
use pintle_plugin_sdk::settings::Settings;
use pintle_plugin_sdk::{Body, Method, Mistakes, Request};
use serde::Serialize;
use serde_json::Value;

/// A checked configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where the API is, with a slash at its end: by `datacenter`.
    pub api: &'static str,
    /// The `authorization` header: `siteID` and `apiKey`.
    pub authorization: String,
    /// The track event that registers a device: `deviceTokenEventName`; empty for none.
    pub device_event: String,
}

/// The addresses of the API, by `datacenter`.
pub const US: &str = "https://track.customer.io/api/";
/// The one in the European Union.
pub const EU: &str = "https://track-eu.customer.io/api/";

impl Config {
    /// Reads a configuration, or says everything that is wrong with it at once.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn read(config: &Value) -> Result<Self, Mistakes> {
        let mut settings = Settings::of(config);
        let site = settings.required("siteID", "the site ID of the tracking API credentials");
        let key = settings.required("apiKey", "the API key that belongs to the site ID");
        let api = settings.choice("datacenter", &[("US", US), ("EU", EU)], US);
        let device_event = settings.text("deviceTokenEventName");
        settings.end(Config { api, authorization: basic_auth(&site, &key), device_event })
    }

    /// A request to a path of the API.
    #[must_use]
    pub fn request(&self, method: Method, path: &str) -> Request {
        Request::new(method, format!("{}{path}", self.api)).header("authorization", self.authorization.clone())
    }

    /// A request with a JSON body.
    ///
    /// # Errors
    /// When the body cannot be written as JSON.
    pub fn send(&self, method: Method, path: &str, body: &impl Serialize) -> Result<Request, String> {
        let body = serde_json::to_vec(body).map_err(|error| format!("the request cannot be written: {error}"))?;
        Ok(Request { body: Body::Json(body), ..self.request(method, path) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn credentials_and_region_are_read() {
        let config = Config::read(&json!({"siteID": " s ", "apiKey": 12, "datacenter": "eu"})).unwrap();
        assert_eq!(config.api, "https://track-eu.customer.io/api/");
        assert_eq!(config.authorization, "Basic czoxMg==");
        let defaults = Config::read(&json!({"siteID": "s", "apiKey": "k", "datacenter": ""})).unwrap();
        assert_eq!(defaults.api, "https://track.customer.io/api/");
    }

    #[test]
    fn everything_that_is_wrong_is_told() {
        let Mistakes(mistakes) = Config::read(&json!({"siteID": "", "datacenter": "mars"})).unwrap_err();
        let paths: Vec<&str> = mistakes.iter().map(|mistake| mistake.path.as_str()).collect();
        assert_eq!(paths, ["/siteID", "/apiKey", "/datacenter"]);
    }
}
