//! Looking into a JSON tree by path, and building one.
//!
//! For mappings that make something new of an event: `event.value()` is the tree. Where an event is passed on as
//! it is, [`crate::fields`] looks without taking it apart.

use crate::js;
use crate::path::steps;
use serde_json::{Map, Value};

/// Finds what is inside a tree.
///
/// A path is member names joined by dots; in a list, places counted from 0: `properties.products.0.sku`.
/// `null` counts as absent.
pub trait Look {
    /// The value at a path.
    fn at(&self, path: &str) -> Option<&Value>;

    /// The value at the first path that has one.
    fn first(&self, paths: &[&str]) -> Option<&Value> {
        paths.iter().find_map(|path| self.at(path))
    }

    /// The first that is a text which is not empty, a number or a boolean, as a text.
    fn text(&self, paths: &[&str]) -> Option<String> {
        paths.iter().find_map(|path| match self.at(path)? {
            Value::String(text) => (!text.is_empty()).then(|| text.clone()),
            Value::Object(_) | Value::Array(_) | Value::Null => None,
            other => Some(js::string(other)),
        })
    }

    /// The first that is a number, or a text that spells one.
    fn number(&self, paths: &[&str]) -> Option<f64> {
        paths.iter().find_map(|path| match self.at(path)? {
            Value::Number(number) => number.as_f64(),
            Value::String(text) if !text.trim().is_empty() => js::number_of(text),
            _ => None,
        })
    }

    /// The members of the object at a path.
    fn object(&self, path: &str) -> Option<&Map<String, Value>> {
        self.at(path)?.as_object()
    }

    /// The items of the list at a path; none when it is no list.
    fn list(&self, path: &str) -> &[Value] {
        self.at(path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }
}

impl Look for Value {
    fn at(&self, path: &str) -> Option<&Value> {
        let found = steps(path).try_fold(self, |value, step| match value {
            Value::Object(members) => members.get(step),
            Value::Array(items) => items.get(step.parse::<usize>().ok()?),
            _ => None,
        })?;
        (!found.is_null()).then_some(found)
    }
}

impl Look for Map<String, Value> {
    fn at(&self, path: &str) -> Option<&Value> {
        let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
        let found = self.get(first)?;
        match rest {
            Some(rest) => found.at(rest),
            None => (!found.is_null()).then_some(found),
        }
    }
}

/// Sets the value at a path of member names; objects on the way are made, and what is no object there is replaced.
/// Absent and `null` values are left out.
pub fn put(tree: &mut Map<String, Value>, path: &str, value: impl Into<Option<Value>>) {
    let Some(value) = value.into().filter(|value| !value.is_null()) else { return };
    match path.split_once('.') {
        None => _ = tree.insert(path.to_owned(), value),
        Some((first, rest)) => {
            let inside = tree.entry(first).or_insert_with(|| Value::Object(Map::new()));
            if !inside.is_object() {
                *inside = Value::Object(Map::new());
            }
            if let Value::Object(inside) = inside {
                put(inside, rest, value);
            }
        }
    }
}

/// Takes the value at a path out of a tree.
pub fn take(tree: &mut Map<String, Value>, path: &str) -> Option<Value> {
    match path.split_once('.') {
        None => tree.remove(path),
        Some((first, rest)) => take(tree.get_mut(first)?.as_object_mut()?, rest),
    }
}

/// The members that are not `null`; of what is nested, everything.
#[must_use]
pub fn without_nulls(mut tree: Map<String, Value>) -> Map<String, Value> {
    tree.retain(|_, value| !value.is_null());
    tree
}

/// The members that hold something: not `null`, and no empty text, list or object.
#[must_use]
pub fn without_blanks(mut tree: Map<String, Value>) -> Map<String, Value> {
    tree.retain(|_, value| !is_blank(value));
    tree
}

/// Whether a value is `null`, or an empty text, list or object.
#[must_use]
pub fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_first_field_that_is_there_wins() {
        let tree = json!({"traits": {"email": null, "age": 41}, "context": {"traits": {"email": "a@b.c"}}, "l": [{"sku": "1.50"}, ""]});
        assert_eq!(tree.text(&["traits.email", "context.traits.email"]).unwrap(), "a@b.c");
        assert_eq!(tree.text(&["context.traits", "l.1", "traits.age"]).unwrap(), "41");
        assert_eq!(tree.number(&["l.1", "l.0.sku"]), Some(1.5));
        assert_eq!(tree.as_object().unwrap().at("l.0.sku"), Some(&json!("1.50")));
        assert_eq!(tree.list("l").len(), 2);
        for path in ["", "traits.", "traits.email", "traits.email.x", "l.2", "l.x"] {
            assert_eq!(tree.at(path), None, "{path}");
        }
    }

    #[test]
    fn what_is_put_can_be_found_and_taken() {
        let mut tree = Map::new();
        put(&mut tree, "a.b", json!(1));
        put(&mut tree, "a.b.c", json!(2));
        put(&mut tree, "a.d", None);
        put(&mut tree, "e", Value::Null);
        assert_eq!(Value::Object(tree.clone()), json!({"a": {"b": {"c": 2}}}));
        assert_eq!(take(&mut tree, "a.b.c"), Some(json!(2)));
        assert_eq!(take(&mut tree, "a.x.c"), None);
        assert_eq!(without_blanks(tree), json!({"a": {"b": {}}}).as_object().unwrap().clone());
    }
}
