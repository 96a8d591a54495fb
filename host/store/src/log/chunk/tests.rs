use super::*;
use pintle_events::Frame;

fn part(events: &[(&str, i64, &str)]) -> Part {
    let mut part = Part::default();
    for (at, (source_id, received_at_ms, message_id)) in events.iter().enumerate() {
        let frame = Frame {
            source_id,
            received_at_ms: *received_at_ms,
            request_ip: "127.0.0.1",
            message_id,
            user_id: "u",
            anonymous_id: "",
            event_type: "track",
            forced_kind: None,
            message_id_added: false,
            received_at_added: true,
            request_ip_added: true,
            times: pintle_events::Times::default(),
            raw: b"{}",
        };
        frame.encode(&mut part.frames);
        part.slots.push(at as u8);
        part.message_ids.push(at as u64 + 7);
    }
    part
}

fn stored(events: &[(&str, i64, &str)]) -> Vec<u8> {
    let mut parts = [part(events)];
    let chunk = Chunk::gather(1, 2, &mut parts);
    chunk.encode(&parts, &mut compressor().unwrap()).unwrap()
}

const HOUR: i64 = 3_600_000;
const EVENTS: [(&str, i64, &str); 3] =
    [("site", 498_680 * HOUR, "a"), ("app", 498_680 * HOUR, "b"), ("site", 498_681 * HOUR, "c")];

fn counts(found: &[(Group, u32)]) -> Vec<(&str, i32, u32)> {
    found.iter().map(|(group, events)| (&*group.source, group.hour, *events)).collect()
}

#[test]
fn a_chunk_says_in_its_header_what_it_holds() {
    let stored = stored(&EVENTS);
    assert_eq!(&stored[..5], b"PLC\x02\x01");
    let length = Chunk::counts_length(&stored).unwrap();
    let found = Chunk::counts(&stored[..length]).unwrap();
    assert_eq!(counts(&found), [("site", 498_680, 1), ("app", 498_680, 1), ("site", 498_681, 1)]);
    assert_eq!(Chunk::counts(&stored[..length - 1]), None, "cut off");
    let directory = Chunk::directory_length(&stored).unwrap();
    assert_eq!(Chunk::message_ids(&stored[..directory]), Some(vec![7, 8, 9]));
    assert_eq!(Chunk::stored_length(&stored[..64]), Some(stored.len()));
    let chunk = Chunk::decode(1, 2, 3, &stored).unwrap();
    let ids: Vec<&str> = (0..3).map(|idx| chunk.event(idx).message_id).collect();
    assert_eq!(ids, ["a", "b", "c"]);
    assert_eq!(chunk.groups().of(2), Some(&found[2].0));
}

#[test]
fn a_chunk_that_was_never_stored_holds_the_same() {
    let frames = part(&EVENTS).frames;
    let chunk = Chunk::of_frames(-3, 1 << 20, frames.clone()).unwrap();
    assert_eq!((chunk.lane, chunk.seq, chunk.ord, chunk.events()), (-3, 1 << 20, 0, 3));
    let ids: Vec<&str> = (0..3).map(|idx| chunk.event(idx).message_id).collect();
    assert_eq!(ids, ["a", "b", "c"]);
    let groups: Vec<(&str, i32)> =
        (0..3).map(|idx| chunk.groups().of(idx).unwrap()).map(|group| (&*group.source, group.hour)).collect();
    assert_eq!(groups, [("site", 498_680), ("app", 498_680), ("site", 498_681)]);
    assert!((0..3).all(|idx| !chunk.is_duplicate(idx)));
    assert!(Chunk::of_frames(-3, 1, frames[..frames.len() - 1].to_vec()).is_err(), "cut off");
    assert_eq!(Chunk::of_frames(-3, 1, Vec::new()).unwrap().events(), 0);
}

/// A chunk of the first format with the events above, but for their headers' counts.
fn first_format() -> Vec<u8> {
    let new = stored(&EVENTS);
    let slots = Chunk::counts_length(&new).unwrap();
    [b"PLC\x01", &new[4..HEADER_1], &new[slots..]].concat()
}

#[test]
fn the_first_format_stays_readable_and_its_events_are_in_no_hour_of_the_books() {
    let stored = first_format();
    assert_eq!(Chunk::stored_length(&stored[..64]), Some(stored.len()));
    let directory = Chunk::directory_length(&stored).unwrap();
    assert_eq!(Chunk::message_ids(&stored[..directory]), Some(vec![7, 8, 9]));
    assert_eq!(Chunk::counts(&stored), Some(Vec::new()));
    let chunk = Chunk::decode(1, 2, 3, &stored).unwrap();
    assert_eq!((chunk.events(), chunk.event(2).message_id), (3, "c"));
    assert!((0..3).all(|idx| chunk.groups().of(idx).is_none()));
}

/// The events above as they were stored when each format was new, in hexadecimal.
const FIRST: &str = "504c43010103000000920000005d00000000010207000000000000000800000000000000090000000000000028b52ffd24928502 \
     00c4032d0000000600008c1efda10100000473697465093132372e302e302e3101006101000000750000000005747261636b7b7d \
     2c03617070622d807a55630700300b19260032e03a30b3a9b82cf450506d9a32db";
const SECOND: &str = "504c43020103000000920000005d000000260000000473697465f89b07000100000003617070f89b0700010000000473697465f9 \
     9b07000100000000010207000000000000000800000000000000090000000000000028b52ffd2492850200c4032d000000060000 \
     8c1efda10100000473697465093132372e302e302e3101006101000000750000000005747261636b7b7d2c03617070622d807a55 \
     630700300b19260032e03a30b3a9b82cf450506d9a32db";

fn bytes(hexadecimal: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&hexadecimal[at..at + 2], 16).unwrap();
    (0..hexadecimal.len()).step_by(2).map(digit).collect()
}

#[test]
fn what_was_stored_in_any_format_is_read() {
    for (sample, told) in [(FIRST, 0), (SECOND, 3)] {
        let stored = bytes(sample);
        let chunk = Chunk::decode(1, 2, 3, &stored).unwrap();
        let found: Vec<_> = (0..3).map(|idx| chunk.event(idx)).collect();
        let found: Vec<_> = found.iter().map(|e| (e.source_id, e.received_at_ms, e.message_id)).collect();
        assert_eq!(found, EVENTS);
        let directory = Chunk::directory_length(&stored).unwrap();
        assert_eq!(Chunk::message_ids(&stored[..directory]), Some(vec![7, 8, 9]));
        assert_eq!(Chunk::counts(&stored).unwrap().len(), told);
    }
}

#[test]
fn a_newer_format_is_not_guessed_at() {
    let mut stored = stored(&EVENTS);
    stored[3] = 3;
    assert_eq!(Chunk::stored_length(&stored), None);
    assert!(matches!(Chunk::decode(1, 2, 3, &stored), Err(Error::Damaged { .. })));
}
