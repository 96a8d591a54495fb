use super::*;
use pintle_control::status::DestinationState;
use pintle_control::*;

const NOW: i64 = 1_700_000_000_000;

fn text(write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> String {
    let mut out = Vec::new();
    write(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn destination(id: &str) -> DestinationStatus {
    DestinationStatus {
        id: id.to_owned(),
        name: id.to_owned(),
        state: DestinationState::Enabled,
        delivered: 0,
        filtered: 0,
        lag_events: 0,
        lag_seconds: None,
        parked: 0,
        dead_letters: 0,
        breaker: Breaker::Closed,
        in_flight: 0,
        last_error: None,
    }
}

fn state() -> Status {
    let stuck = DestinationStatus {
        delivered: 12_345,
        lag_events: 70,
        lag_seconds: Some(125.0),
        parked: 2,
        dead_letters: 1,
        breaker: Breaker::Open,
        last_error: Some(LastError { message: "500\u{1b}[31m\nInternal".to_owned(), at_ms: NOW - 3_000 }),
        ..destination("orders")
    };
    Status {
        node: Node { version: "0.1.0".into(), uptime_seconds: 7_500, postgres: "embedded 17".into() },
        log: LogStatus {
            bytes: 12_300_000,
            bytes_max: 80_000_000_000,
            segments: 3,
            oldest_at_ms: Some(NOW - 7_200_000),
            disk_free_bytes: Some(143_000_000_000),
            hours_left: Some(50.0),
            accepting: true,
            refusal: None,
            accepted: 1_000,
        },
        catalog: CatalogStatus {
            revision: 4,
            author: "file".into(),
            file: Some("w.yaml".into()),
            off: vec![Off { connection: "c1".into(), reason: "its event filter".into() }],
            last_error: Some("w.yaml:1:1: a\nw.yaml:2:1: b".into()),
        },
        destinations: vec![stuck, destination("audit")],
    }
}

#[test]
fn status_is_a_page_that_a_person_can_read() {
    let shown = text(|out| super::status::status(&state(), NOW, out));
    assert_eq!(
        shown,
        "\
pintle 0.1.0 · up 2 h 5 min · postgres embedded 17
catalog: revision 4 by file (w.yaml)
log: accepting · 1000 accepted · 12.3 MB of 80.0 GB · 3 segments · oldest 2 h 0 min ago · 143.0 GB free on disk · full in 2 d 2 h

the workspace file is not in force:
  w.yaml:1:1: a
  w.yaml:2:1: b

DESTINATION  STATE       DELIVERED  FILTERED  LAG  OLDEST  IN FLIGHT  PARKED  DEAD  LAST ERROR
orders       waiting         12345         0   70   2 min          0       2     1  500 [31m Internal (3.0 s ago)
audit        delivering          0         0    0       -          0       0     0  -

connections that stay off:
  c1: its event filter
"
    );
}

#[test]
fn a_refusal_stands_where_it_is_seen_first() {
    let mut state = state();
    state.log.accepting = false;
    state.log.refusal = Some("log-bytes-max is reached".into());
    state.destinations.clear();
    let shown = text(|out| super::status::status(&state, NOW, out));
    assert!(shown.contains("log: refusing: log-bytes-max is reached · "), "{shown}");
    assert!(shown.contains("no destinations"), "{shown}");
}

fn letter() -> DeadLetter {
    DeadLetter {
        id: "7".into(),
        destination_id: "orders".into(),
        source_id: "site".into(),
        message_id: "m-\u{1b}]0;x\u{7}1".into(),
        event_type: "track".into(),
        reason: "answered 400: no".into(),
        attempts: 3,
        at_ms: NOW - 90_000,
    }
}

#[test]
fn dead_letters_are_listed_without_what_could_repaint_a_terminal() {
    let page = DeadLetterPage { dead_letters: vec![letter()], next_before: None };
    let shown = text(|out| dead_letters::list(&page, NOW, out));
    assert_eq!(
        shown,
        "\
ID  WHEN       DESTINATION  SOURCE  TYPE   TRIES  MESSAGE ID  REASON
7   1 min ago  orders       site    track      3  m- ]0;x 1   answered 400: no
"
    );
}

#[test]
fn one_dead_letter_shows_everything() {
    let detail = DeadLetterDetail {
        letter: letter(),
        position: "1.2.3".into(),
        connection_id: "site-orders".into(),
        stage: "transformation".into(),
        output: 0,
        error: Some("Error: x\n    at transformEvent".into()),
        request: None,
        response: Some("400".into()),
        payload: Some(raw(r#"{"a":[1]}"#)),
        received: Some(raw(r#"{"b":2}"#)),
        steps: vec![step()],
        untold: None,
    };
    let shown = text(|out| dead_letters::detail(&detail, NOW, out));
    assert!(shown.contains("position     1.2.3 output 0\n"), "{shown}");
    assert!(shown.contains("\nerror:\n  Error: x\n      at transformEvent\n"), "{shown}");
    assert!(!shown.contains("request:"), "{shown}");
    assert!(shown.contains("\nreceived:\n  {\n    \"b\": 2\n  }\n\nafter tidy (c0de):\n  {}\n  and 2 more"), "{shown}");
    assert!(shown.contains("\n  dropped by hand\n\npayload:\n  {\n    \"a\": [\n      1\n    ]\n  }\n"), "{shown}");
    assert!(shown.ends_with("\nresponse:\n  400\n"), "{shown}");
    let gone = DeadLetterDetail { received: None, payload: None, steps: Vec::new(), ..detail };
    let shown = text(|out| dead_letters::detail(&gone, NOW, out));
    assert!(shown.contains("received:\n  gone") && shown.contains("payload:\n  gone"), "{shown}");
}

fn raw(text: &str) -> Box<serde_json::value::RawValue> {
    serde_json::value::RawValue::from_string(text.into()).unwrap()
}

fn step() -> TraceStep {
    TraceStep {
        transformation: "tidy".into(),
        version: "c0de".into(),
        events: vec![raw("{}")],
        more: 2,
        ended: vec!["dropped by hand".into()],
    }
}

#[test]
fn a_dry_run_shows_what_would_be_sent_and_what_would_not() {
    let request = DryRunRequest { request: "POST http://x/\n\n{}".into(), refused: Some("no such host".into()) };
    let sent = DryRunResult { outcome: "send".into(), reason: None, requests: vec![request] };
    let refused = DryRunResult { outcome: "refuse".into(), reason: Some("no email".into()), requests: Vec::new() };
    let run = DryRun { steps: vec![step()], results: vec![sent, refused] };
    assert!(!run.would_be_sent());
    let shown = text(|out| dead_letters::dry_run(&run, out));
    assert!(shown.starts_with("\nafter tidy (c0de):\n"), "{shown}");
    let end = "request:\n  POST http://x/\n  \n  {}\n\nnot sent:\n  no such host\n\nrefuse:\n  no email\n";
    assert!(shown.ends_with(end), "{shown}");
    let filtered = DryRunResult { outcome: "filter".into(), reason: Some("dropped".into()), requests: Vec::new() };
    assert!(DryRun { steps: Vec::new(), results: vec![filtered] }.would_be_sent());
}

#[test]
fn an_event_is_one_line() {
    let event = TailEvent {
        source_id: "site".into(),
        message_id: "m1".into(),
        event_type: "track".into(),
        received_at_ms: NOW,
        event: serde_json::value::RawValue::from_string("{\n\"a\":1}".into()).unwrap().into(),
    };
    let shown = text(|out| events::line(&event, out));
    assert_eq!(shown, "22:13:20.000Z  site  track  m1  { \"a\":1}\n");
}

#[test]
fn durations_and_sizes_have_units() {
    let durations = [0.04, 9.96, 59.4, 60.0, 3_599.0, 3_600.0, 90_000.0].map(duration);
    assert_eq!(durations, ["0.0 s", "10.0 s", "59 s", "1 min", "59 min", "1 h 0 min", "1 d 1 h"]);
    let sizes = [0, 999, 1_000, 1_500_000, 2_000_000_000_000].map(size);
    assert_eq!(sizes, ["0 B", "999 B", "1.0 kB", "1.5 MB", "2.0 TB"]);
    assert_eq!([ago(NOW, NOW), ago(NOW + 5, NOW), ago(NOW - 2_000, NOW)], ["now", "now", "2.0 s ago"]);
}

#[test]
fn long_texts_are_cut_by_characters() {
    assert_eq!(short("ääääää", 4), "äää…");
    assert_eq!(short("äää", 3), "äää");
}
