//! The address of a request: the configured one, with segments behind it.

use crate::config::Config;
use crate::expression::Expression;
use pintle_plugin_sdk::encode::path_segment;
use pintle_plugin_sdk::node::Node;

/// A segment of the path.
#[derive(Clone, Debug, PartialEq)]
pub enum Segment {
    /// The same for all events, already encoded.
    Fixed(String),
    /// A value of the event.
    OfEvent(Expression),
}

impl Segment {
    /// A segment that the configuration says; its slashes are meant.
    pub fn constant(text: &str) -> Segment {
        let parts: Vec<String> = text.trim_matches('/').split('/').map(path_segment).collect();
        Segment::Fixed(parts.join("/"))
    }
}

/// The request's URL.
///
/// # Errors
/// When the event lacks a segment, or has one that would lead elsewhere.
pub fn url<'n>(config: &'n Config, event: &'n Node<'n>) -> Result<String, String> {
    if config.path.is_empty() {
        return Ok(config.url.clone());
    }
    let query = config.url.find(['?', '#']).unwrap_or(config.url.len());
    let (base, query) = config.url.split_at(query);
    let mut url = base.trim_end_matches('/').to_owned();
    for (place, segment) in config.path.iter().enumerate() {
        url.push('/');
        match segment {
            Segment::Fixed(text) => url.push_str(text),
            Segment::OfEvent(expression) => {
                let value = expression.value(event);
                let text = value.as_deref().and_then(Node::scalar).filter(|text| !text.is_empty());
                let text = text.ok_or_else(|| format!("the event has no text for path parameter {}", place + 1))?;
                // They would climb to other paths of the server, however they are encoded.
                if text == "." || text == ".." {
                    return Err(format!("the event's path parameter {} is no name", place + 1));
                }
                url.push_str(&path_segment(&text));
            }
        }
    }
    url.push_str(query);
    Ok(url)
}
