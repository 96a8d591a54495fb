use super::{calls, encode, members, memchr_metadata, ordinal};
use crate::config::Config;
use pintle_events::Position;
use std::num::NonZeroUsize;

#[test]
fn a_message_that_spells_out_our_own_separator_does_not_confuse_it() {
    let message = br#"{"a":",\"metadata\":","metadata":{"x":1},"b":{"c":2,"metadata":3}}"#;
    let whole = members(message, br#"{"messageId":",\"metadata\":"}"#);
    let from = memchr_metadata(&whole);
    assert_eq!(&whole[from..], br#","metadata":{"messageId":",\"metadata\":"}"#);
    assert_eq!(super::message(&whole), message);
}

#[test]
fn a_call_is_an_array_of_events_with_their_seeds() {
    let one = members(b"{\"n\":1}", b"{}");
    let position = Position { lane: 3, seq: 5, idx: 7 };
    let text = String::from_utf8(encode([(&one, position, 0), (&one, position, 1)].into_iter())).unwrap();
    let parsed: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(parsed[1]["seed"], "3.5.7.1");
    assert_eq!(parsed[0]["message"]["n"], 1);
}

#[test]
fn calls_respect_both_limits_and_take_what_alone_is_too_large() {
    let config = Config {
        batch_events_max: NonZeroUsize::new(3).unwrap(),
        batch_bytes_max: NonZeroUsize::new(10).unwrap(),
        ..Config::default()
    };
    assert_eq!(calls(&[1, 1, 1, 1, 50, 9, 2], &config, |n| *n), [0..3, 3..4, 4..5, 5..6, 6..7]);
    assert!(calls(&[] as &[usize], &config, |n| *n).is_empty());
}

#[test]
fn an_events_seed_is_the_same_in_any_company() {
    let events = [1, 2, 2, 2, 3].map(|idx| Position { lane: 3, seq: 5, idx });
    let ordinals: Vec<usize> = (0..events.len()).map(|at| ordinal(&events, at, |event| *event)).collect();
    assert_eq!(ordinals, [0, 0, 1, 2, 0]);
    assert_eq!(ordinal(&events[4..], 0, |event| *event), ordinals[4]);
}
