//! Looking into JSON without taking it apart: members keep their bytes.

use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members of an object in their order, repeated keys included.
#[derive(Debug)]
pub struct Members<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl<'a> Members<'a> {
    /// The members, or nothing if the text is no object.
    #[must_use]
    pub fn of(json: &'a RawValue) -> Option<Self> {
        serde_json::from_str(json.get()).ok()
    }

    /// The value of a key. As for `JSON.parse`, the last one counts.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&'a RawValue> {
        self.0.iter().rev().find(|(name, _)| is_key(name, key)).map(|(_, value)| *value)
    }

    /// Keys and values, each key once, in the order of first mention and with the last value.
    /// Nothing if a key is not Unicode.
    #[must_use]
    pub fn distinct(&self) -> Option<Vec<(Cow<'a, str>, &'a RawValue)>> {
        let mut found: Vec<(Cow<'a, str>, &'a RawValue)> = Vec::with_capacity(self.0.len());
        let mut places = std::collections::HashMap::with_capacity(self.0.len());
        for (raw_key, value) in &self.0 {
            let key = text(raw_key)?;
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
        let size = self.0.iter().map(|(key, value)| key.get().len() + value.get().len() + 2).sum::<usize>() + 2;
        let mut json = Vec::with_capacity(size);
        json.push(b'{');
        for (key, value) in &self.0 {
            if unwanted.iter().any(|unwanted| is_key(key, unwanted)) {
                continue;
            }
            if json.len() > 1 {
                json.push(b',');
            }
            json.extend_from_slice(key.get().as_bytes());
            json.push(b':');
            json.extend_from_slice(value.get().as_bytes());
        }
        json.push(b'}');
        json
    }
}

/// A JSON string's text; nothing for other values and for strings that are not Unicode.
#[must_use]
pub fn text(json: &RawValue) -> Option<Cow<'_, str>> {
    let raw = json.get();
    let inside = raw.strip_prefix('"')?.strip_suffix('"')?;
    if inside.contains('\\') { serde_json::from_str(raw).ok().map(Cow::Owned) } else { Some(Cow::Borrowed(inside)) }
}

fn is_key(raw: &RawValue, key: &str) -> bool {
    text(raw).is_some_and(|text| text == key)
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}
