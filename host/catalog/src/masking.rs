//! Secrets out of configurations that are shown, and back into those that are sent.
//!
//! A secret is shown as `#secret:` and its fingerprint. Whoever sends a configuration back may leave that
//! text where it was: it stands for the value that is stored.

use crate::{fingerprint, secrets};
use serde_json::Value;
use std::collections::BTreeMap;

/// What stands before the fingerprint.
pub const PLACEHOLDER: &str = "#secret:";

/// How deep a schema is followed; deeper ones are no configuration anybody writes.
const SCHEMA_DEPTH_MAX: usize = 32;

/// The configuration without its secrets. What `schemas`, JSON Schemas, mark with `"writeOnly": true` is
/// secret; without any schema every text is. References stay: they are not the secret itself.
#[must_use]
pub fn hide(schemas: &[&Value], config: &Value) -> Value {
    let mut shown = config.clone();
    visit(schemas, &mut shown, &mut |leaf, _| {
        if !is_reference(leaf) {
            *leaf = Value::String(placeholder(leaf));
        }
    });
    shown
}

/// What is shown of a secret.
#[must_use]
pub fn placeholder(secret: &Value) -> String {
    match secret {
        Value::String(text) => format!("{PLACEHOLDER}{}", fingerprint::of(text.as_bytes())),
        other => format!("{PLACEHOLDER}{}", fingerprint::of_value(other)),
    }
}

/// Puts stored secrets back where `config` has their placeholders. Only where a secret belongs: otherwise
/// a secret could be moved to a field that is shown.
///
/// # Errors
/// The path of a placeholder that stands for nothing that is stored, or where no secret belongs.
pub fn reveal(schemas: &[&Value], config: &Value, stored: Option<&Value>) -> Result<Value, String> {
    let mut known: BTreeMap<String, Value> = BTreeMap::new();
    if let Some(stored) = stored {
        visit(schemas, &mut stored.clone(), &mut |leaf, _| {
            known.insert(placeholder(leaf), leaf.clone());
        });
    }
    let mut whole = config.clone();
    visit(schemas, &mut whole, &mut |leaf, _| {
        if let Some(value) = leaf.as_str().and_then(|text| known.get(text)) {
            *leaf = value.clone();
        }
    });
    let mut left = None;
    secrets::walk(&mut whole.clone(), &mut String::new(), &mut |text, path| {
        if text.starts_with(PLACEHOLDER) && left.is_none() {
            left = Some(path.to_owned());
        }
    });
    left.map_or(Ok(whole), Err)
}

/// Whether a text is nothing but a reference, perhaps behind the name of an authentication scheme.
#[must_use]
pub fn is_reference(leaf: &Value) -> bool {
    let Some(text) = leaf.as_str() else { return false };
    let text = ["Bearer ", "Basic ", "Token "].iter().find_map(|scheme| text.strip_prefix(scheme)).unwrap_or(text);
    let inside = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    inside.is_some_and(|inside| (inside.starts_with("env:") || inside.starts_with("file:")) && !inside.contains('}'))
}

/// Visits every secret leaf of a configuration with its path.
pub fn visit(schemas: &[&Value], config: &mut Value, secret: &mut dyn FnMut(&mut Value, &str)) {
    if schemas.iter().all(|schema| !schema.is_object()) {
        return leaves(config, &mut String::new(), secret);
    }
    // Found first and visited once: several schemas may mark the same leaf.
    let mut found = BTreeMap::new();
    for schema in schemas {
        find(schema, schema, config, "", &mut found, 0);
    }
    for pointer in found.keys() {
        if let Some(value) = config.pointer_mut(pointer) {
            leaves(value, &mut pointer.replace('/', "."), secret);
        }
    }
}

