//! The configuration, with the keys that RudderStack's Braze destination has.

use pintle_plugin_sdk::settings::Settings;
use pintle_plugin_sdk::{Body, Method, Mistakes, Request};
use serde::Serialize;
use serde_json::Value;

/// The REST endpoints of Braze's instances.
const ENDPOINTS: [(&str, &str); 15] = [
    ("US-01", "https://rest.iad-01.braze.com/"),
    ("US-02", "https://rest.iad-02.braze.com/"),
    ("US-03", "https://rest.iad-03.braze.com/"),
    ("US-04", "https://rest.iad-04.braze.com/"),
    ("US-05", "https://rest.iad-05.braze.com/"),
    ("US-06", "https://rest.iad-06.braze.com/"),
    ("US-07", "https://rest.iad-07.braze.com/"),
    ("US-08", "https://rest.iad-08.braze.com/"),
    ("US-10", "https://rest.us-10.braze.com/"),
    ("EU-01", "https://rest.fra-01.braze.eu/"),
    ("EU-02", "https://rest.fra-02.braze.eu/"),
    ("EU-03", "https://rest.fra-03.braze.eu/"),
    ("AU-01", "https://rest.au-01.braze.com/"),
    ("ID-01", "https://rest.id-01.braze.com/"),
    ("JP-01", "https://rest.jp-01.braze.com/"),
];

/// A checked configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The instance, with a slash at its end: `dataCenter`.
    pub endpoint: &'static str,
    /// The `authorization` header: `restApiKey`.
    pub authorization: String,
    /// Whether a group is a subscription group: `enableSubscriptionGroupInGroupCall`.
    pub subscription_groups: bool,
    /// Whether traits may change arrays of objects in place: `enableNestedArrayOperations`.
    pub nested_arrays: bool,
    /// Whether purchases have properties: `sendPurchaseEventWithExtraProperties`.
    pub purchase_properties: bool,
    /// Whether e-commerce events are Braze's own: `useEcommerceRecommendedEvents`.
    pub ecommerce: bool,
}

impl Config {
    /// Reads a configuration, or says everything that is wrong with it at once.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn read(config: &Value) -> Result<Self, Mistakes> {
        let mut settings = Settings::of(config);
        let key = settings.required("restApiKey", "a REST API key of the workspace");
        let center = settings.required("dataCenter", "the instance of the account, as in US-01");
        let known = ENDPOINTS.iter().find(|(name, _)| center.eq_ignore_ascii_case(name));
        if known.is_none() && !center.is_empty() {
            settings.wrong("dataCenter", "must be one of Braze's instances, as in US-01 or EU-02");
        }
        let read = Config {
            endpoint: known.map_or("", |(_, endpoint)| endpoint),
            authorization: format!("Bearer {key}"),
            subscription_groups: settings.flag("enableSubscriptionGroupInGroupCall", false),
            nested_arrays: settings.flag("enableNestedArrayOperations", false),
            purchase_properties: settings.flag("sendPurchaseEventWithExtraProperties", false),
            ecommerce: settings.flag("useEcommerceRecommendedEvents", false),
        };
        settings.end(read)
    }

    /// A request to a path of the API, with a body that is JSON already.
    #[must_use]
    pub fn post(&self, path: &str, body: Vec<u8>) -> Request {
        let request = Request::new(Method::Post, format!("{}{path}", self.endpoint))
            .header("content-type", "application/json")
            .header("accept", "application/json")
            .header("authorization", self.authorization.clone());
        Request { body: Body::Json(body), ..request }
    }

    /// A request to a path of the API.
    ///
    /// # Errors
    /// When the body cannot be written as JSON.
    pub fn send(&self, path: &str, body: &impl Serialize) -> Result<Request, String> {
        let body = serde_json::to_vec(body).map_err(|error| format!("the request cannot be written: {error}"))?;
        Ok(self.post(path, body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn instances_are_found_in_whatever_case() {
        for (center, endpoint) in
            [("us-01", "https://rest.iad-01.braze.com/"), (" EU-02 ", "https://rest.fra-02.braze.eu/")]
        {
            assert_eq!(Config::read(&json!({"restApiKey": "k", "dataCenter": center})).unwrap().endpoint, endpoint);
        }
    }

    #[test]
    fn everything_that_is_wrong_is_told_without_the_key() {
        let config = json!({"restApiKey": ["s3cret"], "dataCenter": "MARS-1", "enableNestedArrayOperations": 3});
        let Mistakes(mistakes) = Config::read(&config).unwrap_err();
        let paths: Vec<&str> = mistakes.iter().map(|mistake| mistake.path.as_str()).collect();
        assert_eq!(paths, ["/restApiKey", "/dataCenter", "/enableNestedArrayOperations"]);
        assert!(!format!("{mistakes:?}").contains("s3cret"));
    }
}
