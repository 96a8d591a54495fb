//! What became of one event, and why: with and without a trace, and the same calls once more.

use pintle_tests::events::{Events, post};
use pintle_tests::http::Request;
use pintle_tests::pintle::{Options, Pintle, Said, destination};
use pintle_tests::receiver::{Answer, Receiver};
use pintle_tests::workspace::{SOURCE, WRITE_KEY, Workspace};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// What takes longer than this does not happen.
const PATIENCE: Duration = Duration::from_secs(120);
/// What nobody but the destination is to see.
const SECRET: &str = "hush/hush+h\u{fc}sh";

/// What is known of an event, once it is as `enough` says: steps are written a little later.
async fn why(pintle: &Pintle, id: &str, enough: impl Fn(&Value) -> bool) -> Value {
    let until = Instant::now() + PATIENCE;
    loop {
        let said = pintle.cli(&["why", id, "--json"]).await;
        if said.code == 0 {
            let known = said.json();
            if enough(&known) {
                return known;
            }
        }
        assert!(Instant::now() < until, "{id}: {said:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn steps<'a>(known: &'a Value, kind: &str) -> Vec<&'a Value> {
    let steps = known["events"][0]["steps"].as_array().unwrap().iter();
    steps.filter(|step| step["kind"] == kind).map(|step| &step["told"]).collect()
}

fn settled(known: &Value, how: &str) -> bool {
    known["events"].as_array().is_some_and(|events| !events.is_empty())
        && steps(known, "settled").iter().any(|told| told["how"] == how)
        // Cursors and steps are read one after the other: it may have ended in between.
        && known["events"][0]["destinations"].as_array().is_some_and(|all| all.iter().any(|one| one["how"] == how))
}

fn ok(said: Said) -> Said {
    assert_eq!(said.code, 0, "{said:?}");
    said
}

/// A workspace with a transformation of the source, and one of the connection.
fn workspace(url: &str, of_source: &str, of_connection: &str) -> String {
    json!({
        "sources": {SOURCE: {"write-key": WRITE_KEY, "transformations": ["before"]}},
        "transformations": {"before": {"code": of_source}, "orders": {"code": of_connection}},
        "libraries": {"dice": {"code": "export function roll() { return Math.floor(Math.random() * 1e9); }"}},
        "destinations": {"orders": {"plugin": "webhook", "config": {
            "webhookUrl": url, "headers": [{"from": "x-token", "to": "hush-hush"}],
        }}},
        "connections": {"site-orders": {"source": SOURCE, "destination": "orders", "transformations": ["orders"]}},
    })
    .to_string()
}

const RANDOM: &str = "
import { roll } from 'dice';
const loaded = Date.now();
export function transformEvent(event) {
  log('seen', event.messageId);
  event.properties.dice = [Math.random(), roll(), crypto.randomUUID()];
  event.properties.times = [loaded, Date.now(), new Date().toISOString()];
  return event;
}";

#[tokio::test(flavor = "multi_thread")]
async fn every_step_of_a_traced_user_is_told_and_its_calls_come_out_the_same_again() {
    let receiver = Receiver::start().await;
    let fan_out = "export function transformEvent(event) { event.properties.first = Math.random(); return event; }";
    let options = Options::with_file(workspace(&receiver.url("/"), fan_out, RANDOM));
    let pintle = Pintle::start(options).await;
    let on =
        ok(pintle.cli(&["trace", "on", "--user", "ann", "--next", "5", "--for", "10m", "--note", "ticket 7"]).await);
    assert!(on.out.contains("the next 5 events"), "{on:?}");

    // Others at the same time, so that calls have more than one event; the first answer is a failure.
    receiver.answer_by({
        let failed = std::sync::atomic::AtomicBool::new(false);
        move |received| {
            let first = received.json()["userId"] == "ann" && !failed.swap(true, std::sync::atomic::Ordering::SeqCst);
            Answer::status(if first { 500 } else { 200 }).body("said so")
        }
    });
    let mut events = Events::new(71, 20);
    let batch = [events.track("bob", 0), events.track("ann", 0), events.track("cid", 0)];
    post(pintle.gateway(), &batch, 3).await.unwrap();

    let known = why(&pintle, "ann/0", |known| settled(known, "delivered")).await;
    let event = &known["events"][0];
    assert_eq!((&event["user_id"], &event["duplicate"]), (&json!("ann"), &json!(false)), "{known:#}");
    assert_eq!(event["destinations"][0]["how"], "delivered", "{known:#}");
    assert_eq!(steps(&known, "accepted")[0]["note"], "ticket 7");
    let transformations = steps(&known, "transformation");
    let names: Vec<&Value> = transformations.iter().map(|told| &told["transformation"]).collect();
    assert_eq!(names, ["before", "orders"], "{known:#}");
    for told in &transformations {
        assert_eq!(told["digest"].as_str().unwrap().len(), 64, "{told:#}");
        assert_eq!(told["component"].as_str().unwrap().len(), 64, "{told:#}");
        assert!(told["revision"].as_i64().unwrap() > 0 && told["rerun"].is_null(), "{told:#}");
    }
    // Nobody can tell which event of a call wrote a line.
    let logs = transformations[1]["logs"].as_array().unwrap();
    assert!(logs.iter().any(|line| line["message"].as_str().unwrap().contains("ann/0")), "{known:#}");
    assert!(!transformations[1]["input"].as_str().unwrap().contains("bob/0"), "others are nobody's business");
    let plugin = steps(&known, "destination")[0];
    assert_eq!((&plugin["plugin"], &plugin["attempt"]), (&json!("webhook"), &json!(1)), "{plugin:#}");
    let attempts = steps(&known, "attempt");
    let statuses: Vec<&Value> = attempts.iter().map(|told| &told["status"]).collect();
    assert_eq!(statuses, [500, 200], "{known:#}");
    assert_eq!((&attempts[0]["verdict"], &attempts[1]["verdict"]), (&json!("retry"), &json!("delivered")));
    assert!(attempts[0]["answer"].as_str().unwrap().contains("said so"), "{known:#}");
    assert!(attempts[0]["request"].as_str().unwrap().contains("x-token: ***"), "{known:#}");
    assert!(!known.to_string().contains("hush-hush"), "{known:#}");

    // Bob is not traced.
    assert_eq!(why(&pintle, "bob/0", |_| true).await["events"][0]["steps"], json!([]));

    let again = ok(pintle.cli(&["why", "ann/0", "--rerun", "--json"]).await).json();
    let calls = again["calls"].as_array().unwrap();
    assert_eq!(calls.len(), 3, "{again:#}");
    assert!(calls.iter().all(|call| call["identical"] == true), "{again:#}");
    assert!(calls[..2].iter().all(|call| call["but_for_secrets"] == false), "byte for byte: {again:#}");
    let shown = ok(pintle.cli(&["why", "ann/0", "--rerun"]).await);
    assert!(shown.out.contains("transformation orders") && shown.out.contains(": identical"), "{shown:?}");
    let shown = ok(pintle.cli(&["why", "ann/0"]).await);
    assert!(shown.out.contains("attempt 1: 500 retry") && shown.out.contains("output 0: delivered"), "{shown:?}");
    let metrics = pintle.metrics().await;
    assert!(metrics.contains("pintle_trace_steps_total"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_comes_out_otherwise_is_told_with_where_it_differs() {
    let receiver = Receiver::start().await;
    let counts = "let n = 0; export function transformEvent(event) { event.properties.n = ++n; return event; }";
    let workspace = Workspace::new().transformed("orders", &receiver.url("/"), counts);
    let pintle = Pintle::start(Options::new(&workspace)).await;
    let mut events = Events::new(72, 0);
    post(pintle.gateway(), &[events.track("ann", 0)], 1).await.unwrap();
    pintle.wait_delivered("orders", 1).await;
    ok(pintle.cli(&["trace", "on", "--connection", "site-orders"]).await);
    post(pintle.gateway(), &[events.track("ann", 1)], 1).await.unwrap();
    why(&pintle, "ann/1", |known| settled(known, "delivered")).await;

    let again = pintle.cli(&["why", "ann/1", "--rerun", "--json"]).await;
    assert_eq!(again.code, 1, "{again:?}");
    let call = again.json()["calls"][0].clone();
    assert_eq!(call["identical"], false, "{call:#}");
    assert!(call["reason"].as_str().unwrap().contains("from byte"), "{call:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_trace_it_is_told_how_far_an_event_is() {
    let (taken, refused, away) = (Receiver::start().await, Receiver::start().await, Receiver::start().await);
    refused.always(Answer::status(422));
    away.refuse().await;
    let workspace = Workspace::new()
        .webhook("taken", &taken.url("/"))
        .webhook("refused", &refused.url("/"))
        .webhook("away", &away.url("/"))
        .webhook("pages", &taken.url("/pages"))
        .filter("pages", &json!({"message-types": ["page"]}));
    let pintle = Pintle::start(Options::new(&workspace)).await;
    let event = Events::new(73, 0).track("ann", 0);
    post(pintle.gateway(), std::slice::from_ref(&event), 1).await.unwrap();
    post(pintle.gateway(), &[event], 1).await.unwrap();
    pintle.wait_until("a dead letter", |status| destination(status, "refused")["dead_letters"] == 1).await;
    pintle.wait_delivered("taken", 1).await;

    let known = why(&pintle, "ann/0", |known| {
        let places = known["events"][0]["destinations"].as_array().unwrap();
        places.iter().any(|place| place["reason"].as_str().unwrap().contains("down"))
    })
    .await;
    let (first, copy) = (&known["events"][0], &known["events"][1]);
    assert_eq!((&first["duplicate"], &copy["duplicate"]), (&json!(false), &json!(true)), "{known:#}");
    assert_eq!(copy["first"], first["position"], "{known:#}");
    assert_eq!(first["message"]["messageId"], "ann/0", "{known:#}");
    let at = |event: &Value, id: &str| {
        let places = event["destinations"].as_array().unwrap();
        places.iter().find(|place| place["destination_id"] == id).unwrap_or_else(|| panic!("{id}: {event:#}")).clone()
    };
    assert_eq!(at(first, "taken")["how"], "settled");
    let dead = at(first, "refused");
    assert_eq!((&dead["how"], &dead["attempts"]), (&json!("dead-letter"), &json!(1)), "{dead:#}");
    assert!(dead["reason"].as_str().unwrap().contains("422") && dead["dead_letter"].is_string(), "{dead:#}");
    assert_eq!(at(first, "away")["how"], "pending");
    let pages = at(first, "pages");
    assert!(pages["how"] == "filtered" || pages["reason"].as_str().unwrap().contains("filtered"), "{pages:#}");
    for id in ["taken", "away"] {
        let place = at(copy, id);
        assert_eq!(place["how"], "filtered");
        assert!(place["reason"].as_str().unwrap().starts_with("duplicate"), "{place:#}");
    }

    let shown = ok(pintle.cli(&["why", "ann/0", "--source", SOURCE, "--since", "1h"]).await);
    assert!(shown.out.contains("a copy") && shown.out.contains("not traced"), "{shown:?}");
    let none = pintle.cli(&["why", "nobody/0"]).await;
    assert!(none.code == 1 && none.err.contains("is in the log, which begins at"), "{none:?}");
    let none = pintle.cli(&["why", "ann/0", "--rerun"]).await;
    assert!(none.code == 1 && none.err.contains("pintle trace on"), "{none:?}");
    let wrong = pintle.cli(&["why", "ann/0", "--since", "soon"]).await;
    assert!(wrong.code == 64, "{wrong:?}");

    // What the gateway did not take is told as well.
    let body = json!({"batch": [{"type": "track", "event": "e", "messageId": "bad/0"}, {"type": "track", "event": "e", "userId": "x"}]});
    Request::post("/v1/batch", body.to_string()).key(WRITE_KEY).send(pintle.gateway()).await.unwrap();
    let known = why(&pintle, "bad/0", |_| true).await;
    assert_eq!(known["rejected"][0]["reason"], "no-ids", "{known:#}");
    away.accept_again();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_a_copy_and_no_more_than_the_next_events_are_traced() {
    let receiver = Receiver::start().await;
    receiver.answer_by(|received| Answer::status(if received.json()["properties"]["n"] == 0 { 422 } else { 200 }));
    let workspace = Workspace::new().webhook("orders", &receiver.url("/"));
    let pintle = Pintle::start(Options::new(&workspace)).await;
    let made = ok(pintle.cli(&["trace", "on", "--source", SOURCE, "--next", "3", "--json"]).await).json();
    let mut events = Events::new(74, 0);
    let numbered: Vec<String> = (0..4).map(|n| events.track("ann", n)).collect();
    post(pintle.gateway(), &numbered[..2], 1).await.unwrap();
    post(pintle.gateway(), &numbered[..1], 1).await.unwrap();
    post(pintle.gateway(), &numbered[2..], 1).await.unwrap();
    pintle.wait_delivered("orders", 3).await;

    let dead = why(&pintle, "ann/0", |known| settled(known, "dead-letter")).await;
    assert_eq!(dead["events"][0]["destinations"][0]["how"], "dead-letter", "{dead:#}");
    assert_eq!(steps(&dead, "attempt")[0]["verdict"], "rejected", "{dead:#}");
    let copy = &dead["events"][1];
    assert_eq!(copy["steps"][1]["kind"], "filtered", "{dead:#}");
    assert!(copy["steps"][1]["told"]["reason"].as_str().unwrap().starts_with("duplicate"), "{dead:#}");
    why(&pintle, "ann/1", |known| settled(known, "delivered")).await;
    for over in ["ann/2", "ann/3"] {
        let known = why(&pintle, over, |_| true).await;
        assert_eq!(known["events"][0]["steps"], json!([]), "{over} is one too many: {known:#}");
    }

    // Its count is written a little later.
    let until = Instant::now() + PATIENCE;
    loop {
        let list = ok(pintle.cli(&["trace", "list", "--json"]).await).json();
        let one = &list["items"][0];
        assert_eq!(one["id"], made["id"], "{list:#}");
        if (&one["on"], &one["events"]) == (&json!(false), &json!(3)) {
            break;
        }
        assert!(Instant::now() < until, "{list:#}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let id = made["id"].as_str().unwrap();
    let ended = pintle.cli(&["trace", "off", id]).await;
    assert!(ended.code == 1 && ended.err.contains("has ended"), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_any_step_in_any_form() {
    let receiver = Receiver::start().await;
    let code = "
      export function transformEvent(event) {
        const key = getCredential('key');
        console.log('with ' + key);
        event.properties.plain = key;
        event.properties.percent = encodeURIComponent(key);
        event.properties.json = JSON.stringify({ key });
        event.properties.basic = btoa('user:' + unescape(encodeURIComponent(key)));
        return event;
      }
      function btoa(text) {
        const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
        let out = '';
        for (let at = 0; at < text.length; at += 3) {
          const [a, b, c] = [0, 1, 2].map((n) => text.charCodeAt(at + n));
          const bits = (a << 16) | ((b || 0) << 8) | (c || 0);
          out += letters[bits >> 18] + letters[(bits >> 12) & 63];
          out += at + 1 < text.length ? letters[(bits >> 6) & 63] : '=';
          out += at + 2 < text.length ? letters[bits & 63] : '=';
        }
        return out;
      }";
    let workspace = Workspace::new().transformed("orders", &receiver.url("/"), code).credential("key", SECRET);
    let pintle = Pintle::start(Options::new(&workspace)).await;
    ok(pintle.cli(&["trace", "on", "--user", "ann", "--next", "1"]).await);
    post(pintle.gateway(), &[Events::new(75, 0).track("ann", 0)], 1).await.unwrap();
    let known = why(&pintle, "ann/0", |known| settled(known, "delivered")).await;
    let sent = receiver.received()[0].json();
    assert_eq!(sent["properties"]["plain"], SECRET, "the destination gets it");
    let told = known["events"][0]["steps"].to_string();
    for form in ["plain", "percent", "basic"] {
        let form = sent["properties"][form].as_str().unwrap();
        assert!(form.len() > 10 && !told.contains(form), "{form}: {known:#}");
    }
    for part in ["hush/hush", "hush%2Fhush", "aHVzaC9odXNo", "h\u{fc}sh"] {
        assert!(!told.contains(part), "{part}: {known:#}");
    }
    assert!(told.contains("***"), "{known:#}");
    // What the destination was called with holds a secret, and is not run again; what came before is.
    let again = ok(pintle.cli(&["why", "ann/0", "--rerun", "--json", "--credential", &format!("key={SECRET}")]).await);
    let calls = again.json()["calls"].clone();
    assert_eq!((&calls[0]["identical"], &calls[0]["but_for_secrets"]), (&json!(true), &json!(true)), "{calls:#}");
    assert!(calls[1]["identical"].is_null(), "{calls:#}");
    assert!(calls[1]["reason"].as_str().unwrap().contains("secret value"), "{calls:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_waits_is_followed_across_a_restart() {
    let receiver = Receiver::start().await;
    // Ann's events fail while others get through: hers park.
    receiver.answer_by(|received| Answer::status(if received.json()["userId"] == "ann" { 503 } else { 200 }));
    let workspace = Workspace::new().webhook("orders", &receiver.url("/"));
    let options = Options::new(&workspace).set("router", "retry-max", 0.2);
    let mut pintle = Pintle::start(options).await;
    ok(pintle.cli(&["trace", "on", "--user", "ann"]).await);
    let mut events = Events::new(76, 0);
    post(pintle.gateway(), &[events.track("ann", 0)], 1).await.unwrap();
    let mut sent = 0;
    loop {
        post(pintle.gateway(), &[events.track("bob", sent)], 1).await.unwrap();
        sent += 1;
        if destination(&pintle.status().await, "orders")["parked"] == 1 {
            break;
        }
        assert!(sent < 3_000, "it never parks");
    }
    let known = why(&pintle, "ann/0", |known| settled(known, "parked")).await;
    let place = &known["events"][0]["destinations"][0];
    assert_eq!(place["how"], "parked", "{known:#}");
    assert!(place["attempts"].as_u64().unwrap() >= 1 && place["next_at_ms"].is_i64(), "{known:#}");
    pintle.stop();
    receiver.always(Answer::status(200));
    pintle.restart().await;
    let known = why(&pintle, "ann/0", |known| settled(known, "delivered")).await;
    assert!(steps(&known, "destination").len() >= 2, "the plugin is called for each try of it: {known:#}");
    let again = ok(pintle.cli(&["why", "ann/0", "--rerun", "--json"]).await).json();
    assert!(again["calls"].as_array().unwrap().iter().all(|call| call["identical"] == true), "{again:#}");
}
