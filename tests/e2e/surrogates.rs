//! Halves of surrogate pairs: JSON by the letter, and no text. Clients send them, scripts make them.

use pintle_tests::events::{Events, post};
use pintle_tests::pintle::{Options, Pintle, destination};
use pintle_tests::receiver::{Received, Receiver};
use pintle_tests::workspace::Workspace;

/// A batch whose middle event has halves wherever the webhook's plugin looks.
fn batch() -> Vec<String> {
    let mut events = Events::new(6, 0);
    let good = [events.track("ann", 0), events.track("ann", 1), events.track("ann", 2)];
    let [first, middle, last] = good;
    let halves = r#","properties":{"\udc00key":"\ud83d","whole":"\ud83d\ude00"},"header":{"x-half":"a"},"appendPath":"at/\ud800"}"#;
    let middle = format!("{}{halves}", middle.strip_suffix('}').unwrap());
    vec![first, middle, last]
}

fn ids(received: &[Received]) -> Vec<String> {
    received.iter().map(|one| one.json()["messageId"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_with_half_a_character_is_delivered_among_its_neighbours() {
    let receiver = Receiver::start().await;
    let pintle = Pintle::start(Options::new(&Workspace::new().webhook("orders", &receiver.url("/")))).await;

    post(pintle.gateway(), &batch(), 3).await.unwrap();

    let status = pintle.wait_delivered("orders", 3).await;
    assert_eq!(destination(&status, "orders")["dead_letters"], 0, "{status:#}");
    let received = receiver.received();
    assert_eq!(ids(&received), ["ann/0", "ann/1", "ann/2"]);
    let properties = &received[1].json()["properties"];
    assert_eq!((&properties["\u{fffd}key"], &properties["whole"]), (&"\u{fffd}".into(), &"\u{1f600}".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_cuts_an_emoji_in_half_loses_nothing_by_it() {
    let receiver = Receiver::start().await;
    let code = r#"export function transformEvent(event) {
        const half = '😀'.slice(0, 1);
        console.log(half);
        if (event.messageId === 'ann/2') throw new Error(half);
        event.properties = { half, [half]: 1 };
        return event;
    }"#;
    let workspace = Workspace::new().transformed("orders", &receiver.url("/"), code);
    let pintle = Pintle::start(Options::new(&workspace)).await;

    post(pintle.gateway(), &batch(), 3).await.unwrap();

    pintle.wait_delivered("orders", 2).await;
    pintle.wait_until("its letter", |status| destination(status, "orders")["dead_letters"] == 1).await;
    let received = receiver.received();
    assert_eq!(ids(&received), ["ann/0", "ann/1"]);
    for one in &received {
        assert_eq!(one.json()["properties"], serde_json::json!({"half": "\u{fffd}", "\u{fffd}": 1}));
    }
    let letters = pintle.cli(&["dead-letters", "list", "--json"]).await.json();
    let letter = &letters["dead_letters"][0];
    assert_eq!(letter["message_id"], "ann/2", "{letters:#}");
    assert!(letter["reason"].as_str().unwrap().ends_with('\u{fffd}'), "{letters:#}");
}
