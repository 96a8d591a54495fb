//! Dead letters: found, read, mended, delivered.

use pintle_tests::events::{Events, post};
use pintle_tests::pintle::{Options, Pintle, destination};
use pintle_tests::receiver::{Answer, Receiver};
use pintle_tests::workspace::Workspace;
use serde_json::Value;

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
