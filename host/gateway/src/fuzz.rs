//! Requests that nobody thought of: everything that reads bytes from outside, over generated and damaged ones.
//!
//! `PINTLE_FUZZ_REQUESTS` says how many (`scripts/fuzz` runs a million), `PINTLE_SEED` repeats a run.

use crate::body::{Growing, Limits};
use crate::budget::Budget;
use crate::inflate::{Encoding, Inflate};
use crate::rejection::Rejection;
use crate::stamp::Stamp;
use crate::{pixel, query};
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use pintle_events::{EventRef, Kind, key, scan, utf8};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::de::IgnoredAny;
use std::collections::BTreeMap;

const REQUESTS: usize = 20_000;
const ACCEPTED_LEAST: f64 = 0.30;
const REASON_LEAST: f64 = 0.01;
const REASONS: [&str; 9] = [
    "batch-events-max",
    "decompressed-bytes-max",
    "empty-batch",
    "event-bytes-max",
    "invalid-json",
    "nesting-max",
    "no-ids",
    "not-an-event",
    "unreadable-body",
];
/// Small, so that they are met.
const SCAN: scan::Limits = scan::Limits { nesting_max: 8, events_max: 6 };
const BODY: Limits = Limits { body_bytes_max: 1 << 20, decompressed_bytes_max: 16 << 10 };
const EVENT_BYTES_MAX: usize = 1_500;

struct Maker(StdRng);

/// A body as it travels, and what its headers and its path say of it.
struct Made {
    bytes: Vec<u8>,
    encoding: Option<Encoding>,
    kind: Option<Kind>,
}

impl Maker {
    fn below(&mut self, sides: usize) -> usize {
        self.0.random_range(0..sides)
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    fn text(&mut self) -> String {
        const PIECES: [&str; 14] = [
            "a",
            "user",
            "ü",
            "🦀",
            " ",
            r"\n",
            r"\u0000",
            r"\ud83d\ude00",
            r"\ud800",
            r"\/",
            r#"\""#,
            "\u{200b}",
            "0",
            "{",
        ];
        (0..self.below(6)).map(|_| self.pick(&PIECES)).collect()
    }

    fn value(&mut self, depth: usize) -> String {
        match self.below(if depth == 0 { 4 } else { 6 }) {
            0 => format!("\"{}\"", self.text()),
            1 => self.pick(&["0", "-1.5e3", "123456789012345678901234567890", "1e400"]).to_owned(),
            2 => self.pick(&["true", "false", "null"]).to_owned(),
            3 => format!("\"{}\"", self.time()),
            4 => format!("[{}]", (0..self.below(3)).map(|_| self.value(depth - 1)).collect::<Vec<_>>().join(",")),
            _ => format!("{{\"{}\":{}}}", self.text(), self.value(depth - 1)),
        }
    }

    fn time(&mut self) -> &'static str {
        self.pick(&[
            "2026-11-21T10:11:12.345Z",
            "2026-11-21 10:11:12+05:30",
            "9999-12-31T23:59:59.999Z",
            "soon",
            "0000-01-01T00:00:00Z",
        ])
    }

    fn event(&mut self) -> String {
        let mut members = Vec::new();
        if !self.chance(12) {
            let name = self.pick(&["userId", "anonymousId", r"user\u0049d"]);
            let id = if self.chance(20) { "42".to_owned() } else { format!("\"{}x\"", self.text()) };
            members.push(format!("\"{name}\":{id}"));
        }
        for _ in 0..self.below(6) {
            let known =
                ["type", "messageId", "timestamp", "sentAt", "originalTimestamp", "receivedAt", "request_ip", "p"];
            let name = self.pick(&known);
            let value = self.value(3);
            members.push(format!("{}\"{name}\":{value}", self.pick(&["", " ", "\n"])));
        }
        match self.below(100) {
            0..4 => members.push(format!("\"deep\":{}1{}", "[".repeat(40), "]".repeat(40))),
            4..8 => members.push(format!("\"long\":\"{}\"", "x".repeat(EVENT_BYTES_MAX))),
            8..14 => return self.pick(&["7", "null", "\"text\"", "[1]"]).to_owned(),
            _ => {}
        }
        let at = self.below(members.len() + 1);
        members.rotate_left(at);
        format!("{{{}}}", members.join(","))
    }

