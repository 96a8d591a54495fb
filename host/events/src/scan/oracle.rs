//! The scanner against `serde_json`: over generated and damaged documents both must agree on what is
//! JSON, where the events are, and what their fields say.

use super::*;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fmt::Write;

const LIMITS: Limits = Limits { nesting_max: 255, events_max: usize::MAX };
const ROUNDS: usize = 20_000;

/// SplitMix64: enough for documents, and the same on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % sides as u64) as usize
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

const NAMES: [&str; 14] = [
    "type",
    "messageId",
    "userId",
    "anonymousId",
    "receivedAt",
    "request_ip",
    "batch",
    "properties",
    "",
    r"\u0075serId",
    r"mess\u0061geId",
    "userid",
    "ключ",
    "a\\\"b",
];
const PIECES: [&str; 18] = [
    "a",
    "user-1",
    "Ünï",
    "🦀",
    "\u{7f}",
    "\u{2028}",
    r"\n",
    r#"\""#,
    r"\\",
    r"\/",
    r"\u0000",
    r"\u00e9",
    r"\uD83E\uDD80",
    r"\ud800",
    r"\udfff",
    "}],{",
    "0123456789abcdefghijklmnop",
    " ",
];
const SCALARS: [&str; 13] = [
    "null",
    "true",
    "false",
    "0",
    "-0",
    "12",
    "-7.25",
    "1e3",
    "1E-2",
    "5e+10",
    "123456789012345678901234567890",
    "0.0",
    "1e400",
];
const SPACES: [&str; 6] = ["", "", "", " ", "\n\t", "\r\n  "];

fn string(dice: &mut Dice, out: &mut String) {
    out.push('"');
    for _ in 0..dice.below(5) {
        out.push_str(dice.pick(&PIECES));
    }
    out.push('"');
}

fn value(dice: &mut Dice, depth: usize, out: &mut String) {
    out.push_str(dice.pick(&SPACES));
    match dice.below(if depth == 0 { 6 } else { 10 }) {
        0..=2 => string(dice, out),
        3..=5 => out.push_str(dice.pick(&SCALARS)),
        6 | 7 => object(dice, depth - 1, out),
        _ => array(dice, out, |dice, out| value(dice, depth - 1, out)),
    }
    out.push_str(dice.pick(&SPACES));
}

fn object(dice: &mut Dice, depth: usize, out: &mut String) {
    out.push('{');
    for i in 0..dice.below(6) {
        let _ = write!(
            out,
            "{}{}\"{}\"{}:",
            if i > 0 { "," } else { "" },
            dice.pick(&SPACES),
            dice.pick(&NAMES),
            dice.pick(&SPACES)
        );
        value(dice, depth, out);
    }
    out.push_str(dice.pick(&SPACES));
    out.push('}');
}

fn array(dice: &mut Dice, out: &mut String, mut element: impl FnMut(&mut Dice, &mut String)) {
    out.push('[');
    for i in 0..dice.below(5) {
        if i > 0 {
            out.push(',');
        }
        element(dice, out);
    }
    out.push(']');
}

/// Changes, removes, repeats or inserts a few bytes, and repairs what is then not UTF-8.
fn damage(dice: &mut Dice, text: &str) -> String {
    const SPLINTERS: &[u8] = b"\"\\{}[]:,0eE+-.utnf \n\0\x1f\x7f\xc3\xff";
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=dice.below(3) {
        let at = dice.below(bytes.len() + 1);
        let splinter = SPLINTERS[dice.below(SPLINTERS.len())];
        match dice.below(4) {
            0 => bytes.insert(at, splinter),
            1 if at < bytes.len() => bytes[at] = splinter,
            2 if at < bytes.len() => drop(bytes.remove(at)),
            _ => bytes.truncate(at.max(1)),
        }
    }
    match crate::utf8::repaired_len(&bytes) {
        Some(length) => crate::utf8::repair(&bytes, length),
        None => String::from_utf8(bytes).expect("it was just found valid"),
    }
}

type Members<'a> = BTreeMap<String, &'a RawValue>;

/// What a field should be; `None` when `serde_json` cannot say (it refuses half a surrogate pair).
fn field(members: &Members<'_>, name: &str, numbers: bool) -> Option<Option<String>> {
    let Some(raw) = members.get(name).map(|raw| raw.get()) else { return Some(None) };
    match raw.as_bytes()[0] {
        b'"' => serde_json::from_str::<String>(raw).ok().map(Some),
        b'-' | b'0'..=b'9' if numbers => Some(Some(raw.to_owned())),
        _ => Some(None),
    }
}

