//! A document as XML: members are elements, items of a list elements of the same name.

use pintle_plugin_sdk::node::Node;

/// An XML document.
pub fn document(root: &str, value: &Node<'_>) -> String {
    let mut xml = String::from(r#"<?xml version="1.0" encoding="UTF-8"?>"#);
    match value {
        // A document has one element on the outside.
        Node::List(items) => {
            let items: Vec<_> = items.iter().map(|item| ("item".into(), item.clone())).collect();
            element(&name(root), &Node::Object(items), &mut xml);
        }
        _ => element(&name(root), value, &mut xml),
    }
    xml
}

fn element(name: &str, value: &Node<'_>, xml: &mut String) {
    match value {
        Node::List(items) => items.iter().for_each(|item| element(name, item, xml)),
        Node::Null => xml.push_str(&format!("<{name}/>")),
        _ => {
            xml.push_str(&format!("<{name}>"));
            match value {
                Node::Object(members) => {
                    members.iter().for_each(|(member, value)| element(&self::name(member), value, xml));
                }
                _ => text(&value.scalar().unwrap_or_default(), xml),
            }
            xml.push_str(&format!("</{name}>"));
        }
    }
}

/// A name that XML allows (<https://www.w3.org/TR/xml/#NT-Name>, its ASCII part), as near as possible.
fn name(text: &str) -> String {
    let mut name: String =
        text.chars().map(|c| if c.is_ascii_alphanumeric() || "_-.".contains(c) { c } else { '_' }).collect();
    if !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        name.insert(0, '_');
    }
    name
}

fn text(text: &str, xml: &mut String) {
    for c in text.chars() {
        match c {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            '\'' => xml.push_str("&apos;"),
            '\n' | '\r' | '\t' => xml.push(c),
            // XML 1.0 has no way to write them.
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => xml.push(c),
        }
    }
}
