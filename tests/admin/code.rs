//! Transformations: drafts, versions, test runs, logs.

use crate::setup::{connected, mark, publish, push, revision};
use pintle_tests::events::{Events, post};
use pintle_tests::pintle::{Options, Pintle};
use pintle_tests::receiver::Receiver;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_tried_published_and_rolled_back() {
    let receiver = Receiver::start().await;
    let pintle = Pintle::start(Options::without_file()).await;
    publish(&pintle, "tidy", &mark("v", "1")).await;
    connected(&pintle, &receiver, &["tidy"]).await;
    let send = async |seed: u64, total: u64| {
        post(pintle.gateway(), &Events::new(seed, 0).after(2 * seed as usize).many(4, 2), 8).await.unwrap();
        pintle.wait_delivered("orders", total).await;
        receiver.received().last().unwrap().json()["properties"]["v"].clone()
    };
    assert_eq!(send(1, 8).await, "1");

    let (status, draft) = push(&pintle, "tidy", &mark("v", "2")).await;
    assert_eq!((status, &draft["live"]["number"]), (200, &json!(1)), "{draft:#}");
    assert_eq!(send(2, 16).await, "1", "a draft runs for nobody");
    let event = json!({"type": "track", "event": "x", "messageId": "m1", "properties": {}});
    let path = "/admin/v1/transformations/tidy";
    for (version, expected) in [(Value::Null, "2"), (json!("live"), "1"), (json!("1"), "1")] {
        let mut body = json!({"events": [event, {"message": event, "metadata": {"sourceId": "s"}}]});
        body["version"] = version;
        let trial = pintle.make("POST", &format!("{path}/test"), &body).await;
        assert_eq!(trial["results"][1]["outputs"][0]["properties"]["v"], expected, "{trial:#}");
        assert!(trial["memory_bytes"].as_u64().unwrap() > 0 && trial["took_ms"].as_f64().unwrap() > 0.0, "{trial:#}");
    }

    let digest = draft["draft"]["digest"].clone();
    let first = pintle.make("POST", &format!("{path}/publish"), &json!({"digest": digest, "note": "two"})).await;
    assert_eq!((&first["version"]["number"], &first["changed"]), (&json!(2), &json!(true)), "{first:#}");
    let before = revision(&pintle).await;
    for body in [json!({"digest": digest, "note": "two"}), Value::Null] {
        let again = pintle.make("POST", &format!("{path}/publish"), &body).await;
        assert_eq!((&again["version"], &again["changed"]), (&first["version"], &json!(false)), "{again:#}");
    }
    let (status, same) = push(&pintle, "tidy", &mark("v", "2")).await;
    assert_eq!((status, &same["draft"]), (200, &Value::Null), "code that is live is no draft: {same:#}");
    assert_eq!(revision(&pintle).await, before, "repeating changes nothing");
    assert_eq!(send(3, 24).await, "2");

    let back = pintle.make("POST", &format!("{path}/rollback"), &Value::Null).await;
    assert_eq!(back["version"]["number"], 1, "{back:#}");
    assert_eq!(send(4, 32).await, "1");
    let versions = pintle.make("GET", &format!("{path}/versions"), &Value::Null).await;
    let live: Vec<&Value> = versions["items"].as_array().unwrap().iter().map(|version| &version["live"]).collect();
    assert_eq!(live, [&json!(false), &json!(true)], "{versions:#}");
    let code = pintle.ask("GET", &format!("{path}/code?version=2"), &[], b"").await.unwrap();
    assert_eq!(code.text, mark("v", "2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn code_that_would_not_run_is_refused_with_its_place() {
    let pintle = Pintle::start(Options::without_file()).await;
    let (status, problem) = push(&pintle, "t", "export function transformEvent(event) {\n  return event +;\n}\n").await;
    assert_eq!(status, 422, "{problem:#}");
    let place = &problem["script"];
    assert_eq!((&place["line"], &place["excerpt"]), (&json!(2), &json!("  return event +;")), "{problem:#}");
    let (status, problem) = push(&pintle, "t", "let nothing = 1;").await;
    assert_eq!(status, 422, "{problem:#}");

    let send = async |bytes: &[u8]| {
        let answer = pintle.ask("PUT", "/admin/v1/transformations/t/draft", &[], bytes).await.unwrap();
        (answer.status, answer.text)
    };
    for (bytes, text) in [
        (&b"\0asm\x0d\0\x01\0junk"[..], "not valid"),
        (b"\0asm\x01\0\0\0", "core WebAssembly module"),
        (b"export \xff", "not UTF-8 at byte 7"),
    ] {
        let (status, said) = send(bytes).await;
        assert!(status == 422 && said.contains(text), "{status} {said}");
    }
    let webhook = std::fs::read(pintle_tests::folder::target_dir().join("plugins/webhook.wasm")).unwrap();
    let (status, said) = send(&webhook).await;
    assert!(status == 422 && said.contains("pintle:plugin/transformation@") && said.contains("destination"), "{said}");
    let (status, said) = send(b"").await;
    assert!(status == 400 && said.contains("empty"), "{said}");
    assert_eq!(pintle.call("GET", "/admin/v1/transformations/t", &Value::Null).await.0, 404, "nothing was made of it");

    let (status, _) = push(&pintle, "t", &mark("v", "1")).await;
    assert_eq!(status, 201);
    let body = json!({"source": "s", "destination": "d", "transformations": ["t"]});
    let (status, problem) = pintle.call("PUT", "/admin/v1/connections/c", &body).await;
    assert_eq!(status, 422);
    assert!(problem.to_string().contains("was never published"), "{problem:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_library_and_what_imports_it_are_saved_in_any_order_and_published_in_the_right_one() {
    let pintle = Pintle::start(Options::without_file()).await;
    let code =
        "import { shout } from 'words';\nexport function transformEvent(event) { event.a = shout('a'); return event; }";
    let (status, problem) = push(&pintle, "t", code).await;
    assert!(status == 422 && problem["detail"].to_string().contains("words"), "{problem:#}");

    let library = "export const shout = (text) => text.toUpperCase();";
    let path = "/admin/v1/libraries/words";
    let saved = pintle.ask("PUT", &format!("{path}/draft"), &[], library.as_bytes()).await.unwrap();
    assert_eq!(saved.status, 201, "{saved:?}");
    assert_eq!(push(&pintle, "t", code).await.0, 201);
    let trial = json!({"events": [{"type": "track"}]});
    let trial = pintle.make("POST", "/admin/v1/transformations/t/test", &trial).await;
    assert_eq!(trial["results"][0]["outputs"][0]["a"], "A", "{trial:#}");

    let publish = "/admin/v1/transformations/t/publish";
    let (status, problem) = pintle.call("POST", publish, &Value::Null).await;
    assert!(status == 422 && problem["detail"].to_string().contains("words"), "{problem:#}");
    pintle.make("POST", &format!("{path}/publish"), &Value::Null).await;
    pintle.make("POST", publish, &Value::Null).await;

    let broken = pintle.ask("PUT", &format!("{path}/draft"), &[], b"export const a = ;").await.unwrap();
    assert_eq!(broken.status, 422, "{broken:?}");
    let problem: Value = serde_json::from_str(&broken.text).unwrap();
    assert_eq!((&problem["script"]["file"], &problem["script"]["line"]), (&json!("library words"), &json!(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_library_without_which_live_code_would_not_run_stays() {
    let pintle = Pintle::start(Options::without_file()).await;
    let save = async |kind: &str, id: &str, code: &str| {
        let path = format!("/admin/v1/{kind}/{id}");
        let saved = pintle.ask("PUT", &format!("{path}/draft"), &[], code.as_bytes()).await.unwrap();
        assert!([200, 201].contains(&saved.status), "{saved:?}");
        pintle.call("POST", &format!("{path}/publish"), &Value::Null).await
    };
    assert_eq!(save("libraries", "words", "export const shout = (text) => text.toUpperCase();").await.0, 200);
    assert_eq!(save("libraries", "more", "export { shout } from 'words';").await.0, 200);
    let code = "import { shout } from 'more';\nexport function transformEvent(event) { return { a: shout('a') }; }";
    assert_eq!(save("transformations", "t", code).await.0, 200);
    let before = pintle.make("GET", "/admin/v1/libraries/words", &Value::Null).await;

    let (status, problem) = save("libraries", "words", "export const whisper = 1;").await;
    assert_eq!(status, 422, "{problem:#}");
    assert_eq!(problem["errors"][0]["path"], "transformations.t", "{problem:#}");
    assert!(problem["detail"].to_string().contains("shout"), "{problem:#}");
    for library in ["words", "more"] {
        let (status, problem) = pintle.call("DELETE", &format!("/admin/v1/libraries/{library}"), &Value::Null).await;
        assert!(status == 422 && problem["detail"].to_string().contains("without it"), "{problem:#}");
    }
    let now = pintle.make("GET", "/admin/v1/libraries/words", &Value::Null).await;
    assert_eq!(now["live"], before["live"]);

    // What does not matter to anybody goes through.
    let both = "export const shout = (text) => text + '!'; export const whisper = 1;";
    assert_eq!(save("libraries", "words", both).await.0, 200);
    let trial = pintle.make("POST", "/admin/v1/transformations/t/test", &json!({"events": [{"type": "track"}]})).await;
    assert_eq!(trial["results"][0]["outputs"][0]["a"], "a!", "{trial:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_that_the_live_code_cannot_have_are_refused() {
    let pintle = Pintle::start(Options::without_file()).await;
    let path = "/admin/v1/transformations/t";
    let code = b"def transformEvent(event, metadata):\n    return event\n";
    let saved = pintle.ask("PUT", &format!("{path}/draft?language=python"), &[], code).await.unwrap();
    assert_eq!(saved.status, 201, "{saved:?}");
    pintle.make("POST", &format!("{path}/publish"), &Value::Null).await;
    let before = revision(&pintle).await;
    let (status, problem) = pintle.call("PUT", path, &json!({"hosts": ["api.example.com:8443"]})).await;
    assert!(status == 422 && problem["detail"].to_string().contains("no network"), "{problem:#}");
    assert_eq!(revision(&pintle).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_logs_and_drops_are_told_apart() {
    let receiver = Receiver::start().await;
    let pintle = Pintle::start(Options::without_file()).await;
    let code = "export function transformEvent(event) {\n  log('saw ' + event.n);\n  if (event.n === 1) return;\n  if (event.n === 2) throw new Error('no two');\n  return event;\n}\n";
    publish(&pintle, "t", code).await;
    let events: Vec<Value> = (0..3).map(|n| json!({"type": "track", "messageId": format!("m{n}"), "n": n})).collect();
    let trial = pintle.make("POST", "/admin/v1/transformations/t/test", &json!({"events": events})).await;
    let results = trial["results"].as_array().unwrap();
    assert_eq!(results[0]["outputs"][0]["n"], 0, "{trial:#}");
    assert_eq!((&results[1]["dropped"], &results[2]["dropped"]), (&json!(true), &json!(false)), "{trial:#}");
    assert_eq!(
        (&results[2]["error"]["line"], results[2]["error"]["message"].as_str().unwrap().contains("no two")),
        (&json!(4), true)
    );
    assert_eq!(trial["logs"].as_array().unwrap().len(), 3, "{trial:#}");

    connected(&pintle, &receiver, &["t"]).await;
    let logs = "/admin/v1/transformations/t/logs";
    let empty = pintle.make("GET", logs, &Value::Null).await;
    assert_eq!(empty["items"], json!([]), "a test run is nobody's log: {empty:#}");
    let mut follow = pintle.command(&["transform", "logs", "t", "--follow", "--json"]);
    let mut follow = follow.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut lines = tokio::io::AsyncBufReadExt::lines(tokio::io::BufReader::new(follow.stdout.take().unwrap()));
    post(pintle.gateway(), &Events::new(1, 0).many(3, 1), 3).await.unwrap();
    pintle.wait_delivered("orders", 3).await;
    let line: Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
    assert_eq!((&line["message"], &line["seq"]), (&json!("saw undefined"), &json!(1)), "{line:#}");
    let figures = pintle.make("GET", "/admin/v1/transformations/t/figures", &Value::Null).await;
    assert!(figures["events"].as_u64().unwrap() >= 3 && figures["memory_high_bytes"].as_u64() > Some(0), "{figures:#}");
    assert!(figures["seconds"]["total"].as_f64().unwrap() > 0.0, "{figures:#}");
    let shown = pintle.cli(&["transform", "show", "t"]).await;
    assert!(shown.out.contains("events") && shown.out.contains("at most"), "{shown:?}");
    assert_eq!(pintle.call("GET", "/admin/v1/transformations/none/figures", &Value::Null).await.0, 404);
    let page = pintle.make("GET", &format!("{logs}?after=1"), &Value::Null).await;
    assert_eq!(page["items"].as_array().unwrap().len(), 2, "{page:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn transformations_of_a_source_decide_where_its_events_go() {
    let (one, two) = (Receiver::start().await, Receiver::start().await);
    let pintle = Pintle::start(Options::without_file()).await;
    let code = "export function transformEvent(event) { event.integrations = event.userId === 'user-0' ? {All: false, two: true} : {two: false}; return event; }";
    publish(&pintle, "route", code).await;
    connected(&pintle, &one, &[]).await;
    let body = json!({"plugin": "webhook", "config": {"webhookUrl": two.url("/")}});
    pintle.make("PUT", "/admin/v1/destinations/two", &body).await;
    pintle.make("PUT", "/admin/v1/connections/site-two", &json!({"source": "site", "destination": "two"})).await;
    pintle.make("PUT", "/admin/v1/sources/site", &json!({"transformations": ["route"]})).await;

    post(pintle.gateway(), &Events::new(5, 0).many(3, 10), 10).await.unwrap();
    pintle.wait_delivered("orders", 20).await;
    pintle.wait_delivered("two", 10).await;
    assert!(one.received().iter().all(|got| got.json()["userId"] != "user-0"));
    assert!(two.received().iter().all(|got| got.json()["userId"] == "user-0"));
}
