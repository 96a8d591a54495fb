#![allow(clippy::unwrap_used, reason = "a test")]

use super::*;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

const ROUNDS: usize = 20_000;

/// Marsaglia's xorshift64: enough to draw test data.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn blank(&mut self) -> &'static str {
        ["", "", "", "", " ", "\n  ", "\t", "\r\n"][self.below(8) as usize]
    }

    fn string(&mut self, json: &mut String) {
        const PARTS: [&str; 14] = [
            "a",
            "Z9",
            " ",
            "\\\"",
            "\\\\",
            "\\n",
            "\\u00e9",
            "ü",
            "日本",
            "{",
            "}",
            "[",
            "]",
            "a longer piece of text",
        ];
        json.push('"');
        for _ in 0..self.below(12) {
            json.push_str(PARTS[self.below(PARTS.len() as u64) as usize]);
        }
        json.push('"');
    }

    fn value(&mut self, json: &mut String, depth: u64) {
        match self.below(if depth == 0 { 5 } else { 8 }) {
            0 => json.push_str(["0", "-1.5e+3", "9007199254740993", "12"][self.below(4) as usize]),
            1 => json.push_str(["true", "false", "null"][self.below(3) as usize]),
            2..=4 => self.string(json),
            5 => self.list(json, depth - 1),
            _ => self.object(json, depth - 1),
        }
    }

    fn list(&mut self, json: &mut String, depth: u64) {
        json.push('[');
        for place in 0..self.below(5) {
            json.push_str(if place > 0 { "," } else { "" });
            json.push_str(self.blank());
            self.value(json, depth);
            json.push_str(self.blank());
        }
        json.push(']');
    }

    fn object(&mut self, json: &mut String, depth: u64) {
        json.push('{');
        json.push_str(self.blank());
        for place in 0..self.below(5) {
            json.push_str(if place > 0 { "," } else { "" });
            json.push_str(self.blank());
            self.string(json);
            json.push_str(self.blank());
            json.push(':');
            json.push_str(self.blank());
            self.value(json, depth);
            json.push_str(self.blank());
        }
        json.push('}');
    }
}

fn seed() -> u64 {
    let given = std::env::var("PINTLE_SEED").ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64).max(1)
}

fn found(json: &str) -> Option<(Vec<(&str, &str)>, usize)> {
    let mut found = Vec::new();
    let end = members(json, 0, |key, value| found.push((key, value)))?;
    Some((found, end))
}

#[test]
fn members_are_those_that_a_parser_finds() {
    let seed = seed();
    let mut draw = Draw(seed);
    for round in 0..ROUNDS {
        let mut json = String::new();
        draw.object(&mut json, 4);
        let (found, end) = found(&json).unwrap_or_else(|| panic!("nothing in {json}; PINTLE_SEED={seed}, {round}"));
        assert_eq!(end, json.len(), "{json}; PINTLE_SEED={seed}, {round}");
        // With keys that differ a map has them all; the last of equal ones counts.
        let parsed: BTreeMap<String, &RawValue> = serde_json::from_str(&json).unwrap();
        let found: BTreeMap<String, &str> =
            found.into_iter().map(|(key, value)| (serde_json::from_str(key).unwrap(), value)).collect();
        let parsed: BTreeMap<String, &str> = parsed.into_iter().map(|(key, value)| (key, value.get())).collect();
        assert_eq!(found, parsed, "{json}; PINTLE_SEED={seed}, {round}");
    }
}

#[test]
fn items_are_those_that_a_parser_finds() {
    let seed = seed();
    let mut draw = Draw(seed);
    for round in 0..ROUNDS {
        let mut json = String::new();
        draw.list(&mut json, 3);
        let mut found = Vec::new();
        let whole = items(&json, |start| {
            let end = value_end(json.as_bytes(), start)?;
            found.push(&json[start..end]);
            Some(end)
        });
        let parsed: Vec<&RawValue> = serde_json::from_str(&json).unwrap();
        let parsed: Vec<&str> = parsed.into_iter().map(RawValue::get).collect();
        assert_eq!(found, parsed, "{json}; PINTLE_SEED={seed}, {round}");
        assert!(whole.is_some(), "{json}; PINTLE_SEED={seed}, {round}");
    }
}

#[test]
fn what_is_cut_or_damaged_is_not_read_beyond_its_end() {
    let seed = seed();
    let mut draw = Draw(seed);
    for _ in 0..ROUNDS {
        let mut json = String::new();
        draw.object(&mut json, 3);
        let mut bytes = json.into_bytes();
        for _ in 0..draw.below(3) {
            let place = draw.below(bytes.len() as u64) as usize;
            bytes[place] = b"\"\\{}[],: x"[draw.below(10) as usize];
        }
        bytes.truncate(draw.below(bytes.len() as u64 + 1) as usize);
        if let Ok(text) = std::str::from_utf8(&bytes) {
            let _ = found(text);
            let _ = items(text, |start| value_end(text.as_bytes(), start));
        }
    }
}

#[test]
fn what_is_no_object_has_no_members() {
    for json in
        ["", "{", "[]", "1", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}", "{\"a\":1 \"b\":2}", "{\"a\":\"", "{\"a\":[}"]
    {
        assert!(found(json).is_none(), "{json}");
    }
    assert_eq!(found("{ }").unwrap().1, 3);
}
