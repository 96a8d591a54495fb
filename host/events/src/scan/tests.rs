use super::*;

const LIMITS: Limits = Limits { nesting_max: 100, events_max: 1000 };

fn one(text: &str) -> Event<'_> {
    event(text, &LIMITS).unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn nested(open: &str, inner: &str, close: &str, depth: usize) -> String {
    format!("{}{inner}{}", open.repeat(depth), close.repeat(depth))
}

#[test]
fn the_fields_of_an_event_are_found_and_its_text_is_untouched() {
    let text = r#" {"type":"track","messageId":"m-1","userId":"u","anonymousId":"a","x":{"userId":"inner"},
        "receivedAt":null,"request_ip":"1.2.3.4"} "#;
    let event = one(text);
    assert_eq!(event.raw, text.trim());
    assert_eq!(event.event_type.as_deref(), Some("track"));
    assert_eq!(event.message_id.as_deref(), Some("m-1"));
    assert_eq!(event.user_id.as_deref(), Some("u"));
    assert_eq!(event.anonymous_id.as_deref(), Some("a"));
    assert!(event.has_received_at && event.has_request_ip);
}

#[test]
fn an_empty_object_is_an_event_without_fields() {
    assert_eq!(one("{}"), Event { raw: "{}", ..Event::default() });
}

