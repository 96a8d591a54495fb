//! Writes a document as a body.

use crate::config::{Config, Format};
use crate::xml;
use pintle_plugin_sdk::Body;
use pintle_plugin_sdk::node::Node;

/// The body that a document makes; an empty document makes none.
pub fn body(config: &Config, document: &Node<'_>) -> Body {
    if matches!(document, Node::Object(members) if members.is_empty()) {
        return Body::None;
    }
    match config.format {
        Format::Json => Body::Json(document.json().into_bytes()),
        Format::Xml => Body::Xml(xml::document(&config.xml_root, document)),
        Format::Form => Body::Form(form(document)),
    }
}

/// The members as pairs; what is inside of them stays JSON.
fn form(document: &Node<'_>) -> Vec<(String, String)> {
    let Node::Object(members) = document else { return Vec::new() };
    let text = |value: &Node<'_>| value.scalar().map_or_else(|| value.json(), |text| text.into_owned());
    let filled = members.iter().filter(|(_, value)| *value != Node::Null);
    filled.map(|(name, value)| (name.to_string(), text(value))).collect()
}
