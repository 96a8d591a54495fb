//! Transformations that misbehave on one event.

use pintle_tests::events::{Events, post};
use pintle_tests::ledger::Ledger;
use pintle_tests::pintle::{Options, Pintle, destination};
use pintle_tests::receiver::Receiver;
use pintle_tests::workspace::Workspace;

const USERS: usize = 30;
const EACH: usize = 10;
const EVENTS: u64 = (USERS * EACH) as u64;
/// The event that each of them fails on.
const GUILTY: (&str, usize) = ("user-7", 4);

async fn only_the_guilty_event_becomes_a_dead_letter(what_it_does: &str, reason: &str) {
    let receiver = Receiver::start().await;
    let code = format!(
        "export function transformEvent(event) {{
           if (event.messageId === '{}/{}') {{ {what_it_does} }}
           event.properties.seen = true;
           return event;
         }}",
        GUILTY.0, GUILTY.1
    );
    let workspace = Workspace::new().transformed("orders", &receiver.url("/"), &code);
    let options = Options::new(&workspace).set("runtime", "run-time-max", 0.5);
    let pintle = Pintle::start(options).await;

    post(pintle.gateway(), &Events::new(3, 100).many(USERS, EACH), 100).await.unwrap();

    pintle.wait_delivered("orders", EVENTS - 1).await;
    let book = Ledger::of(&receiver.received());
    assert_eq!((book.distinct, book.receipts, book.out_of_order), (EVENTS - 1, EVENTS - 1, 0));
    assert_eq!(book.count(GUILTY.0, GUILTY.1), 0, "the guilty event was delivered");
    assert!(receiver.received().iter().all(|one| one.json()["properties"]["seen"] == true));

    // Its row is written with the next cursor move.
    pintle.wait_until("a stored dead letter", |status| destination(status, "orders")["dead_letters"] == 1).await;
    let list = pintle.cli(&["dead-letters", "list", "--json"]).await;
    assert_eq!(list.code, 0, "{list:?}");
    let list = list.json();
    let letters = list["dead_letters"].as_array().unwrap();
    assert_eq!(letters.len(), 1, "{list:#}");
    let letter = &letters[0];
    assert_eq!(letter["message_id"], format!("{}/{}", GUILTY.0, GUILTY.1), "{letter:#}");
    assert_eq!((&letter["destination_id"], &letter["source_id"]), (&"orders".into(), &"site".into()), "{letter:#}");
    assert!(letter["reason"].as_str().unwrap().contains(reason), "{letter:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transformation_that_loops_for_ever_on_one_event_costs_that_event_only() {
    only_the_guilty_event_becomes_a_dead_letter("for (;;);", "0.5 s").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transformation_that_eats_memory_on_one_event_costs_that_event_only() {
    let eat = "const eaten = []; for (;;) eaten.push(new Uint8Array(1 << 20).fill(1));";
    only_the_guilty_event_becomes_a_dead_letter(eat, "memory").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transformation_that_throws_on_one_event_costs_that_event_only() {
    only_the_guilty_event_becomes_a_dead_letter("throw new Error('no colour');", "no colour").await;
}
