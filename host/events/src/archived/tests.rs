use super::*;
use crate::frame::{EventRef, timestamp};
use crate::key;

const RECEIVED_MS: i64 = 1_795_255_872_345; // 2026-11-21T10:11:12.345Z

/// An event as the gateway stores it.
fn stored(raw: &str, kind: Option<Kind>) -> Vec<u8> {
    let event = scan::event(raw, &LIMITS).unwrap();
    let clean = |text: &Option<Cow<'_, str>>| sanitize::id(text.as_deref().unwrap_or_default()).into_owned();
    let own_type = event.event_type.as_deref();
    let message_id = Some(clean(&event.message_id)).filter(|id| !id.is_empty()).unwrap_or_else(|| "made".to_owned());
    let mut bytes = Vec::new();
    let frame = Frame {
        source_id: "site",
        received_at_ms: RECEIVED_MS,
        request_ip: "192.0.2.7",
        message_id: &message_id,
        user_id: &clean(&event.user_id),
        anonymous_id: &clean(&event.anonymous_id),
        event_type: &kind.map_or_else(|| clean(&event.event_type), |kind| kind.as_str().to_owned()),
        forced_kind: kind.filter(|kind| own_type != Some(kind.as_str())),
        message_id_added: Some(&*message_id) != event.message_id.as_deref(),
        received_at_added: !event.has_received_at,
        request_ip_added: !event.has_request_ip,
        times: Times::of(&event, RECEIVED_MS),
        raw: raw.as_bytes(),
    };
    frame.encode(&mut bytes);
    bytes
}

fn message(frame: &Frame<'_>) -> String {
    let mut out = Vec::new();
    frame.write_message(&mut out);
    String::from_utf8(out).unwrap()
}

/// What comes back of a line, stored again.
fn read_back(line: &str) -> Result<Vec<u8>, Flaw> {
    let mut bytes = Vec::new();
    read(line, "site", Some(&(RECEIVED_MS..=RECEIVED_MS)), |frame| frame.encode(&mut bytes))?;
    Ok(bytes)
}

fn assert_comes_back(raw: &str, kind: Option<Kind>, hint: &str) {
    let before = stored(raw, kind);
    let (before, _) = EventRef::read(&before).unwrap();
    let line = message(&before);
    let after = read_back(&line).unwrap_or_else(|flaw| panic!("{hint}{flaw}: {line}"));
    let (after, _) = EventRef::read(&after).unwrap();
    assert_eq!(message(&after), line, "{hint}");
    let mut wanted = *before;
    let mended = {
        let mut raw = raw.as_bytes().to_vec();
        crate::surrogates::mend(&mut raw);
        raw
    };
    wanted.raw = &mended;
    if !before.request_ip_added {
        // Not in the line: readers see the event's own.
        wanted.request_ip = after.request_ip;
    }
    assert_eq!(format!("{:?}", *after), format!("{wanted:?}"), "{hint}{line}");
}

#[test]
fn what_was_sent_and_what_was_stamped_are_told_apart() {
    for raw in [
        r#"{"type":"track","userId":"u"}"#,
        r#"{"type":"track","userId":7,"messageId":"m-\u00fc"}"#,
        r#"{ "userId" : "u" , "messageId" : " m " }"#,
        r#"{"userId":"u","rudderId":"their own","messageId":"m"}"#,
        r#"{"userId":"u","properties":{"rudderId":"x","text":"\"rudderId\":\"y\""}}"#,
        r#"{"userId":"u","receivedAt":"2020-01-01T00:00:00.000Z","request_ip":"10.0.0.1"}"#,
        r#"{"userId":"u","receivedAt":5,"request_ip":null,"sentAt":"2026-11-21 10:11:12"}"#,
        r#"{"anonymousId":" a\u200b ","originalTimestamp":"2026-11-21T11:10:00.000Z","a":"\ud800"}"#,
        r#"{"type":"record","rows":[1,{"a":null}]}"#,
        r#"{"userId":"u","timestamp":"2026-11-21T10:11:12.345+02:00"   }"#,
    ] {
        for kind in [None, Some(Kind::Track), Some(Kind::Page)] {
            if kind.is_none() || !raw.contains("record") {
                assert_comes_back(raw, kind, "");
            }
        }
    }
}

