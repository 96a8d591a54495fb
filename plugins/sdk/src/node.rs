//! A JSON tree that keeps the order of members and borrows its texts.
//!
//! [`crate::tree`] looks into `serde_json`'s own trees, which sort members by name. Where their order shows in
//! what is sent (XML, lines of text, JSON inside of a text), this one is for it; it is cheaper to build as well.

use crate::js;
use crate::path::steps;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Number;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A value of a tree.
#[derive(Clone, Debug, PartialEq)]
pub enum Node<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(Cow<'a, str>),
    /// A list.
    List(Vec<Node<'a>>),
    /// An object. Repeated members stay; the last one counts.
    Object(Vec<(Cow<'a, str>, Node<'a>)>),
}

impl<'a> Node<'a> {
    /// The tree of a value.
    ///
    /// # Errors
    /// When it holds a number or a text that no tree can hold, or is nested too deep.
    pub fn of(json: &'a RawValue) -> serde_json::Result<Node<'a>> {
        serde_json::from_str(json.get())
    }

    /// The member of an object, or of a list the item at a place; `null` is found as well.
    #[must_use]
    pub fn get(&self, step: &str) -> Option<&Node<'a>> {
        match self {
            Node::Object(members) => members.iter().rev().find(|(name, _)| name == step).map(|(_, value)| value),
            Node::List(items) => items.get(step.parse::<usize>().ok()?),
            _ => None,
        }
    }

    /// The value at a path of names joined by dots; in a list, places counted from 0. `null` counts as absent.
    #[must_use]
    pub fn at(&self, path: &str) -> Option<&Node<'a>> {
        let found = steps(path).try_fold(self, |value, step| value.get(step))?;
        (!matches!(found, Node::Null)).then_some(found)
    }

    /// The first of the fields that is a text which is not empty, a number or a boolean, as a text.
    #[must_use]
    pub fn text(&self, paths: &[&str]) -> Option<Cow<'_, str>> {
        paths.iter().find_map(|path| self.at(path)?.scalar().filter(|text| !text.is_empty()))
    }

    /// A text, a number or a boolean as JavaScript writes it; nothing for the others.
    #[must_use]
    pub fn scalar(&self) -> Option<Cow<'_, str>> {
        match self {
            Node::Text(text) => Some(Cow::Borrowed(text)),
            Node::Bool(yes) => Some(Cow::Borrowed(if *yes { "true" } else { "false" })),
            Node::Number(number) => Some(Cow::Owned(js::number_text(number))),
            Node::Null | Node::List(_) | Node::Object(_) => None,
        }
    }

    /// The value at the first path that has one.
    #[must_use]
    pub fn first(&self, paths: &[&str]) -> Option<&Node<'a>> {
        paths.iter().find_map(|path| self.at(path))
    }

    /// The members of an object; none of anything else.
    #[must_use]
    pub fn members(&self) -> &[(Cow<'a, str>, Node<'a>)] {
        if let Node::Object(members) = self { members } else { &[] }
    }

    /// The items of a list; none of anything else.
    #[must_use]
    pub fn items(&self) -> &[Node<'a>] {
        if let Node::List(items) = self { items } else { &[] }
    }

    /// Takes a member out of an object, wherever it is repeated.
    pub fn take(&mut self, name: &str) -> Option<Node<'a>> {
        let Node::Object(members) = self else { return None };
        let mut taken = None;
        while let Some(place) = members.iter().rposition(|(member, _)| member == name) {
            let (_, value) = members.remove(place);
            taken = taken.or(Some(value));
        }
        taken
    }

    /// Whether it is `null`, or an empty text, list or object.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        match self {
            Node::Null => true,
            Node::Text(text) => text.is_empty(),
            Node::List(items) => items.is_empty(),
            Node::Object(members) => members.is_empty(),
            Node::Bool(_) | Node::Number(_) => false,
        }
    }

    /// A number, or a text that spells one; the empty text is 0, as in JavaScript, and so is `false`.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self {
            Node::Number(number) => number.as_f64(),
            Node::Text(text) => js::number_of(text),
            Node::Bool(yes) => Some(f64::from(u8::from(*yes))),
            Node::Null | Node::List(_) | Node::Object(_) => None,
        }
    }

    /// Whether JavaScript's `if (value)` would take the branch.
    #[must_use]
    pub fn truthy(&self) -> bool {
        match self {
            Node::Null => false,
            Node::Bool(yes) => *yes,
            Node::Number(number) => number.as_f64().is_some_and(|number| number != 0.0),
            Node::Text(text) => !text.is_empty(),
            Node::List(_) | Node::Object(_) => true,
        }
    }

    /// The value as JSON, behind what is there already.
    pub fn write_json(&self, json: &mut String) {
        match self {
            Node::Null => json.push_str("null"),
            Node::Bool(_) | Node::Number(_) => json.push_str(&self.scalar().unwrap_or_default()),
            Node::Text(text) => write_text(text, json),
            Node::List(items) => {
                json.push('[');
                for (place, item) in items.iter().enumerate() {
                    if place > 0 {
                        json.push(',');
                    }
                    item.write_json(json);
                }
                json.push(']');
            }
            Node::Object(members) => {
                json.push('{');
                for (place, (name, value)) in members.iter().enumerate() {
                    if place > 0 {
                        json.push(',');
                    }
                    write_text(name, json);
                    json.push(':');
                    value.write_json(json);
                }
                json.push('}');
            }
        }
    }

    /// The value as JSON.
    #[must_use]
    pub fn json(&self) -> String {
        let mut json = String::with_capacity(1024);
        self.write_json(&mut json);
        json
    }
}

