//! Changes of an array of objects in place: a trait of the lists `add`, `update` and `remove` becomes Braze's
//! `$add`, `$update` and `$remove`.

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

/// Names the field by which an object of the array is found.
const IDENTIFIER: &str = "identifier";

/// The operations that a trait describes; nothing when it is an object like any other.
///
/// # Errors
/// When an object to change or to remove does not say how it is found.
pub(crate) fn operations(given: &RawValue) -> Result<Option<Value>, String> {
    let Ok(Value::Object(lists)) = serde_json::from_str(given.get()) else { return Ok(None) };
    let is_one =
        |(name, list): (&String, &Value)| matches!(name.as_str(), "add" | "update" | "remove") && list.is_array();
    if lists.is_empty() || !lists.iter().all(is_one) {
        return Ok(None);
    }
    let mut operations = Map::new();
    for (name, list) in lists {
        let Value::Array(items) = list else { continue };
        let items: Result<Vec<Value>, String> = items.into_iter().map(|item| operation(&name, item)).collect();
        operations.insert(format!("${name}"), items?.into());
    }
    Ok(Some(operations.into()))
}

fn operation(name: &str, item: Value) -> Result<Value, String> {
    let Value::Object(mut item) = item else { return Ok(item) };
    let key = item.remove(IDENTIFIER);
    if name == "add" {
        return Ok(item.into());
    }
    let key = key.as_ref().and_then(Value::as_str).filter(|key| !key.is_empty());
    let key = key.ok_or_else(|| format!("has an object in `{name}` without `{IDENTIFIER}`, the name of its key"))?;
    let value = item.remove(key).ok_or_else(|| format!("has an object in `{name}` without its key `{key}`"))?;
    let mut found =
        Map::from_iter([("$identifier_key".to_owned(), json!(key)), ("$identifier_value".to_owned(), value)]);
    if name == "update" {
        found.insert("$new_object".to_owned(), item.into());
    }
    Ok(found.into())
}