#[test]
fn whatever_was_accepted_comes_back() {
    let seed = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64 | 1;
    let mut state = seed;
    let mut below = |n: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % n
    };
    const NAMES: [&str; 12] = [
        "userId",
        "anonymousId",
        "messageId",
        "type",
        "receivedAt",
        "request_ip",
        "originalTimestamp",
        "sentAt",
        "timestamp",
        "rudderId",
        "properties",
        "\\u0074ype",
    ];
    const VALUES: [&str; 14] = [
        r#""u-1""#,
        r#"" ü\n""#,
        "7",
        "-1.50e3",
        "null",
        "true",
        "[]",
        r#"{"rudderId":"x","type":"page"}"#,
        r#""2026-11-21T10:11:12.345Z""#,
        r#""2026-11-21T10:11:12Z""#,
        r#""1999-12-31 23:59:59.5+01:00""#,
        r#""\ud83d\ude00 \udc00""#,
        r#""track""#,
        r#""a\"},\"rudderId\":\"b""#,
    ];
    const BLANKS: [&str; 5] = ["", "", "", " ", "  "];
    for round in 0..5_000 {
        let mut raw = "{".to_owned();
        let members = below(9);
        for member in 0..members {
            let (name, value) = (NAMES[below(12) as usize], VALUES[below(14) as usize]);
            let (a, b) = (BLANKS[below(5) as usize], BLANKS[below(5) as usize]);
            let comma = if member == 0 { "" } else { "," };
            raw += &format!("{comma}{a}\"{name}\":{b}{value}");
        }
        // The gateway takes none without.
        raw += if members == 0 { "\"userId\":\"u\"" } else { ",\"userId\":\"u\"" };
        raw += BLANKS[below(5) as usize];
        raw += "}";
        let kind = [None, Some(Kind::Track), Some(Kind::Merge)][below(3) as usize];
        assert_comes_back(&raw, kind, &format!("seed {seed}, round {round}: "));
    }
}

#[test]
fn a_line_of_somebody_elses_is_an_event_with_all_it_says() {
    let line = concat!(
        r#"{"rudderId":"r","userId":"u","type":"track","messageId":"m","request_ip":"192.0.2.9","#,
        r#""receivedAt":"2026-11-21T10:11:12.345Z","originalTimestamp":"2026-11-21T10:11:10.000Z","#,
        r#""sentAt":"2026-11-21T10:11:11.000Z"}"#
    );
    let bytes = read_back(line).unwrap();
    let (event, _) = EventRef::read(&bytes).unwrap();
    assert_eq!((event.message_id, event.user_id, event.event_type), ("m", "u", "track"));
    assert_eq!((event.request_ip, event.received_at_ms, event.raw), ("192.0.2.9", RECEIVED_MS, line.as_bytes()));
    let said: serde_json::Value = serde_json::from_str(&message(&event)).unwrap();
    assert_eq!(said["rudderId"], key::rudder_id("u", ""));
    assert_eq!(said["timestamp"], timestamp(RECEIVED_MS - 1_000), "as the gateway counts it");
    assert_eq!(said["receivedAt"], "2026-11-21T10:11:12.345Z");
}

#[test]
fn an_event_without_a_message_id_gets_the_same_one_each_time() {
    let line = r#"{"userId":"u","type":"track","receivedAt":"2026-11-21T10:11:12.345Z","messageId":" "}"#;
    let id = |line: &str| EventRef::read(&read_back(line).unwrap()).unwrap().0.message_id.to_owned();
    assert_eq!(id(line), id(line));
    assert_ne!(id(line), id(&line.replace("track", "page")));
    assert_eq!(id(line).len(), 36);
}

#[test]
fn the_name_of_its_object_bounds_when_an_event_was_received() {
    let received = |line: &str, span| read(line, "site", span, |frame| frame.received_at_ms);
    let span = 1_000..=2_999;
    for (own, within, alone) in [
        (r#""1970-01-01T00:00:02.000Z""#, Ok(2_000), Ok(2_000)),
        (r#""1970-01-01T00:00:09.000Z""#, Ok(2_999), Ok(9_000)),
        (r#""1960-01-01T00:00:00.000Z""#, Ok(1_000), Ok(-315_619_200_000)),
        ("5", Ok(1_000), Err(Flaw::NoTime)),
    ] {
        let line = format!(r#"{{"userId":"u","receivedAt":{own}}}"#);
        assert_eq!(received(&line, Some(&span)), within, "{own}");
        assert_eq!(received(&line, None), alone, "{own}");
    }
}

#[test]
fn what_is_no_event_says_why() {
    for (line, flaw) in [
        ("", "not JSON at byte 0"),
        ("{\"userId\":\"u\"", "not JSON at byte 13"),
        ("{\"userId\":\"u\"} {}", "not JSON at byte 15"),
        ("[1]", "an event is not an object"),
        (r#"{"type":"track"}"#, "it has neither userId nor anonymousId"),
        (r#"{"type":"track","userId":" \u200b "}"#, "it has neither userId nor anonymousId"),
    ] {
        assert_eq!(read_back(line).unwrap_err().to_string(), flaw, "{line}");
    }
    let deep = format!(r#"{{"userId":"u","a":{}{}}}"#, "[".repeat(255), "]".repeat(255));
    assert!(matches!(read_back(&deep), Err(Flaw::NoEvent(scan::Invalid::TooDeep { .. }))));
}

#[test]
fn broken_lines_are_no_danger() {
    let before = stored(r#"{"type":"track","userId":"ü","a":"\ud83d\ude00"}"#, Some(Kind::Page));
    let line = message(&EventRef::read(&before).unwrap().0);
    for length in (0..line.len()).filter(|length| line.is_char_boundary(*length)) {
        assert!(read_back(&line[..length]).is_err(), "{length}");
    }
}