/// A text as JSON, behind what is there already.
pub fn write_text(text: &str, json: &mut String) {
    json.push('"');
    // What has to be escaped is one byte each, so that bytes can be looked at instead of characters.
    let is_plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
    let mut rest = text;
    while let Some(place) = rest.bytes().position(|byte| !is_plain(byte)) {
        let (before, from) = rest.split_at(place);
        json.push_str(before);
        match from.as_bytes()[0] {
            b'"' => json.push_str("\\\""),
            b'\\' => json.push_str("\\\\"),
            b'\n' => json.push_str("\\n"),
            b'\r' => json.push_str("\\r"),
            b'\t' => json.push_str("\\t"),
            other => json.push_str(&format!("\\u{other:04x}")),
        }
        rest = &from[1..];
    }
    json.push_str(rest);
    json.push('"');
}

impl<'de> Deserialize<'de> for Node<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Build)
    }
}

struct Build;

/// Members that an object is expected to have: making room for them one by one costs more than the room.
const MEMBERS: usize = 8;

impl<'de> Visitor<'de> for Build {
    type Value = Node<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E: Error>(self, yes: bool) -> Result<Self::Value, E> {
        Ok(Node::Bool(yes))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Node::Number(number.into()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Node::Number(number.into()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Number::from_f64(number).map_or(Node::Null, Node::Number))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Node::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Node::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Self::Value, E> {
        Ok(Node::Text(Cow::Owned(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::with_capacity(MEMBERS);
        while let Some((Name(name), value)) = map.next_entry()? {
            members.push((name, value));
        }
        Ok(Node::Object(members))
    }
}

/// A member's name, borrowed when it has no escapes; serde itself would copy it.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use super::*;

    fn node(json: &str) -> Node<'_> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn members_keep_their_order_and_texts_their_escapes() {
        let json = r#"{"z":[1,2.5,true,null],"a":{"q\"\\":"line\nbreak\u0001 ü"},"e":{},"l":[]}"#;
        assert_eq!(node(json).json(), json);
        assert_eq!(node("[5.0,-0.25,18446744073709551615]").json(), "[5,-0.25,18446744073709551615]");
    }

    #[test]
    fn what_is_taken_is_gone_and_the_last_counts() {
        let mut tree = node(r#"{"a":1,"b":"","a":2}"#);
        assert_eq!(tree.take("a").unwrap().number(), Some(2.0));
        assert_eq!((tree.take("a"), tree.json().as_str()), (None, r#"{"b":""}"#));
        assert!(tree.get("b").unwrap().is_blank() && !tree.is_blank() && node("{}").is_blank());
    }

    #[test]
    fn values_are_found_by_path() {
        let tree = node(r#"{"a":{"n":null,"list":[{"sku":"x"},5.0]},"d":1,"d":2}"#);
        assert_eq!(tree.at("a.list.0.sku").unwrap().scalar().unwrap(), "x");
        assert_eq!(tree.text(&["a.n", "a.list", "a.list.1"]).unwrap(), "5");
        assert_eq!(tree.text(&["d"]).unwrap(), "2");
        for path in ["", "a.n", "a.list.2", "a.list.x", "d.x"] {
            assert!(tree.at(path).is_none(), "{path}");
        }
        assert_eq!(tree.first(&["a.n", "d"]).unwrap().number(), Some(2.0));
        assert_eq!((tree.at("a.list").unwrap().items().len(), tree.members().len(), tree.items().len()), (2, 3, 0));
        assert!(tree.truthy() && !node("\"\"").truthy() && !node("0.0").truthy() && node("[]").truthy());
    }
}
