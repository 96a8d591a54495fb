use super::*;
use pintle_events::EventRef;

const LIMITS: Limits = Limits { nesting_max: 100, events_max: 1000 };

fn stamp(kind: Option<Kind>) -> Stamp<'static> {
    let (source_id, request_ip, received_at_ms) = ("src", "192.0.2.7", 1_795_255_872_345);
    Stamp { source_id, request_ip, received_at_ms, kind, event_bytes_max: 1_000_000 }
}

/// The frames of a body, encoded one behind the other; the reason of the first event that is not taken.
fn frames(body: &str, kind: Option<Kind>) -> Result<Vec<u8>, &'static str> {
    let mut bytes = Vec::new();
    let refused = stamp(kind).events(body, &LIMITS, |frame| frame.encode(&mut bytes));
    match refused.map_err(|rejection| rejection.reason())?.first() {
        Some(refused) => Err(refused.why.reason()),
        None => Ok(bytes),
    }
}

fn one(body: &str, kind: Kind) -> Vec<u8> {
    frames(body, Some(kind)).unwrap()
}

fn read(bytes: &[u8]) -> EventRef<'_> {
    EventRef::read(bytes).unwrap().0
}

fn message(bytes: &[u8]) -> String {
    let mut out = Vec::new();
    read(bytes).write_message(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn what_was_sent_is_stored_byte_for_byte() {
    let event = "{ \"b\" : 1.0e+2,\t\"a\":\"\\u00e9/\\/\", \"userId\":\"u\",\"b\":2 }";
    let bytes = one(&format!(" {event}\n"), Kind::Track);
    assert_eq!(read(&bytes).raw, event.as_bytes());
    let bytes = frames(&format!("{{\"batch\":[{event}, {event}]}}"), None).unwrap();
    assert_eq!(read(&bytes).raw, event.as_bytes());
}

#[test]
fn an_event_without_a_message_id_gets_a_random_one() {
    for id in ["", r#""messageId":"","#, r#""messageId":" \u200b","#, r#""messageId":7,"#, r#""messageId":null,"#] {
        let bytes = one(&format!(r#"{{{id}"userId":"u"}}"#), Kind::Track);
        let event = read(&bytes);
        let uuid = Uuid::parse_str(event.message_id).unwrap();
        assert_eq!(uuid.get_version_num(), 4, "{id}");
        assert!(event.message_id_added, "{id}");
        assert!(message(&bytes).contains(&format!(r#","messageId":"{uuid}""#)));
    }
}

#[test]
fn a_message_id_is_kept_and_one_that_had_to_be_cleaned_is_added_again() {
    let bytes = one(r#"{"messageId":"m-1","userId":"u"}"#, Kind::Track);
    assert_eq!((read(&bytes).message_id, read(&bytes).message_id_added), ("m-1", false));
    let bytes = one(r#"{"messageId":" m-\u00001 ","userId":"u"}"#, Kind::Track);
    assert_eq!((read(&bytes).message_id, read(&bytes).message_id_added), ("m-1", true));
}

#[test]
fn a_message_id_that_no_frame_can_hold_is_replaced_so_that_two_of_them_stay_two_events() {
    let long = "x".repeat(70_000);
    let bytes = one(&format!(r#"{{"messageId":"{long}","userId":"u"}}"#), Kind::Track);
    assert_eq!(read(&bytes).message_id.len(), 36);
    assert!(read(&bytes).message_id_added);
}

#[test]
fn ids_are_cleaned_and_numbers_count_as_ids() {
    let bytes = one(r#"{"userId":42,"anonymousId":" a\ufeff "}"#, Kind::Identify);
    assert_eq!((read(&bytes).user_id, read(&bytes).anonymous_id), ("42", "a"));
}

#[test]
fn an_event_needs_one_visible_id() {
    for ids in ["", r#""userId":"","#, r#""userId":null,"anonymousId":" \u0000","#, r#""userId":{},"anonymousId":[1],"#]
    {
        assert_eq!(frames(&format!(r#"{{{ids}"x":1}}"#), Some(Kind::Track)), Err("no-ids"), "{ids}");
        let batch = format!(r#"{{"batch":[{{"userId":"fine"}},{{{ids}"x":1}}]}}"#);
        assert_eq!(frames(&batch, None), Err("no-ids"), "{ids}");
    }
    assert!(frames(r#"{"batch":[{"type":"record","fields":{}}]}"#, None).is_ok());
    assert_eq!(frames(r#"{"type":"record"}"#, Some(Kind::Track)), Err("no-ids"));
}

#[test]
fn the_path_decides_the_type_and_says_so_only_when_the_event_does_not() {
    let bytes = one(r#"{"type":"track","userId":1}"#, Kind::Track);
    assert_eq!((read(&bytes).event_type, read(&bytes).forced_kind), ("track", None));
    for own in ["", r#""type":"page","#, r#""type":"Track","#, r#""type":7,"#] {
        let bytes = one(&format!(r#"{{{own}"userId":1}}"#), Kind::Track);
        assert_eq!((read(&bytes).event_type, read(&bytes).forced_kind), ("track", Some(Kind::Track)), "{own}");
        assert!(message(&bytes).ends_with(r#","type":"track"}"#));
    }
}

#[test]
fn the_events_of_a_batch_keep_the_types_they_say() {
    let bytes = frames(r#"{"batch":[{"type":"audience\u0000","userId":1}]}"#, None).unwrap();
    assert_eq!((read(&bytes).event_type, read(&bytes).forced_kind), ("audience", None));
    let bytes = frames(r#"{"batch":[{"userId":1}]}"#, None).unwrap();
    assert_eq!((read(&bytes).event_type, read(&bytes).forced_kind), ("", None));
}

#[test]
fn times_and_addresses_are_added_only_where_the_event_has_none() {
    let bytes = one(r#"{"userId":1}"#, Kind::Track);
    let text = message(&bytes);
    assert!(text.contains(r#","receivedAt":"2026-11-21T10:11:12.345Z""#), "{text}");
    assert!(text.contains(r#","request_ip":"192.0.2.7""#), "{text}");
    let bytes = one(r#"{"userId":1,"receivedAt":null,"request_ip":""}"#, Kind::Track);
    assert!(!read(&bytes).received_at_added && !read(&bytes).request_ip_added);
}

#[test]
fn a_bad_event_does_not_touch_its_neighbours() {
    let body = r#"{"batch":[{"userId":"a"},7,{"messageId":"m","type":"track","x":1},{"userId":"b"},
        {"userId":"c","p":"a long one"}]}"#;
    let (mut users, stamp) = (Vec::new(), Stamp { event_bytes_max: 40, ..stamp(None) });
    let body = body.replace("a long one", &"x".repeat(40));
    let refused = stamp.events(&body, &LIMITS, |frame| users.push(frame.user_id.to_owned())).unwrap();
    assert_eq!(users, ["a", "b"]);
    let told: Vec<_> = refused.iter().map(|one| (one.why.reason(), one.message_id.as_str(), &one.raw[..1])).collect();
    assert_eq!(told, [("not-an-event", "", "7"), ("no-ids", "m", "{"), ("event-bytes-max", "", "{")]);
    assert_eq!(refused[1].event_type, "track");
}

#[test]
fn an_event_is_read_with_corrected_times() {
    let body = r#"{"userId":1,"originalTimestamp":"2026-11-21T09:00:00.000Z","sentAt":"2026-11-21T09:00:02.000Z"}"#;
    let text = message(&one(body, Kind::Track));
    assert!(text.contains(r#","timestamp":"2026-11-21T10:11:10.345Z""#), "{text}");
    assert_eq!(text.matches("sentAt").count(), 1, "what is right is not written again: {text}");
}
