//! Transformations in Python, from the workspace file to the destination.

use pintle_tests::events::{Events, post};
use pintle_tests::ledger::Ledger;
use pintle_tests::pintle::{Options, Pintle, destination};
use pintle_tests::receiver::Receiver;
use pintle_tests::workspace::Workspace;

const USERS: usize = 20;
const EACH: usize = 10;
const EVENTS: u64 = (USERS * EACH) as u64;

#[tokio::test(flavor = "multi_thread")]
async fn events_go_through_python_and_only_the_one_that_it_fails_on_is_left_behind() {
    let receiver = Receiver::start().await;
    let code = "import hashlib, time
def transformEvent(event, metadata):
    if event['messageId'] == 'user-7/4':
        raise ValueError('no colour')
    if event['messageId'] == 'user-8/4':
        while True: pass
    event['properties']['digest'] = hashlib.sha256(event['messageId'].encode()).hexdigest()
    event['properties']['source'] = metadata(event)['sourceId']
    return event
";
    let workspace = Workspace::new().python("orders", &receiver.url("/"), code);
    let options = Options::new(&workspace).set("runtime", "run-time-max", 0.5);
    let pintle = Pintle::start(options).await;

    post(pintle.gateway(), &Events::new(3, 100).many(USERS, EACH), 100).await.unwrap();

    pintle.wait_delivered("orders", EVENTS - 2).await;
    let received = receiver.received();
    let book = Ledger::of(&received);
    assert_eq!((book.distinct, book.receipts, book.out_of_order), (EVENTS - 2, EVENTS - 2, 0));
    for one in &received {
        let properties = &one.json()["properties"];
        assert_eq!(properties["source"], "site", "{properties}");
        assert_eq!(properties["digest"].as_str().unwrap().len(), 64, "{properties}");
    }

    // The rows are written with the next cursor move.
    pintle.wait_until("stored dead letters", |status| destination(status, "orders")["dead_letters"] == 2).await;
    let list = pintle.cli(&["dead-letters", "list", "--json"]).await;
    assert_eq!(list.code, 0, "{list:?}");
    let list = list.json();
    let mut reasons: Vec<_> = list["dead_letters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|letter| format!("{} {}", letter["message_id"].as_str().unwrap(), letter["reason"].as_str().unwrap()))
        .collect();
    reasons.sort();
    assert!(reasons[0].starts_with("user-7/4 ") && reasons[0].contains("ValueError: no colour"), "{reasons:?}");
    assert!(reasons[1].starts_with("user-8/4 ") && reasons[1].contains("0.5 s"), "{reasons:?}");
}
