//! Looking into JSON without taking it apart: members keep their bytes.

use std::borrow::Cow;

use crate::scan;
use serde::de::value::{BorrowedStrDeserializer, MapAccessDeserializer, MapDeserializer};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Room for the members that an event usually has.
const MEMBERS_USUAL: usize = 16;

/// The members of an object in their order, repeated keys included.
#[derive(Debug)]
pub struct Members<'a> {
    /// Keys and values as they are spelt.
    spelt: Vec<(&'a str, &'a str)>,
    /// Whether a key has an escape, and may be another than it looks.
    escaped: bool,
}

impl<'a> Members<'a> {
    /// The members, or nothing if the text is no object.
    #[must_use]
    pub fn of(json: &'a RawValue) -> Option<Self> {
        let members = if scan::IS_FASTER { Members::scanned(json) } else { Members::parsed(json) };
        members
            .map(|spelt| Members { escaped: spelt.iter().any(|(key, _)| key.bytes().any(|byte| byte == b'\\')), spelt })
    }

    fn scanned(json: &'a RawValue) -> Option<Vec<(&'a str, &'a str)>> {
        let mut members = Vec::with_capacity(MEMBERS_USUAL);
        scan::members(json.get(), 0, |key, value| members.push((key, value)))?;
        Some(members)
    }

    fn parsed(json: &'a RawValue) -> Option<Vec<(&'a str, &'a str)>> {
        let Parsed(members) = serde_json::from_str(json.get()).ok()?;
        Some(members)
    }

    /// The value of a key. As for `JSON.parse`, the last one counts.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&'a RawValue> {
        let is_key = |name: &str| is_spelt(name, key) || self.escaped && is_escaped(name, key);
        self.spelt.iter().rev().find(|(name, _)| is_key(name)).map(|(_, value)| raw(value))
    }

    /// Keys and values in their order, repeated keys included: who keeps what comes last does as `JSON.parse`.
    /// Keys that are not Unicode are left out.
    pub fn iter(&self) -> impl Iterator<Item = (Cow<'a, str>, &'a RawValue)> {
        self.spelt.iter().filter_map(|(key, value)| Some((text_of(key)?, raw(value))))
    }

    /// Keys and values, each key once, in the order of first mention and with the last value.
    /// Nothing if a key is not Unicode.
    #[must_use]
    pub fn distinct(&self) -> Option<Vec<(Cow<'a, str>, &'a RawValue)>> {
        let mut found: Vec<(Cow<'a, str>, &'a RawValue)> = Vec::with_capacity(self.spelt.len());
        let mut places = std::collections::HashMap::with_capacity(self.spelt.len());
        for (spelt_key, value) in &self.spelt {
            let key = text_of(spelt_key)?;
            let value = raw(value);
            match places.get(&key) {
                Some(&place) => {
                    let slot: &mut (Cow<'a, str>, &'a RawValue) = &mut found[place];
                    slot.1 = value;
                }
                None => {
                    places.insert(key.clone(), found.len());
                    found.push((key, value));
                }
            }
        }
        Some(found)
    }

    /// The object without some keys; every other member keeps its bytes.
    #[must_use]
    pub fn without(&self, unwanted: &[&str]) -> Vec<u8> {
        let size = self.spelt.iter().map(|(key, value)| key.len() + value.len() + 2).sum::<usize>() + 2;
        let mut json = Vec::with_capacity(size);
        json.push(b'{');
        for (key, value) in &self.spelt {
            if unwanted.iter().any(|unwanted| is_spelt(key, unwanted) || is_escaped(key, unwanted)) {
                continue;
            }
            if json.len() > 1 {
                json.push(b',');
            }
            json.extend_from_slice(key.as_bytes());
            json.push(b':');
            json.extend_from_slice(value.as_bytes());
        }
        json.push(b'}');
        json
    }
}

/// An object without the value at a path of member names; every other member keeps its bytes. Nothing if there is
/// none.
#[must_use]
pub fn without_path(json: &RawValue, path: &[&str]) -> Option<Vec<u8>> {
    let (first, rest) = path.split_first()?;
    let members = Members::of(json)?;
    if rest.is_empty() {
        members.get(first)?;
        return Some(members.without(&[first]));
    }
    let inside = without_path(members.get(first)?, rest)?;
    let mut object = members.without(&[first]);
    object.pop();
    if object.len() > 1 {
        object.push(b',');
    }
    object.extend_from_slice(serde_json::to_string(first).ok()?.as_bytes());
    object.push(b':');
    object.extend_from_slice(&inside);
    object.push(b'}');
    Some(object)
}

