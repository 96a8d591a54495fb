//! Walking the JSON document with a path in hand and without regard to the case of keys.

use serde_json::Value;
use std::collections::BTreeSet;

/// A place in the document, and what stands there, if anything.
#[derive(Clone)]
pub(super) struct At<'a> {
    value: Option<&'a Value>,
    path: String,
}

impl<'a> At<'a> {
    pub(super) fn root(document: &'a Value) -> At<'a> {
        At { value: Some(document), path: String::new() }
    }

    pub(super) fn nowhere() -> At<'a> {
        At { value: None, path: String::new() }
    }

    /// The field of this name: exactly written if there is one, in any case otherwise.
    pub(super) fn get(&self, name: &str) -> At<'a> {
        let value = self.value.and_then(Value::as_object).and_then(|fields| {
            fields.get(name).or_else(|| fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| v))
        });
        let dot = if self.path.is_empty() { "" } else { "." };
        At { value, path: format!("{}{dot}{name}", self.path) }
    }

    /// The items of an array; none of anything else.
    pub(super) fn items(&self) -> impl Iterator<Item = At<'a>> + use<'a> {
        let path = self.path.clone();
        let items = self.value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        items.iter().enumerate().map(move |(index, value)| At { value: Some(value), path: format!("{path}[{index}]") })
    }

    /// The fields of an object; none of anything else.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'a str, At<'a>)> + use<'a> {
        let path = self.path.clone();
        self.value.and_then(Value::as_object).into_iter().flatten().map(move |(key, value)| {
            let dot = if path.is_empty() { "" } else { "." };
            (key.as_str(), At { value: Some(value), path: format!("{path}{dot}{key}") })
        })
    }

    pub(super) fn value(&self) -> Option<&'a Value> {
        self.value
    }

    pub(super) fn path(&self) -> String {
        self.path.clone()
    }

    pub(super) fn text(&self) -> Option<&'a str> {
        self.value.and_then(Value::as_str)
    }

    pub(super) fn is_true(&self) -> bool {
        self.value == Some(&Value::Bool(true))
    }

    pub(super) fn is_false(&self) -> bool {
        self.value == Some(&Value::Bool(false))
    }

    /// Nothing there, or nothing that says anything.
    pub(super) fn is_blank(&self) -> bool {
        self.value.is_none_or(is_blank)
    }
}

/// The paths of keys that differ from another key of their object in case only: readers of the file take
/// one of the two, and which one cannot be known. Inside `config`, whose other keys are exact, only the
/// `guarded` ones count.
pub(super) fn ambiguous(at: &At<'_>, guarded: Option<&[&str]>, found: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for (key, field) in at.entries() {
        let counts = guarded.is_none_or(|names| names.iter().any(|n| n.eq_ignore_ascii_case(key)));
        if counts && !seen.insert(key.to_ascii_lowercase()) {
            found.push(field.path());
        }
        let below = if key.eq_ignore_ascii_case("config") { Some(super::off::COMMON.as_slice()) } else { guarded };
        ambiguous(&field, below, found);
    }
    for item in at.items() {
        ambiguous(&item, guarded, found);
    }
}

/// Whether a value says nothing: null, an empty text, or a list or map of such. User interfaces leave
/// `[{"eventName": ""}]` behind where nothing was ever chosen.
pub(super) fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.iter().all(is_blank),
        Value::Object(fields) => fields.values().all(is_blank),
        Value::Bool(_) | Value::Number(_) => false,
    }
}
