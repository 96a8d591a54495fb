//! The destinations that come with Pintle, and what the same transforms cost in the system that people come from.

use serde_json::Value;

/// A destination that is measured.
#[derive(Debug)]
pub struct Shipped {
    /// The plugin's name.
    pub plugin: &'static str,
    /// CPU time of one event in rudder-transformer 1.145: parsed, transformed and written as JSON, in microseconds;
    /// HTTP aside. Measured once, on events of 0.9 to 2 KB, to about a third.
    pub peer_us: Option<f64>,
    /// A configuration as people have it, as JSON.
    config: &'static str,
}

/// Those that are measured.
pub static SHIPPED: [Shipped; 11] = [
    shipped("amplitude", Some(172.0), r#"{"apiKey": "key"}"#),
    shipped("braze", Some(50.0), r#"{"restApiKey": "key", "dataCenter": "EU-01"}"#),
    shipped("customerio", Some(28.0), r#"{"siteID": "site", "apiKey": "key"}"#),
    shipped("facebook-pixel", Some(57.0), r#"{"pixelId": "1234567890", "accessToken": "token"}"#),
    shipped(
        "google-analytics-4",
        Some(60.0),
        r#"{"apiSecret": "secret", "typesOfClient": "gtag", "measurementId": "G-ABCDEFGH"}"#,
    ),
    shipped(
        "http",
        None,
        r#"{"apiUrl": "https://example.com/hook", "auth": "noAuth", "method": "POST", "format": "JSON"}"#,
    ),
    shipped("klaviyo", Some(98.0), r#"{"publicApiKey": "key", "privateApiKey": "key", "apiVersion": "v2"}"#),
    shipped("mixpanel", Some(133.0), r#"{"token": "token"}"#),
    shipped("posthog", Some(98.0), r#"{"teamApiKey": "key"}"#),
    shipped(
        "slack",
        Some(168.0),
        r#"{"webhookUrl": "https://hooks.slack.com/services/T0/B0/X0", "eventTemplateSettings": [{"eventName": ".*", "eventTemplate": "{{name}} did {{event}} for {{properties.price}}", "eventRegex": true}]}"#,
    ),
    shipped("webhook", Some(56.0), r#"{"webhookUrl": "https://example.com/hook", "webhookMethod": "POST"}"#),
];

const fn shipped(plugin: &'static str, peer_us: Option<f64>, config: &'static str) -> Shipped {
    Shipped { plugin, peer_us, config }
}

impl Shipped {
    /// The destination of this name.
    pub fn named(plugin: &str) -> Option<&'static Shipped> {
        SHIPPED.iter().find(|shipped| shipped.plugin == plugin)
    }

    /// Its configuration.
    pub fn configuration(&self) -> Value {
        serde_json::from_str(self.config).unwrap_or_default()
    }
}