/// A JSON string's text; nothing for other values and for strings that are not Unicode.
#[must_use]
pub fn text(json: &RawValue) -> Option<Cow<'_, str>> {
    text_of(json.get())
}

fn text_of(spelt: &str) -> Option<Cow<'_, str>> {
    let inside = spelt.strip_prefix('"')?.strip_suffix('"')?;
    // Texts are short: a loop is faster than the general search for a character.
    if inside.bytes().any(|byte| byte == b'\\') {
        serde_json::from_str(spelt).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inside))
    }
}

/// Whether a key stands as it is, between quotes. Nearly every key does, and can be told by its length already.
#[inline]
fn is_spelt(spelt: &str, key: &str) -> bool {
    let spelt = spelt.as_bytes();
    spelt.len() == key.len() + 2 && &spelt[1..spelt.len() - 1] == key.as_bytes() && !key.contains('\\')
}

/// Whether a key stands there with escapes, which only make it longer.
fn is_escaped(spelt: &str, key: &str) -> bool {
    spelt.len() > key.len() + 2 && spelt.contains('\\') && text_of(spelt).is_some_and(|text| text == key)
}

/// JSON as a value of its own, without looking at it again: to `serde_json` it is handed as a deserializer of its
/// own hands it over.
pub(crate) fn raw(json: &str) -> &RawValue {
    /// How `serde_json` asks for such a value.
    const ASKED_BY: &str = "$serde_json::private::RawValue";
    let handed = MapAccessDeserializer::new(MapDeserializer::new(std::iter::once((
        BorrowedStrDeserializer::<serde::de::value::Error>::new(ASKED_BY),
        BorrowedStrDeserializer::new(json),
    ))));
    <&RawValue>::deserialize(handed).unwrap_or_else(|_| serde_json::from_str(json).expect("it is JSON"))
}

/// Keys and values as the checked way finds them.
struct Parsed<'a>(Vec<(&'a str, &'a str)>);

impl<'de> Deserialize<'de> for Parsed<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Parsed<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut members = Vec::with_capacity(MEMBERS_USUAL);
                while let Some((key, value)) = map.next_entry::<&RawValue, &RawValue>()? {
                    members.push((key.get(), value.get()));
                }
                Ok(Parsed(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_however_they_are_written() {
        let json: &RawValue = serde_json::from_str(r#"{"a":1,"\u0062":2,"\\n":3,"\n":4,"":5,"ü":6}"#).unwrap();
        let members = Members::of(json).unwrap();
        for (key, expected) in [("a", "1"), ("b", "2"), ("\\n", "3"), ("\n", "4"), ("", "5"), ("ü", "6")] {
            assert_eq!(members.get(key).map(RawValue::get), Some(expected), "{key}");
        }
        assert!(members.get(r"\u0062").is_none() && members.get("c").is_none());
    }

    #[test]
    fn a_value_is_handed_over_as_it_is_spelt() {
        for json in ["1.50", "9007199254740993", r#"{"a" : [ 1 ]}"#, r#""\u0062""#, "null", "[]"] {
            assert_eq!(raw(json).get(), json);
        }
    }

    #[test]
    fn a_value_deep_inside_is_taken_out_and_the_rest_keeps_its_bytes() {
        let json: &RawValue = serde_json::from_str(r#"{"n":1.0,"a":{"b":{"c":1},"d":2.50},"z":[0]}"#).unwrap();
        let without = |path: &[&str]| without_path(json, path).map(|bytes| String::from_utf8(bytes).unwrap());
        assert_eq!(without(&["n"]).unwrap(), r#"{"a":{"b":{"c":1},"d":2.50},"z":[0]}"#);
        assert_eq!(without(&["a", "b", "c"]).unwrap(), r#"{"n":1.0,"z":[0],"a":{"d":2.50,"b":{}}}"#);
        for path in [&["x"][..], &["a", "x"], &["n", "x"], &["z", "0"], &[]] {
            assert!(without(path).is_none(), "{path:?}");
        }
    }

    #[test]
    fn members_come_in_their_order() {
        let json: Box<RawValue> = serde_json::from_str(r#"{"b":1,"a\n":[2],"b":3,"\ud800":4}"#).unwrap();
        let members = Members::of(&json).unwrap();
        let found: Vec<(Cow<'_, str>, &str)> = members.iter().map(|(key, value)| (key, value.get())).collect();
        assert_eq!(found, [("b".into(), "1"), ("a\n".into(), "[2]"), ("b".into(), "3")]);
    }
}