    fn body(&mut self, kind: Option<Kind>) -> String {
        if kind.is_some() {
            return self.event();
        }
        let count = match self.below(100) {
            0..4 => 0,
            4..8 => SCAN.events_max + 1 + self.below(3),
            _ => 1 + self.below(SCAN.events_max),
        };
        let events: Vec<String> = (0..count).map(|_| self.event()).collect();
        format!("{{\"sentAt\":{},\"batch\":[{}]}}", self.value(2), events.join(self.pick(&[",", " , "])))
    }

    /// Changes, removes or inserts a few bytes.
    fn damage(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(3) {
            let at = self.below(bytes.len() + 1);
            match self.below(4) {
                0 => bytes.insert(at, self.pick(b"\"\\{}[]:,0e.\0\xff\xc3")),
                1 if at < bytes.len() => bytes[at] = self.0.random(),
                2 if at < bytes.len() => drop(bytes.remove(at)),
                _ => bytes.truncate(at.max(1)),
            }
        }
    }

    fn request(&mut self) -> Made {
        let kind = self.chance(40).then(|| self.pick(&Kind::ALL));
        let mut plain = self.body(kind).into_bytes();
        if self.chance(8) {
            self.damage(&mut plain);
        }
        if self.chance(3) {
            plain.splice(0..0, std::iter::repeat_n(b' ', BODY.decompressed_bytes_max + 1));
        }
        let coin = self.below(8);
        let (encoding, mut bytes) = match coin {
            0 => (Some(Encoding::Gzip), compressed(GzEncoder::new(Vec::new(), Compression::fast()), &plain)),
            1 => (Some(Encoding::Deflate), compressed(ZlibEncoder::new(Vec::new(), Compression::fast()), &plain)),
            2 => (Some(Encoding::Deflate), compressed(DeflateEncoder::new(Vec::new(), Compression::fast()), &plain)),
            3 => (Some(Encoding::Zstd), zstd::bulk::compress(&plain, 1).unwrap()),
            _ => (None, plain),
        };
        if encoding.is_some() && self.chance(10) {
            self.damage(&mut bytes);
        }
        Made { bytes, encoding, kind }
    }
}

/// Encoders that write to memory.
trait Encode: std::io::Write {
    fn end(self) -> Vec<u8>;
}

macro_rules! encode {
    ($($encoder:ident),+) => {$(
        impl Encode for $encoder<Vec<u8>> {
            fn end(self) -> Vec<u8> {
                self.finish().unwrap()
            }
        }
    )+};
}

encode!(GzEncoder, ZlibEncoder, DeflateEncoder);

fn compressed(mut encoder: impl Encode, bytes: &[u8]) -> Vec<u8> {
    encoder.write_all(bytes).unwrap();
    encoder.end()
}

