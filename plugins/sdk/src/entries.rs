//! Members of an object that is being made of an event's [`Node`]s: nothing is copied that can be borrowed.

use crate::flatten::{DEPTH_MAX, Lists};
use crate::js;
use crate::node::Node;
use serde_json::Value;
use std::borrow::Cow;

/// Names and values; each name is there once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entries<'a>(Vec<(Cow<'a, str>, Node<'a>)>);

impl<'a> Entries<'a> {
    /// None.
    #[must_use]
    pub fn new() -> Entries<'a> {
        Entries(Vec::with_capacity(16))
    }

    /// The value of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Node<'a>> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sets a value, in the place of one with the same name. What is absent or `null` changes nothing.
    pub fn set(&mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Option<Node<'a>>>) {
        let Some(value) = value.into().filter(|value| !matches!(value, Node::Null)) else { return };
        let name = name.into();
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some(entry) => entry.1 = value,
            None => self.0.push((name, value)),
        }
    }

    /// Sets a value; of an object or a list what is in it instead, on one level, with names that [`Lists`] and the
    /// separator make of the way there. Objects and lists without anything in them stay.
    pub fn flat(&mut self, name: impl Into<Cow<'a, str>>, value: Node<'a>, separator: &str, lists: Lists) {
        self.flat_until(name.into(), value, separator, lists, DEPTH_MAX);
    }

    fn flat_until(&mut self, name: Cow<'a, str>, value: Node<'a>, separator: &str, lists: Lists, depth: usize) {
        match value {
            Node::Object(members) if depth > 0 && !members.is_empty() => {
                for (member, value) in members {
                    let name = format!("{name}{separator}{member}").into();
                    self.flat_until(name, value, separator, lists, depth - 1);
                }
            }
            Node::List(items) if depth > 0 && !items.is_empty() && lists != Lists::Keep => {
                for (place, item) in items.into_iter().enumerate() {
                    let name = match lists {
                        Lists::Places => format!("{name}{separator}{place}"),
                        Lists::Brackets | Lists::Keep => format!("{name}[{place}]"),
                    };
                    self.flat_until(name.into(), item, separator, lists, depth - 1);
                }
            }
            value => self.set(name, value),
        }
    }

    /// Keeps what passes.
    pub fn retain(&mut self, passes: impl Fn(&str, &Node<'a>) -> bool) {
        self.0.retain(|(name, value)| passes(name, value));
    }

    /// The object.
    #[must_use]
    pub fn node(self) -> Node<'a> {
        Node::Object(self.0)
    }
}

impl<'a> From<Cow<'a, str>> for Node<'a> {
    fn from(text: Cow<'a, str>) -> Node<'a> {
        Node::Text(text)
    }
}

impl<'a> From<&'a str> for Node<'a> {
    fn from(text: &'a str) -> Node<'a> {
        Node::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Node<'_> {
    fn from(text: String) -> Self {
        Node::Text(Cow::Owned(text))
    }
}

impl From<bool> for Node<'_> {
    fn from(yes: bool) -> Self {
        Node::Bool(yes)
    }
}

impl From<i64> for Node<'_> {
    fn from(number: i64) -> Self {
        Node::Number(number.into())
    }
}

/// A whole number has no fraction; one that is none is `null`.
impl From<f64> for Node<'_> {
    fn from(number: f64) -> Self {
        match js::json_number(number) {
            Value::Number(number) => Node::Number(number),
            _ => Node::Null,
        }
    }
}

impl<'a> From<Entries<'a>> for Node<'a> {
    fn from(entries: Entries<'a>) -> Node<'a> {
        entries.node()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_there_once_and_what_is_absent_changes_nothing() {
        let mut entries = Entries::new();
        entries.set("a", Node::from("x"));
        entries.set("b", Node::from(2.5));
        entries.set("a", Node::from(3.0));
        entries.set("b", None);
        entries.set("b", Node::Null);
        entries.set("c", Node::from(""));
        entries.retain(|_, value| !value.is_blank());
        assert_eq!(entries.get("b"), Some(&Node::from(2.5)));
        assert_eq!(entries.node().json(), r#"{"a":3,"b":2.5}"#);
    }

    #[test]
    fn what_is_nested_gets_names_of_its_own() {
        let flat = |separator, lists| {
            let tree: Node<'_> = serde_json::from_str(r#"{"b":1,"c":{},"l":[{"x":"y"},null,[]]}"#).unwrap();
            let mut entries = Entries::new();
            entries.flat("a", tree, separator, lists);
            entries.node().json()
        };
        assert_eq!(flat("_", Lists::Places), r#"{"a_b":1,"a_c":{},"a_l_0_x":"y","a_l_2":[]}"#);
        assert_eq!(flat(".", Lists::Brackets), r#"{"a.b":1,"a.c":{},"a.l[0].x":"y","a.l[2]":[]}"#);
        assert_eq!(flat(".", Lists::Keep), r#"{"a.b":1,"a.c":{},"a.l":[{"x":"y"},null,[]]}"#);
    }
}
