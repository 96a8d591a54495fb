//! Dead letters: found, read, mended, delivered.

use pintle_tests::events::{Events, post};
use pintle_tests::folder::Folder;
use pintle_tests::pintle::{Options, Pintle, destination};
use pintle_tests::receiver::{Answer, Received, Receiver};
use pintle_tests::workspace::Workspace;
use serde_json::{Value, json};

async fn the_only_letter(pintle: &Pintle, id: &str) -> Value {
    pintle.wait_until("a dead letter", |status| destination(status, id)["dead_letters"] == 1).await;
    let list = pintle.cli(&["dead-letters", "list", "--destination", id, "--json"]).await.json();
    list["dead_letters"][0].clone()
}

async fn retry(pintle: &Pintle, letter: &Value) {
    let said = pintle.cli(&["dead-letters", "retry", letter["id"].as_str().unwrap(), "--json"]).await;
    assert_eq!((said.code, &said.json()["outcome"]), (0, &"queued".into()), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_of_a_transformation_is_delivered_once_the_code_is_mended() {
    let receiver = Receiver::start().await;
    let broken = "export function transformEvent(event) { return event.properties.no.such.thing; }";
    let mended = "export function transformEvent(event) { event.properties.mended = true; return event; }";
    let workspace = Workspace::new().transformed("orders", &receiver.url("/"), broken);
    let pintle = Pintle::start(Options::new(&workspace)).await;
    post(pintle.gateway(), &[Events::new(4, 0).track("ann", 0)], 1).await.unwrap();
    let letter = the_only_letter(&pintle, "orders").await;
    let id = letter["id"].as_str().unwrap();

    let shown = pintle.cli(&["dead-letters", "show", id, "--json"]).await.json();
    assert_eq!(shown["payload"]["message"]["messageId"], "ann/0", "{shown:#}");
    assert!(shown["reason"].as_str().unwrap().contains("orders"), "it names the transformation: {shown:#}");
    let again = pintle.cli(&["dead-letters", "retry", id]).await;
    assert_eq!(again.code, 1, "it cannot succeed yet: {again:?}");
    assert!(again.err.contains("failed again"), "{again:?}");

    pintle.apply(&workspace.code("orders", mended)).await;
    pintle.wait_until("the destination to run", |status| destination(status, "orders")["last_error"].is_object()).await;
    retry(&pintle, &letter).await;

    let received = receiver.wait_for(1).await;
    assert_eq!(received[0].json()["properties"]["mended"], true);
    let status = pintle.wait_delivered("orders", 1).await;
    assert_eq!(destination(&status, "orders")["dead_letters"], 0);
    let gone = pintle.cli(&["dead-letters", "show", id]).await;
    assert_eq!(gone.code, 1, "{gone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_the_destination_refused_is_delivered_once_it_takes_it() {
    let receiver = Receiver::start().await;
    receiver.always(Answer::status(422).body(r#"{"error":"colour is missing"}"#));
    let workspace = Workspace::new().webhook("orders", &receiver.url("/"));
    let pintle = Pintle::start(Options::new(&workspace)).await;
    post(pintle.gateway(), &[Events::new(5, 0).track("ann", 0)], 1).await.unwrap();
    let letter = the_only_letter(&pintle, "orders").await;

    let shown = pintle.cli(&["dead-letters", "show", letter["id"].as_str().unwrap(), "--json"]).await.json();
    assert!(shown["reason"].as_str().unwrap().contains("422"), "{shown:#}");
    assert!(shown["response"].as_str().unwrap().contains("colour is missing"), "{shown:#}");
    assert!(shown["request"].as_str().unwrap().contains("ann/0"), "{shown:#}");
    assert_eq!(shown["attempts"], 1, "{shown:#}");

    receiver.always(Answer::status(200));
    retry(&pintle, &letter).await;
    let status = pintle.wait_delivered("orders", 1).await;
    assert_eq!(destination(&status, "orders")["dead_letters"], 0);
    assert_eq!(receiver.accepted().len(), 1);
}

/// Which event of its user it is.
fn number(received: &Received) -> u64 {
    received.json()["properties"]["n"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn many_are_found_mended_delivered_again_or_given_up_and_that_is_written_down() {
    let receiver = Receiver::start().await;
    receiver.answer_by(|received| Answer::status(if number(received) % 2 == 1 { 422 } else { 200 }));
    let workspace = Workspace::new().webhook("orders", &receiver.url("/"));
    let pintle = Pintle::start(Options::new(&workspace).set("admin", "dead-letters-max", 5)).await;
    post(pintle.gateway(), &Events::new(6, 0).many(4, 10), 40).await.unwrap();
    pintle.wait_until("twenty dead letters", |status| destination(status, "orders")["dead_letters"] == 20).await;

    let list = |more: &'static [&'static str]| {
        let pintle = &pintle;
        async move { pintle.cli(&[&["dead-letters", "list", "--json"], more].concat()).await }
    };
    for (filter, count) in [
        (&["--because", "422", "--type", "track", "--stage", "delivery", "--source", "site"][..], 20),
        (&["--message-id", "user-1/3"], 1),
        (&["--connection", "site-orders", "--limit", "7"], 7),
        (&["--type", "page"], 0),
        (&["--stage", "transformation"], 0),
        (&["--because", "no such reason"], 0),
    ] {
        let found = list(filter).await.json();
        assert_eq!(found["dead_letters"].as_array().unwrap().len(), count, "{filter:?}: {found:#}");
    }
    let wrong = list(&["--stage", "nowhere"]).await;
    assert!(wrong.code == 64 && wrong.err.contains("transformation"), "{wrong:?}");

    // One is mended by hand: it goes on as the event that was sent in its place, to the byte.
    let id = list(&["--message-id", "user-1/3"]).await.json()["dead_letters"][0]["id"].as_str().unwrap().to_owned();
    let folder = Folder::new("mended");
    let file = folder.path().join("event.json");
    let mended = r#"{"type":"track","event":"Mended","userId":"user-1","properties":{"n":4,"big":9007199254740993}}"#;
    std::fs::write(&file, mended).unwrap();
    let file = file.to_str().unwrap();
    let said = pintle.cli(&["dead-letters", "retry", &id, "--message", file, "--reason", "wrong number"]).await;
    assert_eq!(said.code, 0, "{said:?}");
    let received = receiver.wait_until("the mended one", |all| all.iter().any(|one| one.body == mended)).await;
    assert_eq!(received.last().unwrap().status, 200);

    // Nobody means all of them by saying nothing, and nothing is given up without a reason.
    for line in [&["dead-letters", "retry"][..], &["dead-letters", "discard", "--reason", "x"]] {
        assert_eq!(pintle.cli(line).await.code, 64);
    }
    assert_eq!(pintle.cli(&["dead-letters", "discard", "--all"]).await.code, 64);
    let (status, problem) = pintle.call("POST", "/admin/v1/dead-letters/discard", &json!({})).await;
    assert!(status == 400 && problem["detail"].as_str().unwrap().contains("pintle-reason"), "{problem:#}");
    let said = pintle.cli(&["dead-letters", "discard", "--message-id", "user-2/5", "--reason", "a test order"]).await;
    assert_eq!((said.code, said.out.as_str()), (0, "1 are discarded\n"), "{said:?}");
    let said = pintle.cli(&["dead-letters", "discard", &id, "--reason", "x"]).await;
    assert!(said.code == 1 && said.err.contains("no dead letter"), "it is delivered: {said:?}");

    // The rest, batch by batch; those of one user in their order.
    let before = receiver.count();
    receiver.always(Answer::status(200));
    let said = pintle.cli(&["dead-letters", "retry", "--destination", "orders", "--json"]).await;
    assert_eq!((said.code, &said.json()["queued"]), (0, &json!(18)), "{said:?}");
    let status = pintle.wait_until("all to be delivered", |status| {
        let orders = destination(status, "orders");
        orders["dead_letters"] == 0 && orders["parked"] == 0
    });
    status.await;
    let again = receiver.wait_for(before + 18).await.split_off(before);
    for user in ["user-0", "user-1", "user-2", "user-3"] {
        let of: Vec<u64> = again.iter().filter(|one| one.json()["userId"] == user).map(number).collect();
        assert!(of.is_sorted() && of.len() >= 4, "{user}: {of:?}");
    }

    let audit = pintle.cli(&["audit", "--json"]).await.json();
    let done: Vec<(&str, u64)> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["action"].as_str().unwrap(), one["count"].as_u64().unwrap()))
        .collect();
    let retries = [5, 5, 5, 3].map(|count| ("dead-letter.retry", count));
    let by_hand = [("dead-letter.discard", 1), ("dead-letter.retry", 1), ("dead-letter.edit", 1)];
    assert_eq!(done, [&retries.iter().rev().copied().collect::<Vec<_>>()[..], &by_hand].concat(), "{audit:#}");
    let said = pintle.cli(&["audit"]).await;
    assert!(said.out.contains("a test order") && said.out.contains("user-2/5"), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_of_an_event_is_told_and_a_dry_run_sends_nothing() {
    let receiver = Receiver::start().await;
    receiver.always(Answer::status(422));
    let code = "
export function transformEvent(event) {
  if (event.properties.n === 1) throw new Error(`no price for ${getCredential('price-key')}`);
  event.properties.changed = true;
  event.properties.key = getCredential('price-key');
  return event;
}";
    let workspace =
        Workspace::new().transformed("orders", &receiver.url("/"), code).credential("price-key", "hunter-2-hunter");
    let pintle = Pintle::start(Options::new(&workspace)).await;
    post(pintle.gateway(), &[Events::new(7, 0).track("ann", 0), Events::new(8, 0).track("ann", 1)], 2).await.unwrap();
    pintle.wait_until("two dead letters", |status| destination(status, "orders")["dead_letters"] == 2).await;
    let id = |message_id: &'static str| {
        let pintle = &pintle;
        async move {
            let list = pintle.cli(&["dead-letters", "list", "--message-id", message_id, "--json"]).await.json();
            list["dead_letters"][0]["id"].as_str().unwrap().to_owned()
        }
    };
    let (refused, failed) = (id("ann/0").await, id("ann/1").await);
    let sent = receiver.count();

    // As it was received, after the transformation, and what was sent: with the secret nowhere but in the event itself.
    let shown = pintle.cli(&["dead-letters", "show", &refused, "--json"]).await.json();
    assert_eq!(shown["received"]["messageId"], "ann/0", "{shown:#}");
    assert!(shown["received"]["properties"]["changed"].is_null(), "{shown:#}");
    assert_eq!((&shown["stage"], &shown["connection_id"]), (&json!("delivery"), &json!("site-orders")));
    let step = &shown["steps"][0];
    assert_eq!((&step["transformation"], step["events"].as_array().unwrap().len()), (&json!("orders"), 1), "{shown:#}");
    let after = &step["events"][0]["properties"];
    assert_eq!((&after["changed"], &after["key"]), (&json!(true), &json!("***")), "{shown:#}");
    assert_eq!(shown["payload"]["message"]["properties"]["changed"], true);
    let (request, response) = (shown["request"].as_str().unwrap(), shown["response"].as_str().unwrap());
    assert!(request.contains("\"key\":\"***\"") && !request.contains("hunter"), "{request}");
    assert!(response.starts_with("HTTP 422"), "{response}");

    let shown = pintle.cli(&["dead-letters", "show", &failed]).await;
    assert!(shown.out.contains("died in      transformation") && shown.out.contains("after orders ("), "{shown:?}");
    assert!(shown.out.contains("no price for ***") && !shown.out.contains("hunter"), "{shown:?}");
    let listed = pintle.cli(&["dead-letters", "list"]).await;
    assert!(!listed.out.contains("hunter") && !pintle.status().await.to_string().contains("hunter"), "{listed:?}");

    // What would be sent now: nothing of one that fails again, the request of the others.
    let run = pintle.cli(&["dead-letters", "dry-run", &failed, "--json"]).await;
    assert_eq!((run.code, &run.json()["results"][0]["outcome"]), (1, &json!("refuse")), "{run:?}");
    let folder = Folder::new("mended");
    let file = folder.path().join("event.json");
    let mended = r#"{"type":"track","event":"Mended","userId":"ann","messageId":"ann/1","properties":{"n":4711}}"#;
    std::fs::write(&file, mended).unwrap();
    let line =
        ["dead-letters", "dry-run", &failed, "--message", file.to_str().unwrap(), "--reason", "a look", "--json"];
    let run = pintle.cli(&line).await;
    assert_eq!(run.code, 0, "{run:?}");
    let run = run.json();
    assert_eq!(run["steps"][0]["events"][0]["properties"]["changed"], true, "{run:#}");
    let request = run["results"][0]["requests"][0]["request"].as_str().unwrap();
    assert!(request.starts_with(&format!("POST {}\n", receiver.url("/"))), "{request}");
    assert!(request.contains("4711") && !request.contains("hunter"), "{request}");
    let run = pintle.cli(&["dead-letters", "dry-run", &refused]).await;
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.out.contains("request:\n  POST ") && run.out.contains("\"changed\":true"), "{run:?}");
    let missing = pintle.cli(&["dead-letters", "dry-run", "4711"]).await;
    assert!(missing.code == 1 && missing.err.contains("no dead letter"), "{missing:?}");

    // Nothing was sent, nothing has changed, and who looked is written down.
    assert_eq!(receiver.count(), sent);
    let shown = pintle.cli(&["dead-letters", "show", &failed, "--json"]).await.json();
    assert_eq!(shown["payload"]["message"]["properties"]["n"], 1, "{shown:#}");
    let audit = pintle.cli(&["audit", "--json"]).await.json();
    let actions = audit["items"].as_array().unwrap();
    let looks = actions.iter().filter(|one| one["action"] == "dead-letter.dry-run").count();
    assert_eq!((looks, actions.len()), (3, 3), "{audit:#}");

    pintle.apply(&workspace.state("orders", "paused")).await;
    let mut shown = Value::Null;
    // Each look takes its time; the destination ends within the drain time.
    for _ in 0..1_000 {
        shown = pintle.cli(&["dead-letters", "show", &refused, "--json"]).await.json();
        if shown["untold"].is_string() {
            break;
        }
    }
    assert_eq!(shown["received"]["messageId"], "ann/0", "the log has it all the same");
    assert!(shown["untold"].as_str().unwrap().contains("does not deliver now"), "{shown:#}");
    let run = pintle.cli(&["dead-letters", "dry-run", &refused]).await;
    assert!(run.code == 1 && run.err.contains("enable it first"), "{run:?}");
}
