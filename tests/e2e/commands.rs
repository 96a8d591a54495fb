//! What people and scripts ask a running Pintle.

use pintle_tests::events::{Events, post};
use pintle_tests::http::Request;
use pintle_tests::pintle::{Options, Pintle};
use pintle_tests::receiver::Receiver;
use pintle_tests::workspace::{WRITE_KEY, Workspace};
use serde_json::Value;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};

#[tokio::test(flavor = "multi_thread")]
async fn status_is_told_in_text_and_json_and_never_on_the_gateways_port() {
    let receiver = Receiver::start().await;
    let pintle = Pintle::start(Options::new(&Workspace::new().webhook("orders", &receiver.url("/")))).await;
    post(pintle.gateway(), &Events::new(12, 0).many(5, 4), 20).await.unwrap();
    pintle.wait_delivered("orders", 20).await;

    let json = pintle.cli(&["status", "--json"]).await;
    assert_eq!(json.code, 0, "{json:?}");
    assert_eq!(json.json()["destinations"][0]["delivered"], 20, "{json:?}");
    let text = pintle.cli(&["status"]).await;
    assert_eq!(text.code, 0, "{text:?}");
    for part in ["DESTINATION", "orders", "delivering", "20", "accepting", "embedded"] {
        assert!(text.out.contains(part), "{part}: {}", text.out);
    }
    let none = pintle.cli(&["dead-letters", "list"]).await;
    assert_eq!((none.code, none.out.as_str(), none.err.as_str()), (0, "", "no dead letters\n"));
    let nobody = pintle.cli(&["status", "--admin", "http://127.0.0.1:9"]).await;
    assert_eq!(nobody.code, 69, "{nobody:?}");

    let metrics = pintle.metrics().await;
    assert!(metrics.lines().any(|line| line.starts_with("pintle_")), "{metrics}");
    for path in ["/metrics", "/admin/v1/status", "/admin/v1/dead-letters", "/admin/v1/events/tail"] {
        for method in ["GET", "POST"] {
            let answer = Request::new(method, path).send(pintle.gateway()).await.unwrap();
            assert_eq!(answer.status, 404, "{method} {path}");
        }
    }
    for (path, status) in [("/health", 200), ("/ready", 200)] {
        assert_eq!(Request::new("GET", path).send(pintle.gateway()).await.unwrap().status, status, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tail_shows_events_as_they_are_accepted() {
    let receiver = Receiver::start().await;
    let pintle = Pintle::start(Options::new(&Workspace::new().webhook("orders", &receiver.url("/")))).await;
    let follow = |arguments: &'static [&'static str]| {
        let mut tail = pintle.command(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(tail.stdout.take().unwrap()).lines();
        (tail, lines)
    };
    let (_json_tail, mut json) = follow(&["events", "tail", "--json"]);
    let (_text_tail, mut text) = follow(&["events", "tail"]);

    // A tail shows what comes after it has begun, and does not say when that is: so events go on coming.
    let gateway = pintle.gateway();
    let posting = tokio::spawn(async move {
        let mut events = Events::new(13, 0);
        for n in 0.. {
            post(gateway, &[events.track("ann", n)], 1).await.unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let patience = Duration::from_secs(30);
    let line = tokio::time::timeout(patience, json.next_line()).await.expect("a line").unwrap().unwrap();
    let event: Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&event["source_id"], &event["event_type"]), (&"site".into(), &"track".into()), "{line}");
    assert_eq!(event["event"]["userId"], "ann", "{line}");
    assert_eq!(event["message_id"], event["event"]["messageId"], "{line}");
    let line = tokio::time::timeout(patience, text.next_line()).await.expect("a line").unwrap().unwrap();
    assert!(line.contains("site  track  ann/"), "{line}");
    posting.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_out_of_the_log_is_what_the_client_wrote_with_fields_behind_it() {
    let receiver = Receiver::start().await;
    let pintle = Pintle::start(Options::new(&Workspace::new().webhook("orders", &receiver.url("/")))).await;
    let mut tail = pintle.command(&["events", "tail", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    let sent = [
        r#"{"userId":"exact","properties":{"id":9007199254740993,"more":12345678901234567890.12345678901234567890}}"#,
        r#"{"userId":"exact","z":1,"a":{"b":1,"b":2},"z":3,"tiny":1E-400,"one":1.0e+0,"minus":-0}"#,
        r#"{"userId":"exact","e":"\u00e9\/\u0041\u0000\ud83d\ude00","\u006b":"\b\f","":[ ]}"#,
        "{ \"userId\" :\t\"exact\" , \"x\": [ 1 ,2 ]  }",
    ];
    // A tail shows what comes after it has begun, and does not say when that is: so they go on coming.
    let gateway = pintle.gateway();
    let posting = tokio::spawn(async move {
        loop {
            let single = Request::post("/v1/track", sent[0]).key(WRITE_KEY);
            let batch = Request::post("/v1/batch", format!("{{\"batch\":[{}]}}", sent.join(" , "))).key(WRITE_KEY);
            let lines = Request::post("/v1/track", "{\r\n\"userId\":\n\"lines\"\n}\n").key(WRITE_KEY);
            for request in [single, batch.clone(), batch.gzip(), lines] {
                assert_eq!(request.send(gateway).await.unwrap().status, 200);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    // A line of the tail is one line: breaks between two words are blanks in it.
    let expected = [&sent[..], &[r#"{  "userId": "lines" }"#]].concat();
    let mut unseen = expected.clone();
    while !unseen.is_empty() {
        let line = tokio::time::timeout(Duration::from_secs(30), lines.next_line()).await.expect("a line").unwrap();
        let line = line.unwrap();
        serde_json::from_str::<Value>(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let event = line.split_once("\"event\":").expect("a line of the tail has an event").1;
        let behind = |sent: &str| event.strip_prefix(&sent[..sent.len() - 1]);
        let one = expected.iter().find(|sent| behind(sent).is_some_and(|rest| rest.starts_with(",\"rudderId\":")));
        let one = one.unwrap_or_else(|| panic!("nobody sent {event}"));
        unseen.retain(|other| other != one);
    }
    posting.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_used_is_told_with_its_place() {
    let pintle = Pintle::start(Options::new(&Workspace::new())).await;
    let folder = pintle_tests::folder::Folder::new("check");
    let path = folder.path().join("workspace.yaml");
    let path = path.to_str().unwrap();

    std::fs::write(path, "sources:\n  site:\n    write-kee: x\n").unwrap();
    let bad = pintle.cli(&["import", "--check", path]).await;
    assert_eq!(bad.code, 65, "{bad:?}");
    assert!(bad.err.contains(":3:") && bad.err.contains("write-kee"), "{bad:?}");
    let bad = pintle.cli(&["import", "--check", path, "--json"]).await;
    assert_eq!(bad.code, 65, "{bad:?}");
    assert!(bad.json().is_object(), "{bad:?}");

    std::fs::write(path, Workspace::new().webhook("orders", "http://127.0.0.1:9/").text()).unwrap();
    let good = pintle.cli(&["import", "--check", path, "--json"]).await;
    assert_eq!((good.code, &good.json()["kind"]), (0, &"pintle".into()), "{good:?}");
}
