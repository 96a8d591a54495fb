use super::*;

const FRAME: Frame<'static> = Frame {
    source_id: "src",
    received_at_ms: 1_795_255_872_345,
    request_ip: "2001:db8::1",
    message_id: "m-ü",
    user_id: "u-1",
    anonymous_id: "a-1",
    event_type: "track",
    forced_kind: None,
    message_id_added: false,
    received_at_added: true,
    request_ip_added: false,
    times: Times { original_timestamp_ms: None, sent_at_ms: None, timestamp_ms: None },
    raw: br#"{"a": 1}"#,
};

fn encoded(frame: &Frame<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame.encode(&mut bytes);
    bytes
}

fn message(frame: &Frame<'_>) -> String {
    let bytes = encoded(frame);
    let (event, _) = EventRef::read(&bytes).unwrap();
    let mut out = Vec::new();
    event.write_message(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn frames_that_stand_one_behind_the_other_read_as_they_were_written() {
    let other = Frame {
        forced_kind: Some(Kind::Alias),
        message_id_added: true,
        received_at_added: false,
        request_ip_added: true,
        user_id: "",
        received_at_ms: -1,
        times: Times { original_timestamp_ms: Some(-2), sent_at_ms: None, timestamp_ms: Some(i64::MAX) },
        raw: b"{}",
        ..FRAME
    };
    let mut bytes = encoded(&FRAME);
    other.encode(&mut bytes);
    let mut rest = &bytes[..];
    for frame in [FRAME, other] {
        let (event, length) = EventRef::read(rest).unwrap();
        assert_eq!(format!("{:?}", *event), format!("{frame:?}"));
        rest = &rest[length..];
    }
    assert!(rest.is_empty());
}

#[test]
fn a_frame_that_was_cut_off_anywhere_is_damaged_and_never_a_panic() {
    let bytes = encoded(&FRAME);
    for length in 0..bytes.len() {
        assert!(EventRef::read(&bytes[..length]).is_err(), "{length}");
    }
}

#[test]
fn a_frame_with_any_byte_changed_is_read_or_refused_without_a_panic() {
    let bytes = encoded(&FRAME);
    for at in 0..bytes.len() {
        for value in [0, 1, 0x7f, 0x80, 0xff] {
            let mut changed = bytes.clone();
            changed[at] = value;
            if let Ok((event, _)) = EventRef::read(&changed) {
                event.write_message(&mut Vec::new());
            }
        }
    }
}

/// Written by the first version that stored frames. It must read like this for ever.
#[test]
fn a_frame_of_the_first_format_is_still_read() {
    let stored = b"H\x00\x00\x00\x05\x02Y\xe9\x96\xfd\xa1\x01\x00\x00\x03src\x07192.0.2\x03\x00m-1\x02\x00\x00\x00u1\x00\x00\x00\x00\x05track{\"type\":\"page\",\"userId\":\"u1\"}";
    let (event, length) = EventRef::read(stored).unwrap();
    assert_eq!(length, stored.len());
    assert_eq!((event.source_id, event.request_ip, event.message_id), ("src", "192.0.2", "m-1"));
    assert_eq!((event.user_id, event.anonymous_id, event.event_type), ("u1", "", "track"));
    assert_eq!(event.forced_kind, Some(Kind::Track));
    assert!(event.message_id_added && !event.received_at_added && event.request_ip_added);
    assert_eq!(event.received_at_ms, 1_795_255_888_217);
    assert_eq!(event.raw, br#"{"type":"page","userId":"u1"}"#);
}

#[test]
fn what_was_stamped_stands_behind_what_was_sent() {
    let rudder_id = key::rudder_id("u-1", "a-1");
    let time = r#""receivedAt":"2026-11-21T10:11:12.345Z""#;
    assert_eq!(message(&FRAME), format!(r#"{{"a": 1,"rudderId":"{rudder_id}",{time}}}"#));
    let times = Times { original_timestamp_ms: Some(0), sent_at_ms: None, timestamp_ms: Some(1_000) };
    let kind = Some(Kind::Page);
    let all = Frame { message_id_added: true, request_ip_added: true, forced_kind: kind, times, ..FRAME };
    let times = r#""originalTimestamp":"1970-01-01T00:00:00.000Z","timestamp":"1970-01-01T00:00:01.000Z""#;
    let added = format!(r#","messageId":"m-ü",{time},{times},"request_ip":"2001:db8::1","type":"page"}}"#);
    assert!(message(&all).ends_with(&added), "{}", message(&all));
}

#[test]
fn half_a_surrogate_pair_is_stored_as_it_came_and_read_as_text() {
    let frame = Frame { raw: br#"{"a":"\ud800","b":"\ud83d\ude00"}"#, ..FRAME };
    let bytes = encoded(&frame);
    assert_eq!(EventRef::read(&bytes).unwrap().0.raw, frame.raw);
    assert!(message(&frame).starts_with(r#"{"a":"\ufffd","b":"\ud83d\ude00","#), "{}", message(&frame));
}

#[test]
fn an_empty_event_becomes_an_object_with_the_stamps_alone() {
    for raw in [&b"{}"[..], b"{ \n}", b"{}  "] {
        let text = message(&Frame { raw, ..FRAME });
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value.as_object().unwrap().len(), 2, "{text}");
    }
}

#[test]
fn header_fields_that_are_too_long_are_cut_between_characters() {
    let long = "ü".repeat(40_000);
    let bytes = encoded(&Frame { source_id: &long, event_type: &long, message_id: &long, user_id: &long, ..FRAME });
    let (event, _) = EventRef::read(&bytes).unwrap();
    assert_eq!((event.source_id.len(), event.event_type.len(), event.message_id.len()), (254, 254, 65_534));
    assert_eq!(event.user_id, long);
}

#[test]
fn times_are_written_as_they_are_formatted() {
    assert_eq!(timestamp(1_772_366_400_042), "2026-03-01T12:00:00.042Z");
    assert_eq!(timestamp(-1), "1969-12-31T23:59:59.999Z");
    assert_eq!(timestamp(i64::MAX), "1970-01-01T00:00:00.000Z");
    // From before the year 0 to beyond 9999, in steps that meet leap days and every part of a time.
    for ms in (-62_400_000_000_000..253_500_000_000_000).step_by(12_345_678_901) {
        assert_eq!(timestamp(ms), formatted(ms), "{ms}");
    }
}
