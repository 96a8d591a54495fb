//! `pintle ledger`: what was accepted is accounted for, and what is not is named.

use pintle_tests::events::{Events, post, post_on};
use pintle_tests::http::{Connection, Request};
use pintle_tests::pintle::{Options, Pintle};
use pintle_tests::postgres::Postgres;
use pintle_tests::proxy::Proxy;
use pintle_tests::receiver::{Answer, Receiver};
use pintle_tests::workspace::Workspace;

const USERS: usize = 10;
const EACH: usize = 6;
const EVENTS: i64 = (USERS * EACH) as i64;

#[tokio::test(flavor = "multi_thread")]
async fn every_event_is_accounted_for_by_source_destination_and_hour() {
    let (orders, broken) = (Receiver::start().await, Receiver::start().await);
    broken.always(Answer::status(400));
    let workspace = Workspace::new()
        .webhook("orders", &orders.url("/"))
        .webhook("broken", &broken.url("/"))
        .webhook("apart", &orders.url("/apart"))
        .own_source("apart", "apart-key");
    let mut pintle = Pintle::start(Options::new(&workspace)).await;
    let events = Events::new(30, 100).many(USERS, EACH);
    post(pintle.gateway(), &events, 20).await.unwrap();
    // The last twenty again: copies.
    post_on(&mut Connection::open(pintle.gateway()).await.unwrap(), &events[40..]).await.unwrap();
    let track = Request::post("/v1/track", events[0].clone()).key("apart-key");
    assert_eq!(track.send(pintle.gateway()).await.unwrap().status, 200);
    pintle.wait_delivered("orders", EVENTS as u64).await;
    pintle.wait_delivered("apart", 1).await;
    let patience = std::time::Duration::from_secs(120);
    let settled = pintle.wait_books(patience, "broken", "dead letters", |books| books.pending == 0).await;
    assert_eq!((settled.dead, settled.filtered, settled.duplicates), (EVENTS, 20, 20));

    let text = pintle.cli(&["ledger"]).await;
    assert_eq!(text.code, 0, "{text:?}");
    for part in ["SOURCE", "site", "orders", "apart", "80", "60", "20 duplicates"] {
        assert!(text.out.contains(part), "{part}: {}", text.out);
    }
    let whole = pintle.cli(&["ledger", "--json", "--since", "3h"]).await.json();
    let rows = whole["rows"].as_array().unwrap();
    assert!(whole["balanced"] == true && rows.iter().all(|row| row["off"] == 0), "{whole:#}");
    let pairs: std::collections::BTreeSet<(&str, &str)> =
        rows.iter().map(|row| (row["source"].as_str().unwrap(), row["destination"].as_str().unwrap())).collect();
    assert_eq!(pairs, [("apart", "apart"), ("site", "broken"), ("site", "orders")].into(), "only what is connected");
    let all = pintle.cli(&["ledger", "--json", "--all", "--by", "source,destination"]).await.json();
    assert_eq!(all["rows"].as_array().unwrap().len(), 6, "{all:#}");
    let passed =
        all["rows"].as_array().unwrap().iter().find(|row| row["source"] == "site" && row["destination"] == "apart");
    assert_eq!(passed.unwrap()["unrouted"], 80);
    let sum = pintle.cli(&["ledger", "--json", "--by", "source", "--source", "site"]).await.json();
    assert_eq!((&sum["rows"][0]["accepted"], &sum["rows"][0]["source"]), (&160.into(), &"site".into()), "{sum:#}");
    let nothing = pintle.cli(&["ledger", "--until", "2020-01-01"]).await;
    assert_eq!((nothing.code, nothing.out.as_str()), (0, "nothing in the books\n"));
    assert_eq!(pintle.cli(&["ledger", "--since", "yesterday"]).await.code, 64);
    assert_eq!(pintle.call("GET", "/admin/v1/ledger?by=day", &serde_json::Value::Null).await.0, 400);

    let id = pintle.cli(&["dead-letters", "list", "--json"]).await.json()["dead_letters"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    broken.always(Answer::status(200));
    assert_eq!(pintle.cli(&["dead-letters", "retry", &id]).await.code, 0);
    let retried = |books: &pintle_tests::pintle::Books| (books.dead, books.delivered) == (EVENTS - 1, 1);
    pintle.wait_books(patience, "broken", "the retried one", retried).await;
    assert_eq!(pintle.cli(&["dead-letters", "discard", "--all", "--reason", "enough"]).await.code, 0);
    assert_eq!(
        pintle.books("broken").await.unwrap().dead,
        EVENTS - 1,
        "a discarded one was a dead letter all the same"
    );

    // Nobody runs: the books are in the database.
    let folder = pintle.data_dir();
    let before = pintle.cli(&["ledger", "--json"]).await.json();
    let command = |pintle: &Pintle| pintle.command_alone(&["ledger", "--json", "--data-dir", folder.to_str().unwrap()]);
    pintle.stop();
    let output = command(&pintle).output().await.unwrap();
    assert!(output.status.success(), "{output:?}");
    let offline: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(offline["rows"], before["rows"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_balance_is_named_and_the_command_fails() {
    let receiver = Receiver::start().await;
    let postgres = Postgres::start();
    let proxy = Proxy::start(&postgres.socket()).await;
    let url = format!("postgres://pintle@{}/postgres?sslmode=disable", proxy.addr());
    let workspace = Workspace::new().webhook("orders", &receiver.url("/"));
    let options = Options::new(&workspace).database(url).set("store", "ledger-fold-interval", 0);
    let mut pintle = Pintle::start(options).await;
    post(pintle.gateway(), &Events::new(31, 100).many(USERS, EACH), 20).await.unwrap();
    pintle.wait_delivered("orders", EVENTS as u64).await;
    assert_eq!(pintle.cli(&["ledger"]).await.code, 0);

    pintle.leave_books();
    let said = postgres.meddle("DELETE FROM ledger_settled WHERE destination = 'orders'");
    assert!(said.starts_with("DELETE ") && said != "DELETE 0", "{said}");
    let text = pintle.cli(&["ledger"]).await;
    assert_eq!(text.code, 1, "{text:?}");
    assert!(text.err.contains("site to orders") && text.err.contains("missing"), "{text:?}");
    let json = pintle.cli(&["ledger", "--json", "--by", "destination"]).await;
    assert_eq!((json.code, &json.json()["balanced"]), (1, &false.into()), "{json:?}");
    let off: i64 = json.json()["unbalanced"].as_array().unwrap().iter().map(|row| row["off"].as_i64().unwrap()).sum();
    assert_eq!(off, EVENTS);
}