/// Collects the JSON Pointers of values that are secret. What is below a secret is secret, and not listed.
fn find(root: &Value, schema: &Value, config: &Value, at: &str, found: &mut BTreeMap<String, ()>, depth: usize) {
    if depth > SCHEMA_DEPTH_MAX {
        return;
    }
    if schema.get("writeOnly") == Some(&Value::Bool(true)) {
        found.insert(at.to_owned(), ());
        return;
    }
    let target = schema.get("$ref").and_then(Value::as_str).and_then(|r| root.pointer(r.strip_prefix('#')?));
    let nested = ["allOf", "anyOf", "oneOf"].iter().filter_map(|word| schema.get(*word)?.as_array()).flatten();
    let chosen = ["if", "then", "else"].iter().filter_map(|word| schema.get(*word));
    for schema in target.into_iter().chain(nested).chain(chosen) {
        find(root, schema, config, at, found, depth + 1);
    }
    match config {
        Value::Object(fields) => {
            for (name, value) in fields {
                let property = schema.get("properties").and_then(|properties| properties.get(name));
                if let Some(schema) = property.or_else(|| schema.get("additionalProperties")) {
                    let name = name.replace('~', "~0").replace('/', "~1");
                    find(root, schema, value, &format!("{at}/{name}"), found, depth + 1);
                }
            }
        }
        Value::Array(values) => {
            if let Some(schema) = schema.get("items") {
                for (index, value) in values.iter().enumerate() {
                    find(root, schema, value, &format!("{at}/{index}"), found, depth + 1);
                }
            }
        }
        _ => {}
    }
}

fn leaves(value: &mut Value, path: &mut String, secret: &mut dyn FnMut(&mut Value, &str)) {
    let length = path.len();
    match value {
        Value::String(text) if text.is_empty() => {}
        Value::String(_) | Value::Number(_) => secret(value, path),
        Value::Array(values) => {
            for (index, value) in values.iter_mut().enumerate() {
                path.push_str(&format!("[{index}]"));
                leaves(value, path, secret);
                path.truncate(length);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                path.push('.');
                path.push_str(name);
                leaves(value, path, secret);
                path.truncate(length);
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn schema() -> Value {
        json!({"properties": {"headers": {"items": {"properties": {"to": {"writeOnly": true}}}}, "url": {}}})
    }

    #[test]
    fn secrets_are_shown_as_fingerprints_and_come_back() {
        let config = json!({"url": "http://x", "headers": [{"from": "a", "to": "hunter2"}, {"from": "b", "to": "Bearer ${env:T}"}]});
        let shown = hide(&[&schema()], &config);
        assert_eq!(shown["url"], "http://x");
        assert_eq!(shown["headers"][1]["to"], "Bearer ${env:T}");
        assert!(!shown.to_string().contains("hunter2"), "{shown}");
        assert_eq!(reveal(&[&schema()], &shown, Some(&config)), Ok(config));
    }

    #[test]
    fn a_secret_cannot_be_moved_to_where_it_is_shown() {
        let config = json!({"url": "http://x", "headers": [{"to": "hunter2"}]});
        let secret = hide(&[&schema()], &config)["headers"][0]["to"].clone();
        let moved = json!({"url": secret, "headers": []});
        assert_eq!(reveal(&[&schema()], &moved, Some(&config)), Err(".url".to_owned()));
    }

    #[test]
    fn a_placeholder_of_something_else_is_refused() {
        let config = json!({"headers": [{"to": "#secret:0011223344556677"}]});
        assert_eq!(reveal(&[&schema()], &config, None), Err(".headers[0].to".to_owned()));
    }

    #[test]
    fn without_a_schema_every_text_is_secret() {
        let shown = hide(&[], &json!({"a": {"b": "hunter2", "c": true}}));
        assert!(shown["a"]["b"].as_str().unwrap().starts_with(PLACEHOLDER), "{shown}");
        assert_eq!(shown["a"]["c"], true);
    }

    #[test]
    fn a_text_around_a_reference_is_not_taken_for_a_reference() {
        for text in ["hunter2${env:X}", "${env:X}hunter2}", "${env:X}${env:Y}", "${HOME}"] {
            assert!(!is_reference(&json!(text)), "{text}");
        }
    }
}
