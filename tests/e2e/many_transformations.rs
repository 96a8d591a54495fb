//! Many transformations on one host, each with events of its own.

use pintle_tests::events::{Events, batch};
use pintle_tests::http::{Connection, Request};
use pintle_tests::pintle::{Options, Pintle};
use pintle_tests::receiver::Receiver;
use pintle_tests::workspace::Workspace;
use std::collections::BTreeMap;

const TRANSFORMATIONS: usize = 200;
const EACH: usize = 3;

/// No two are the same.
fn code(number: usize) -> String {
    format!(
        "const number = {number};
        let seen = 0;
        export function transformEvent(event, metadata) {{
            event.properties.by = {{ number, source: metadata(event).sourceId, seen: ++seen }};
            return event;
        }}"
    )
}

fn id(number: usize) -> String {
    format!("team-{number}")
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_transformations_each_get_their_own_events_and_meet_nobody_elses() {
    let receiver = Receiver::start().await;
    let workspace = (0..TRANSFORMATIONS).fold(Workspace::new(), |workspace, number| {
        let id = id(number);
        workspace
            .transformed(&id, &receiver.url(&format!("/{id}")), &code(number))
            .own_source(&id, &format!("key-{id}"))
    });
    let pintle = Pintle::start(Options::new(&workspace)).await;

    let mut events = Events::new(1, 200);
    let mut connection = Connection::open(pintle.gateway()).await.unwrap();
    for number in 0..TRANSFORMATIONS {
        let id = id(number);
        let own: Vec<String> = (0..EACH).map(|n| events.track(&id, n)).collect();
        let answer = connection.ask(&Request::post("/v1/batch", batch(&own)).key(&format!("key-{id}"))).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    let mut by_path: BTreeMap<String, Vec<serde_json::Value>> = BTreeMap::new();
    for received in receiver.wait_for(TRANSFORMATIONS * EACH).await {
        by_path.entry(received.uri.path().to_owned()).or_default().push(received.json());
    }
    assert_eq!(by_path.len(), TRANSFORMATIONS);
    for number in 0..TRANSFORMATIONS {
        let id = id(number);
        let arrived = &by_path[&format!("/{id}")];
        assert_eq!(arrived.len(), EACH, "{id}: {arrived:#?}");
        for (n, event) in arrived.iter().enumerate() {
            let properties = &event["properties"];
            assert_eq!((&properties["user"], &properties["n"]), (&id.as_str().into(), &n.into()), "{event:#}");
            let by = &properties["by"];
            assert_eq!((&by["number"], &by["source"]), (&number.into(), &id.as_str().into()), "{event:#}");
            // What a script keeps between events is nobody else's: none has seen more than it was given.
            assert!((1..=EACH as u64).contains(&by["seen"].as_u64().unwrap()), "{event:#}");
        }
    }
    eprintln!("{TRANSFORMATIONS} transformations: {} MB resident", pintle.memory().now / 1_000_000);
}