#[test]
fn numbers_are_ids_as_they_were_written_and_other_values_are_not() {
    let event = one(r#"{"userId":12345678901234567890123,"anonymousId":-1.50e+3,"messageId":5,"type":6}"#);
    assert_eq!(event.user_id.as_deref(), Some("12345678901234567890123"));
    assert_eq!(event.anonymous_id.as_deref(), Some("-1.50e+3"));
    assert_eq!((event.message_id, event.event_type), (None, None));
    for value in ["null", "true", "false", "{}", "[]", r#"["a"]"#, r#"{"a":1}"#] {
        assert_eq!(one(&format!(r#"{{"userId":{value}}}"#)).user_id, None, "{value}");
    }
}

#[test]
fn the_last_of_repeated_names_counts() {
    assert_eq!(one(r#"{"userId":"a","userId":"b"}"#).user_id.as_deref(), Some("b"));
    assert_eq!(one(r#"{"userId":"a","userId":null}"#).user_id, None);
    let events = batch(r#"{"batch":[{"userId":1},7],"batch":[{"userId":2}]}"#, &LIMITS).unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].as_ref().unwrap().user_id.as_deref(), Some("2"));
}

#[test]
fn escapes_are_resolved_in_names_and_values() {
    let event = one(r#"{"user\u0049d":"\u00fc\n\"\\\/\b\f\r\t\ud83e\udd80","\u0061nonymousId":"x"}"#);
    assert_eq!(event.user_id.as_deref(), Some("ü\n\"\\/\u{8}\u{c}\r\t🦀"));
    assert_eq!(event.anonymous_id.as_deref(), Some("x"));
}

#[test]
fn half_a_surrogate_pair_is_json_and_reads_as_the_replacement_character() {
    for (text, expected) in [
        (r"\ud800", "\u{fffd}"),
        (r"\udc00x", "\u{fffd}x"),
        (r"\ud800\u0041", "\u{fffd}A"),
        (r"\ud800\ud83e\udd80", "\u{fffd}🦀"),
        (r"\ud800\n", "\u{fffd}\n"),
    ] {
        assert_eq!(one(&format!(r#"{{"userId":"{text}"}}"#)).user_id.as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn a_nul_may_be_escaped_but_not_bare() {
    assert_eq!(one(r#"{"userId":"a\u0000"}"#).user_id.as_deref(), Some("a\0"));
    assert_eq!(event("{\"userId\":\"a\0\"}", &LIMITS), Err(Invalid::Json { at: 12 }));
}

#[test]
fn what_is_not_json_is_refused() {
    for text in [
        "",
        " ",
        "{",
        "}",
        "{]",
        r#"{"a"}"#,
        r#"{"a":}"#,
        r#"{"a":1,}"#,
        r#"{,}"#,
        r#"{"a":1 "b":2}"#,
        "{}x",
        "{}{}",
        r#"{a:1}"#,
        r#"{'a':1}"#,
        r#"{"a":01}"#,
        r#"{"a":+1}"#,
        r#"{"a":1.}"#,
        r#"{"a":.5}"#,
        r#"{"a":1e}"#,
        r#"{"a":-}"#,
        r#"{"a":NaN}"#,
        r#"{"a":tru}"#,
        r#"{"a":nulll}"#,
        r#"{"a":[1,]}"#,
        r#"{"a":[1 2]}"#,
        r#"{"a":"\x"}"#,
        r#"{"a":"\u12g4"}"#,
        r#"{"a":"\u12"}"#,
        r#"{"a":"\"}"#,
        r#"{"a":"b}"#,
        "{\"a\":\"\n\"}",
        "{\"a\":\"\u{1f}\"}",
        "{\"a\":\u{b}1}",
        "\u{feff}{}",
        r#"{"a":[}"#,
        r#"{"a":{]}"#,
        "/* */{}",
    ] {
        assert!(matches!(event(text, &LIMITS), Err(Invalid::Json { .. })), "{text:?}");
        let in_batch = format!(r#"{{"batch":[{{}},{text}]}}"#);
        assert!(matches!(batch(&in_batch, &LIMITS), Err(Invalid::Json { .. })), "{in_batch:?}");
    }
}

#[test]
fn a_value_that_is_no_object_is_not_an_event() {
    for text in ["1", "null", "\"x\"", "[]", "[{}]"] {
        assert_eq!(event(text, &LIMITS), Err(Invalid::NotAnObject), "{text}");
        let body = format!(r#"{{"batch":[{{}}, {text} ,{{}}]}}"#);
        let elements = batch(&body, &LIMITS).unwrap();
        assert_eq!(elements[1], Err(Unfit { raw: text, flaw: Flaw::NotAnObject }));
        assert!(elements[0].is_ok() && elements[2].is_ok() && elements.len() == 3);
    }
}

#[test]
fn a_body_without_events_is_an_empty_batch() {
    for text in ["{}", r#"{"batch":[]}"#, r#"{"batch":null}"#, r#"{"batch":{"0":{}}}"#, "[{}]", "3", r#"{"a":[{}]}"#] {
        assert_eq!(batch(text, &LIMITS), Err(Invalid::EmptyBatch), "{text}");
    }
}

#[test]
fn malformed_json_behind_a_bad_event_outranks_it() {
    assert!(matches!(batch(r#"{"batch":[1],}"#, &LIMITS), Err(Invalid::Json { .. })));
    assert!(matches!(batch(r#"{"batch":[]} x"#, &LIMITS), Err(Invalid::Json { .. })));
}

#[test]
fn every_event_of_a_batch_keeps_its_own_text() {
    let text = r#"{"sentAt":"now","batch":[ {"userId":1} ,{"userId" : "2","p":[1,{"a":"]}"}]}],"context":{}}"#;
    let events = batch(text, &LIMITS).unwrap();
    let raws: Vec<_> = events.iter().map(|e| e.as_ref().unwrap().raw).collect();
    assert_eq!(raws, [r#"{"userId":1}"#, r#"{"userId" : "2","p":[1,{"a":"]}"}]}"#]);
}

#[test]
fn nesting_counts_from_the_event_and_ends_at_the_limit() {
    let at_limit = format!(r#"{{"a":{}}}"#, nested("[", "1", "]", 99));
    let beyond = format!(r#"{{"a":{}}}"#, nested("[", "1", "]", 100));
    assert!(event(&at_limit, &LIMITS).is_ok());
    assert!(matches!(event(&beyond, &LIMITS), Err(Invalid::TooDeep { .. })));
    assert!(batch(&format!(r#"{{"batch":[{at_limit}]}}"#), &LIMITS).is_ok());
    let body = format!(r#"{{"batch":[{beyond} , {{"userId":1}}]}}"#);
    let elements = batch(&body, &LIMITS).unwrap();
    assert_eq!(elements[0], Err(Unfit { raw: &beyond, flaw: Flaw::TooDeep }));
    assert_eq!(elements[1].as_ref().unwrap().user_id.as_deref(), Some("1"));
    let widest = Limits { nesting_max: 255, ..LIMITS };
    let mixed = format!(r#"{{"a":{}}}"#, nested(r#"[{"b":"#, "1", "}]", 127));
    assert!(event(&mixed, &widest).is_ok());
}

#[test]
fn a_million_brackets_are_refused_without_a_stack_overflow() {
    for open in ["[", r#"{"a":"#] {
        let text = format!(r#"{{"a":{}"#, open.repeat(1_000_000));
        assert!(matches!(event(&text, &LIMITS), Err(Invalid::TooDeep { .. })));
        let text = format!(r#"{{"batch":[{text}"#);
        assert!(matches!(batch(&text, &LIMITS), Err(Invalid::Json { .. })));
    }
}

#[test]
fn a_batch_ends_at_the_number_of_events_it_may_have() {
    let body = |count: usize| format!(r#"{{"batch":[{}]}}"#, vec!["{}"; count].join(","));
    assert_eq!(batch(&body(1000), &LIMITS).unwrap().len(), 1000);
    assert_eq!(batch(&body(1001), &LIMITS), Err(Invalid::TooManyEvents));
}

#[test]
fn huge_numbers_are_text_like_any_other() {
    let digits = "9".repeat(10_000);
    let text = format!(r#"{{"userId":{digits},"v":1e999999999,"w":-0.{digits}E-{digits}}}"#);
    assert_eq!(one(&text).user_id.as_deref(), Some(digits.as_str()));
}

#[test]
fn every_prefix_of_an_event_is_refused() {
    let text = r#"{"type":"track","userId":"ü\u00e9","p":{"a":[1.5e3,true,null,{}],"b":"\\"},"n":-0}"#;
    for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
        assert!(matches!(event(&text[..end], &LIMITS), Err(Invalid::Json { .. })), "{}", &text[..end]);
    }
}

#[test]
fn control_characters_are_found_at_every_offset_of_a_string() {
    for length in 0..40 {
        for bad in [0u8, 1, 0x1f] {
            let text = format!("{{\"k\":\"{}{}tail\"}}", "é".repeat(length), char::from(bad));
            assert!(event(&text, &LIMITS).is_err(), "{length} {bad}");
        }
        let fine = format!("{{\"userId\":\"{}\u{7f}\u{80} tail\"}}", "x".repeat(length));
        assert!(event(&fine, &LIMITS).is_ok(), "{length}");
    }
}

#[test]
fn a_member_of_the_body_is_found_beside_its_events() {
    let body = r#"{"batch":[{"writeKey":"inner"}],"write\u004bey":"k\u00e9y","n":1}"#;
    assert_eq!(member(body, "writeKey").as_deref(), Some("kéy"));
    assert_eq!(member(body, "n"), None);
    assert_eq!(member("[1]", "writeKey"), None);
}

#[test]
fn times_are_found_as_they_were_written() {
    let event = one(r#"{"originalTimestamp":"a","sentAt":"b","timestamp":"c","receivedAt":7}"#);
    let times = [&event.original_timestamp, &event.sent_at, &event.timestamp, &event.received_at];
    assert_eq!(times.map(|time| time.as_deref()), [Some("a"), Some("b"), Some("c"), None]);
    assert!(event.has_received_at);
}