fn compare(found: &Event<'_>, raw: &str) -> usize {
    assert_eq!(found.raw, raw);
    let Ok(members) = serde_json::from_str::<Members<'_>>(raw) else { return 0 };
    let mut compared = 0;
    for (name, numbers, ours) in [
        ("type", false, &found.event_type),
        ("messageId", false, &found.message_id),
        ("userId", true, &found.user_id),
        ("anonymousId", true, &found.anonymous_id),
    ] {
        if let Some(theirs) = field(&members, name, numbers) {
            assert_eq!(ours.as_deref(), theirs.as_deref(), "{name} of {raw}");
            compared += 1;
        }
    }
    assert_eq!(found.has_received_at, members.contains_key("receivedAt"), "{raw}");
    assert_eq!(found.has_request_ip, members.contains_key("request_ip"), "{raw}");
    compared
}

fn check_event(text: &str) -> (bool, usize) {
    let valid = serde_json::from_str::<IgnoredAny>(text).is_ok();
    let compared = match event(text, &LIMITS) {
        Ok(found) => compare(&found, text.trim_matches([' ', '\n', '\t', '\r'])),
        Err(Invalid::NotAnObject) => {
            assert!(valid && !text.trim_start().starts_with('{'), "{text}");
            0
        }
        Err(error) => {
            assert!(!valid, "{error}: {text}");
            0
        }
    };
    assert!(valid || event(text, &LIMITS).is_err(), "accepted what is not JSON: {text}");
    (valid, compared)
}

fn check_batch(text: &str) -> bool {
    let valid = serde_json::from_str::<IgnoredAny>(text).is_ok();
    let found = batch(text, &LIMITS);
    assert_eq!(valid, !matches!(found, Err(Invalid::Json { .. })), "{found:?}: {text}");
    // Names with half a surrogate pair stop `serde_json` here; the generator writes none.
    let theirs = serde_json::from_str::<Members<'_>>(text).ok().and_then(|members| members.get("batch").copied());
    let theirs = theirs.and_then(|raw| serde_json::from_str::<Vec<&RawValue>>(raw.get()).ok()).unwrap_or_default();
    match found {
        Ok(events) => {
            assert_eq!(events.len(), theirs.len(), "{text}");
            for (element, raw) in events.iter().zip(theirs) {
                match element {
                    Ok(event) => drop(compare(event, raw.get())),
                    Err(unfit) => assert!(unfit.raw == raw.get() && !raw.get().starts_with('{'), "{text}"),
                }
            }
        }
        Err(Invalid::EmptyBatch) => assert!(theirs.is_empty(), "{text}"),
        Err(_) => {}
    }
    valid
}

fn seed() -> u64 {
    let seed = std::env::var("PINTLE_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| uuid::Uuid::new_v4().as_u64_pair().0);
    eprintln!("PINTLE_SEED={seed}");
    seed
}

#[test]
fn generated_and_damaged_events_read_as_serde_json_reads_them() {
    let mut dice = Dice(seed());
    let (mut valid, mut invalid, mut fields) = (0, 0, 0);
    for _ in 0..ROUNDS {
        let mut text = String::new();
        if dice.below(20) == 0 {
            value(&mut dice, 4, &mut text)
        } else {
            object(&mut dice, 4, &mut text)
        }
        let (is_valid, compared) = check_event(&text);
        assert!(is_valid, "the generator writes JSON: {text}");
        fields += compared;
        let damaged = damage(&mut dice, &text);
        let (is_valid, compared) = check_event(&damaged);
        fields += compared;
        *if is_valid { &mut valid } else { &mut invalid } += 1;
    }
    assert!(valid > ROUNDS / 100 && invalid > ROUNDS / 10 && fields > ROUNDS, "{valid} {invalid} {fields}");
}

#[test]
fn generated_and_damaged_batches_read_as_serde_json_reads_them() {
    let mut dice = Dice(seed());
    let mut valid = 0;
    for _ in 0..ROUNDS / 4 {
        let mut text = String::from("{\"sentAt\":1,\"batch\":");
        array(
            &mut dice,
            &mut text,
            |dice, out| {
                if dice.below(30) == 0 { value(dice, 2, out) } else { object(dice, 2, out) }
            },
        );
        text.push_str(",\"userId\":{}}");
        assert!(check_batch(&text), "the generator writes JSON: {text}");
        valid += usize::from(check_batch(&damage(&mut dice, &text)));
    }
    assert!(valid > ROUNDS / 400, "{valid}");
}
