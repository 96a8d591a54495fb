//! What becomes of an event.

use crate::config::{Config, Content, Format};
use crate::{address, body, target};
use pintle_plugin_sdk::http::{check_header_value, set_header};
use pintle_plugin_sdk::node::Node;
use pintle_plugin_sdk::{Body, Request};
use serde_json::value::RawValue;

/// The request for an event.
///
/// # Errors
/// Why there is none.
pub fn request(config: &Config, event: &RawValue) -> Result<Request, String> {
    if !event.get().starts_with('{') {
        return Err("the event is not a JSON object".to_owned());
    }
    let tree = if needs_tree(config) {
        Node::of(event).map_err(|error| format!("the event cannot be read: {error}"))?
    } else {
        Node::Null
    };
    Ok(Request {
        method: config.method,
        url: address::url(config, &tree)?,
        query: query(config, &tree),
        headers: headers(config, &tree)?,
        body: match &config.body {
            Content::None => Body::None,
            // Byte for byte: numbers that no double can hold arrive as they were sent.
            Content::Event if config.format == Format::Json => Body::Json(event.get().as_bytes().to_vec()),
            Content::Event => body::body(config, &tree),
            Content::Fields(fields) => body::body(config, &target::document(fields, &tree)),
        },
        gzip: false,
    })
}

fn needs_tree(config: &Config) -> bool {
    let is_passed_on = match &config.body {
        Content::None => true,
        Content::Event => config.format == Format::Json,
        Content::Fields(_) => false,
    };
    !is_passed_on || !config.path.is_empty() || !config.query.is_empty() || !config.event_headers.is_empty()
}

/// Values that are there, as texts; what is no text, number or boolean as JSON.
fn query<'n>(config: &'n Config, event: &'n Node<'n>) -> Vec<(String, String)> {
    let pair = |(name, expression): &'n (String, crate::expression::Expression)| {
        let value = expression.value(event)?;
        let text = value.scalar().map_or_else(|| value.json(), |text| text.into_owned());
        Some((name.clone(), text))
    };
    config.query.iter().filter_map(pair).collect()
}

fn headers<'n>(config: &'n Config, event: &'n Node<'n>) -> Result<Vec<(String, String)>, String> {
    let mut headers = config.headers.clone();
    for (name, expression) in &config.event_headers {
        let Some(value) = expression.value(event) else { continue };
        let text = value.scalar().ok_or_else(|| format!("the value of the header {name:?} is a list or an object"))?;
        check_header_value(&text).map_err(|wrong| format!("the value of the header {name:?} {wrong}"))?;
        set_header(&mut headers, name, text.into_owned());
    }
    Ok(headers)
}
