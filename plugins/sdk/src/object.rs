//! An object that is made of pieces of another, which keep their bytes: for mappings that rename more than they
//! compute. Nothing becomes a tree, and numbers keep their spelling.

use crate::json::{Members, text};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Levels that [`Object::flat`] opens; what is deeper stays as it is.
pub const DEPTH_MAX: usize = 32;

/// A JSON object that is being written, member by member.
#[derive(Debug)]
pub struct Object(Vec<u8>);

impl Object {
    /// An object without members.
    #[must_use]
    pub fn new() -> Object {
        Object::after(b"{")
    }

    /// Goes on behind the beginning of an object, which is there already.
    #[must_use]
    pub fn after(head: &[u8]) -> Object {
        let mut written = Vec::with_capacity(2048);
        written.extend_from_slice(head);
        Object(written)
    }

    /// A member whose value is JSON already; it is copied byte for byte.
    pub fn raw(&mut self, name: &str, value: &str) {
        self.name(name);
        self.0.extend_from_slice(value.as_bytes());
    }

    /// A member that is a text.
    pub fn text(&mut self, name: &str, text: &str) {
        self.name(name);
        quote(&mut self.0, text);
    }

    /// A member that is a text, whatever spells it; nothing for lists, objects and what is blank.
    pub fn spelt(&mut self, name: &str, value: &RawValue) {
        if let Some(text) = spelt(value).filter(|text| !text.trim().is_empty()) {
            if value.get().starts_with('"') { self.raw(name, value.get()) } else { self.text(name, &text) }
        }
    }

    /// A member with all that is nested in it on one level: `a.b` for members, `a[0]` for places in lists. Objects
    /// and lists without anything in them stay.
    pub fn flat(&mut self, name: &str, value: &RawValue) {
        self.flat_until(name, value, DEPTH_MAX);
    }

    fn flat_until(&mut self, name: &str, value: &RawValue, depth: usize) {
        if depth > 0 && inside(value).is_some() {
            for (member, value) in Members::of(value).iter().flat_map(Members::iter) {
                self.flat_until(&format!("{name}.{member}"), value, depth - 1);
            }
            return;
        }
        let items = if depth > 0 { items(value) } else { Vec::new() };
        if items.is_empty() {
            return self.raw(name, value.get());
        }
        for (place, item) in items.into_iter().enumerate() {
            self.flat_until(&format!("{name}[{place}]"), item, depth - 1);
        }
    }

    /// A member that is an object; what follows goes into it until [`Object::close`].
    pub fn open(&mut self, name: &str) {
        self.name(name);
        self.0.push(b'{');
    }

    /// Ends the object that was opened last.
    pub fn close(&mut self) {
        self.0.push(b'}');
    }

    /// Members as they are written inside of another object.
    pub fn members(&mut self, members: &str) {
        self.comma();
        self.0.extend_from_slice(members.as_bytes());
    }

    /// The object. What was opened has to be closed by then.
    #[must_use]
    pub fn end(mut self) -> Vec<u8> {
        self.close();
        self.0
    }

    fn name(&mut self, name: &str) {
        self.comma();
        quote(&mut self.0, name);
        self.0.push(b':');
    }

    fn comma(&mut self) {
        if self.0.last() != Some(&b'{') {
            self.0.push(b',');
        }
    }
}

impl Default for Object {
    fn default() -> Object {
        Object::new()
    }
}

fn quote(written: &mut Vec<u8>, text: &str) {
    if text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        written.push(b'"');
        written.extend_from_slice(text.as_bytes());
        written.push(b'"');
    } else {
        written.extend_from_slice(serde_json::Value::from(text).to_string().as_bytes());
    }
}

/// A value that says something: neither `null` nor the empty text.
#[must_use]
pub fn filled(value: &RawValue) -> Option<&RawValue> {
    (!matches!(value.get(), "null" | "\"\"")).then_some(value)
}

/// A text, or a number or boolean as it is spelt.
#[must_use]
pub fn spelt(value: &RawValue) -> Option<Cow<'_, str>> {
    match value.get().as_bytes().first()? {
        b'"' => text(value),
        b'{' | b'[' | b'n' => None,
        _ => Some(Cow::Borrowed(value.get())),
    }
}

/// What stands between the braces of an object; nothing if nothing does, or it is no object.
#[must_use]
pub fn inside(value: &RawValue) -> Option<&str> {
    let members = value.get().strip_prefix('{')?.strip_suffix('}')?.trim();
    (!members.is_empty()).then_some(members)
}

/// The items of a list; none when it is no list.
#[must_use]
pub fn items(value: &RawValue) -> Vec<&RawValue> {
    if value.get().starts_with('[') { serde_json::from_str(value.get()).unwrap_or_default() } else { Vec::new() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use super::*;

    fn raw(json: &str) -> &RawValue {
        serde_json::from_str(json).unwrap()
    }

    fn written(object: Object) -> String {
        String::from_utf8(object.end()).unwrap()
    }

    #[test]
    fn an_object_is_written_with_what_needs_escapes() {
        let mut object = Object::after(br#"{"key":"k""#);
        object.text("quo\"te", "line\nbreak");
        object.open("inside");
        object.members(r#""a": 1.50, "b": {}"#);
        object.raw("c", "[]");
        object.close();
        object.open("empty");
        object.close();
        let expected = r#"{"key":"k","quo\"te":"line\nbreak","inside":{"a": 1.50, "b": {},"c":[]},"empty":{}}"#;
        assert_eq!(written(object), expected);
    }

    #[test]
    fn what_is_spelt_is_a_text() {
        let mut object = Object::new();
        for (name, value) in
            [("a", "1.50"), ("b", r#""x\n""#), ("c", "\" \""), ("d", "null"), ("e", "{}"), ("f", "true")]
        {
            object.spelt(name, raw(value));
        }
        assert_eq!(written(object), r#"{"a":"1.50","b":"x\n","f":"true"}"#);
    }

    #[test]
    fn nested_members_get_names_of_their_own() {
        let mut object = Object::new();
        object.flat("a", raw(r#"{"b":{"c":1.0},"l":[{"x":null},[2]],"e":{},"n":[]}"#));
        object.flat("s", raw("5"));
        assert_eq!(written(object), r#"{"a.b.c":1.0,"a.l[0].x":null,"a.l[1][0]":2,"a.e":{},"a.n":[],"s":5}"#);
    }
}