/// What the gateway does with a request behind its write key: the frames that it would store, and the reasons of
/// what it would not.
fn take(made: &Made, piece: usize) -> Result<(Vec<u8>, Vec<&'static str>), Rejection> {
    let budget = Budget::new("bodies-bytes-max", 1 << 20);
    let bytes = match made.encoding {
        None if made.bytes.len() > BODY.decompressed_bytes_max => {
            return Err(Rejection::TooLarge("decompressed-bytes-max"));
        }
        None => made.bytes.clone(),
        Some(encoding) => {
            let mut whole = Growing::new(budget.take(0)?);
            let mut inflate = Inflate::new(encoding)?;
            for piece in made.bytes.chunks(piece) {
                inflate.push(piece, &mut whole, &BODY)?;
            }
            inflate.finish()?;
            assert!(whole.bytes.len() <= BODY.decompressed_bytes_max);
            whole.bytes
        }
    };
    let text = match utf8::repaired_len(&bytes) {
        Some(length) => utf8::repair(&bytes, length),
        None => String::from_utf8(bytes).unwrap(),
    };
    let stamp = Stamp {
        source_id: "source",
        request_ip: "192.0.2.1",
        received_at_ms: 1_795_255_872_345,
        kind: made.kind,
        event_bytes_max: EVENT_BYTES_MAX,
    };
    let mut frames = Vec::new();
    let refused = stamp.events(&text, &SCAN, |frame| frame.encode(&mut frames))?;
    Ok((frames, refused.into_iter().map(|refused| refused.why.reason()).collect()))
}

/// Reads what was accepted as the processor does. How many events it is.
fn read(frames: &[u8]) -> usize {
    let (mut rest, mut events) = (frames, 0);
    while !rest.is_empty() {
        let (event, length) = EventRef::read(rest).expect("what was accepted can be read");
        let mut message = Vec::new();
        event.write_message(&mut message);
        // Numbers may be larger than any machine's: what reads them as such decides what becomes of them.
        let read: Result<BTreeMap<String, IgnoredAny>, _> = serde_json::from_slice(&message);
        let problem = read.err().map(|error| format!("{error}: {}", String::from_utf8_lossy(&message)));
        assert_eq!(problem, None);
        assert!(!event.message_id.is_empty());
        assert!(key::slot(event.key_hash()) < 64);
        rest = &rest[length..];
        events += 1;
    }
    events
}

#[test]
fn no_request_is_a_panic_and_no_accepted_event_is_unreadable() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seed = number("PINTLE_SEED").unwrap_or_else(|| rand::rng().random());
    let requests = number("PINTLE_FUZZ_REQUESTS").map_or(REQUESTS, |requests| requests as usize);
    eprintln!("PINTLE_SEED={seed}");
    let mut maker = Maker(StdRng::seed_from_u64(seed));
    let (mut accepted, mut events) = (0, 0);
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for _ in 0..requests {
        let made = maker.request();
        let piece = 1 + maker.below(2_000);
        let refused = match take(&made, piece) {
            Ok((frames, refused)) => {
                let taken = read(&frames);
                accepted += usize::from(taken > 0);
                events += taken;
                refused
            }
            Err(rejection) => vec![rejection.reason()],
        };
        // Once per request, however many events of it were refused for the same reason.
        let mut refused = refused;
        refused.sort_unstable();
        refused.dedup();
        for reason in refused {
            *reasons.entry(reason).or_default() += 1;
        }
        let text = maker.text();
        let kind = maker.pick(&[Kind::Track, Kind::Page]);
        let event = pixel::event(&format!("{text}&a.{text}=%{text}&userId=x&{text}.b.c"), kind);
        assert_eq!(query::pairs(&text).count(), text.split('&').filter(|pair| !pair.is_empty()).count());
        let made = Made { bytes: event.into_bytes(), encoding: None, kind: Some(kind) };
        if let Ok((frames, _)) = take(&made, piece) {
            read(&frames);
        }
    }
    let share = |count: usize| count as f64 / requests as f64;
    eprintln!("{requests} requests: {:.1} % accepted, {events} events", 100.0 * share(accepted));
    for reason in REASONS {
        let count = reasons.get(reason).copied().unwrap_or_default();
        eprintln!("  {:5.1} %  {reason}", 100.0 * share(count));
        assert!(share(count) >= REASON_LEAST, "{reason}: {count} of {requests}");
    }
    assert!(share(accepted) >= ACCEPTED_LEAST, "{accepted} of {requests}");
    assert!(reasons.keys().all(|reason| REASONS.contains(reason)), "{reasons:?}");
}
