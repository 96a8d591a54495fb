//! Secrets out of what people see.
//!
//! A dead letter shows the request that failed, and the request may carry a secret of the destination's
//! configuration: as it is, percent-encoded in a query, escaped in JSON or XML, or inside a base64 token
//! such as `Basic …`. A [`Mask`] knows all those forms and replaces them while an excerpt is cut, in one
//! pass that ends when the excerpt is full.

mod forms;

use forms::{Form, forms_of};
use serde_json::Value;
use std::borrow::Cow;

/// What stands where a secret stood.
const STARS: &str = "***";

/// How deep a schema is followed; deeper ones are no configuration anybody writes.
const SCHEMA_DEPTH_MAX: usize = 32;

/// The secrets of one destination in every form in which they may appear.
#[derive(Clone, Default)]
pub struct Mask {
    /// The longest form first: a secret that contains another is replaced whole.
    forms: Vec<Form>,
}

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mask({} forms)", self.forms.len())
    }
}

impl Mask {
    /// A mask for these secrets. Empty ones are ignored.
    pub fn new<S: AsRef<str>>(secrets: impl IntoIterator<Item = S>) -> Mask {
        Mask::of(secrets.into_iter().flat_map(|secret| forms_of(secret.as_ref())).collect())
    }

    /// A mask for the secrets of both.
    #[must_use]
    pub fn and(&self, other: &Mask) -> Mask {
        Mask::of(self.forms.iter().chain(&other.forms).cloned().collect())
    }

    fn of(mut forms: Vec<Form>) -> Mask {
        forms.sort_by(|a, b| b.text.len().cmp(&a.text.len()).then_with(|| a.text.cmp(&b.text)));
        forms.dedup_by(|a, b| a.text == b.text);
        Mask { forms }
    }

    /// A mask for the values of `config` that `schema`, a JSON Schema, marks with `"writeOnly": true`.
    #[must_use]
    pub fn of_config(schema: &Value, config: &Value) -> Mask {
        let mut secrets = Vec::new();
        collect(schema, schema, config, &mut secrets, 0);
        Mask::new(secrets)
    }

    /// The start of `text` without the secrets, at most `bytes_max` bytes and a mark where it was cut.
    #[must_use]
    pub fn excerpt(&self, text: &str, bytes_max: usize) -> String {
        let bytes = text.as_bytes();
        let mut out = String::with_capacity(text.len().min(bytes_max) + 3);
        let mut at = 0;
        while at < bytes.len() && out.len() < bytes_max {
            match self.forms.iter().find(|form| bytes[at..].starts_with(form.text.as_bytes())) {
                Some(form) if form.in_token => {
                    // The core of a base64 token: its neighbours carry the secret's first and last bits.
                    out.truncate(out.trim_end_matches(is_token).len());
                    let rest = &text[at + form.text.len()..];
                    at = text.len() - rest.trim_start_matches(is_token).len();
                    out.push_str(STARS);
                }
                Some(form) => {
                    at += form.text.len();
                    out.push_str(STARS);
                }
                None => {
                    let next = text.ceil_char_boundary(at + 1);
                    out.push_str(&text[at..next]);
                    at = next;
                }
            }
        }
        if at < bytes.len() || out.len() > bytes_max {
            out.truncate(out.floor_char_boundary(bytes_max));
            out.push('…');
        }
        out
    }

    /// The start of `bytes` as text without the secrets.
    #[must_use]
    pub fn excerpt_bytes(&self, bytes: &[u8], bytes_max: usize) -> String {
        match String::from_utf8_lossy(bytes) {
            Cow::Borrowed(text) => self.excerpt(text, bytes_max),
            Cow::Owned(text) => self.excerpt(&text, bytes_max),
        }
    }
}

fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_' | '=')
}

/// Walks the configuration along its schema. What is below a secret is secret.
fn collect(root: &Value, schema: &Value, config: &Value, secrets: &mut Vec<String>, depth: usize) {
    if depth > SCHEMA_DEPTH_MAX {
        return;
    }
    if schema.get("writeOnly") == Some(&Value::Bool(true)) {
        return leaves(config, secrets);
    }
    if let Some(target) = schema.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix('#'))
        && let Some(schema) = root.pointer(target)
    {
        collect(root, schema, config, secrets, depth + 1);
    }
    for word in ["allOf", "anyOf", "oneOf"] {
        for schema in schema.get(word).and_then(Value::as_array).into_iter().flatten() {
            collect(root, schema, config, secrets, depth + 1);
        }
    }
    for word in ["if", "then", "else"] {
        if let Some(schema) = schema.get(word) {
            collect(root, schema, config, secrets, depth + 1);
        }
    }
    match config {
        Value::Object(fields) => {
            for (name, value) in fields {
                let property = schema.get("properties").and_then(|properties| properties.get(name));
                if let Some(schema) = property.or_else(|| schema.get("additionalProperties")) {
                    collect(root, schema, value, secrets, depth + 1);
                }
            }
        }
        Value::Array(values) => {
            if let Some(schema) = schema.get("items") {
                values.iter().for_each(|value| collect(root, schema, value, secrets, depth + 1));
            }
        }
        _ => {}
    }
}

fn leaves(config: &Value, secrets: &mut Vec<String>) {
    match config {
        Value::String(text) => secrets.push(text.clone()),
        Value::Number(number) => secrets.push(number.to_string()),
        Value::Array(values) => values.iter().for_each(|value| leaves(value, secrets)),
        Value::Object(fields) => fields.values().for_each(|value| leaves(value, secrets)),
        Value::Null | Value::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests;
