//! Field paths with fallbacks: where the same thing may stand in several places.
//!
//! Each object on the way is taken apart once, however many fields are asked for, and values keep their bytes.

use crate::json::{Members, text};
use crate::path::steps;
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

/// Steps of one path; a longer path finds nothing.
pub const DEPTH_MAX: usize = 32;

/// A JSON value whose insides are found by path.
///
/// A path is member names joined by dots; in a list, places counted from 0: `properties.products.0.sku`.
/// `null` counts as absent.
#[derive(Clone, Debug)]
pub struct Fields<'a>(Rc<Node<'a>>);

#[derive(Debug)]
struct Node<'a> {
    value: Inside<'a>,
    /// What was opened before, by name or place.
    opened: RefCell<Vec<(String, Fields<'a>)>>,
}

#[derive(Debug)]
enum Inside<'a> {
    Object(Members<'a>),
    List(Vec<&'a RawValue>),
    Other,
}

impl<'a> Fields<'a> {
    /// The fields of a value; a value without insides has none.
    #[must_use]
    pub fn of(json: &'a RawValue) -> Fields<'a> {
        let value = match json.get().as_bytes().first() {
            Some(b'{') => Members::of(json).map_or(Inside::Other, Inside::Object),
            Some(b'[') => serde_json::from_str(json.get()).map_or(Inside::Other, Inside::List),
            _ => Inside::Other,
        };
        Fields(Rc::new(Node { value, opened: RefCell::new(Vec::new()) }))
    }

    /// The value at a path.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&'a RawValue> {
        let mut fields = self.clone();
        let mut steps = steps(path).take(DEPTH_MAX + 1).enumerate().peekable();
        while let Some((depth, step)) = steps.next() {
            if depth == DEPTH_MAX {
                return None;
            }
            let value = fields.child(step)?;
            if steps.peek().is_none() {
                return (value.get() != "null").then_some(value);
            }
            fields = fields.open(step, value);
        }
        None
    }

    /// The value at the first path that has one.
    #[must_use]
    pub fn first(&self, paths: &[&str]) -> Option<&'a RawValue> {
        paths.iter().find_map(|path| self.get(path))
    }

    /// The first of the fields that has a text which is not empty, a number or a boolean; the latter two as they
    /// are spelt in the event.
    #[must_use]
    pub fn text(&self, paths: &[&str]) -> Option<Cow<'a, str>> {
        paths.iter().find_map(|path| {
            let value = self.get(path)?;
            match value.get().as_bytes().first()? {
                b'"' => text(value).filter(|text| !text.is_empty()),
                b'{' | b'[' => None,
                _ => Some(Cow::Borrowed(value.get())),
            }
        })
    }

    /// The first of the fields that is a number, or a text that spells one.
    #[must_use]
    pub fn number(&self, paths: &[&str]) -> Option<f64> {
        paths.iter().find_map(|path| {
            let number: f64 = self.text(&[path])?.trim().parse().ok()?;
            number.is_finite().then_some(number)
        })
    }

    /// The first of the fields as a tree of its own.
    #[must_use]
    pub fn value(&self, paths: &[&str]) -> Option<Value> {
        serde_json::from_str(self.first(paths)?.get()).ok()
    }

    fn child(&self, step: &str) -> Option<&'a RawValue> {
        match &self.0.value {
            Inside::Object(members) => members.get(step),
            Inside::List(items) => items.get(step.parse::<usize>().ok()?).copied(),
            Inside::Other => None,
        }
    }

    fn open(&self, step: &str, value: &'a RawValue) -> Fields<'a> {
        let mut opened = self.0.opened.borrow_mut();
        if let Some((_, fields)) = opened.iter().find(|(name, _)| name == step) {
            return fields.clone();
        }
        let fields = Fields::of(value);
        opened.push((step.to_owned(), fields.clone()));
        fields
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use super::*;

    fn fields(json: &str) -> Fields<'_> {
        Fields::of(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn the_first_field_that_is_there_wins() {
        let fields = fields(
            r#"{"traits":{"email":null,"age":41},"context":{"traits":{"email":"a@b.c"}},"list":[{"sku":1.50},"x"]}"#,
        );
        assert_eq!(fields.text(&["traits.email", "context.traits.email"]).unwrap(), "a@b.c");
        assert_eq!(fields.text(&["context.traits", "traits.age"]).unwrap(), "41");
        assert_eq!(fields.text(&["list.0.sku"]).unwrap(), "1.50");
        assert_eq!(fields.number(&["list.1", "list.0.sku"]), Some(1.5));
        assert_eq!(fields.value(&["context"]).unwrap()["traits"]["email"], "a@b.c");
        for path in ["", ".", "traits.", "traits.email.x", "list.2", "list.x", "nothing.at.all"] {
            assert!(fields.get(path).is_none(), "{path}");
        }
    }

    #[test]
    fn an_empty_text_is_no_text_and_a_number_keeps_its_spelling() {
        let fields = fields(r#"{"a":"","b":9007199254740993,"c":true,"d":"1e999"}"#);
        assert_eq!(fields.text(&["a", "b"]).unwrap(), "9007199254740993");
        assert_eq!(fields.text(&["c"]).unwrap(), "true");
        assert_eq!(fields.number(&["d", "b"]), Some(9_007_199_254_740_992.0));
    }

    #[test]
    fn a_path_longer_than_the_limit_finds_nothing() {
        let deep = format!("{}1{}", r#"{"a":"#.repeat(40), "}".repeat(40));
        let fields = fields(&deep);
        assert!(fields.get(&vec!["a"; 32].join(".")).is_some());
        assert!(fields.get(&vec!["a"; 33].join(".")).is_none());
    }
}
