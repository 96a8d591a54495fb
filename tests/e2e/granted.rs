//! What a transformation is given besides its events: libraries, credentials, hosts.

use pintle_tests::events::{Events, post};
use pintle_tests::pintle::{Options, Pintle, destination};
use pintle_tests::receiver::Receiver;
use pintle_tests::workspace::Workspace;

const CODE: &str = "
import { url } from 'service';
export async function transformEvent(event) {
  const { status, body } = await fetchV2(url + '/enrich', {
    method: 'POST', headers: { authorization: `Bearer ${getCredential('token')}` }, body: event.messageId,
  });
  event.properties.enriched = { status, kind: typeof body };
  return event;
}";

fn workspace(receiver: &Receiver, service: &Receiver) -> Workspace {
    Workspace::new()
        .transformed("orders", &receiver.url("/"), CODE)
        .library("service", &format!("export const url = '{}';", service.url("")))
        .credential("token", "hush")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transformation_enriches_events_from_a_host_that_it_was_granted() {
    let (receiver, service) = (Receiver::start().await, Receiver::start().await);
    let workspace = workspace(&receiver, &service).granted("orders", &["127.0.0.1"]);
    let pintle = Pintle::start(Options::new(&workspace)).await;

    post(pintle.gateway(), &Events::new(5, 50).many(4, 5), 20).await.unwrap();

    pintle.wait_delivered("orders", 20).await;
    for one in receiver.received() {
        assert_eq!(one.json()["properties"]["enriched"]["status"], 200);
    }
    assert_eq!(service.count(), 20);
    let asked = &service.received()[0];
    assert_eq!(asked.headers["authorization"], "Bearer hush");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_grant_nothing_leaves_the_machine() {
    let (receiver, service) = (Receiver::start().await, Receiver::start().await);
    for (hosts, reason) in [(&[] as &[&str], "no host has been granted"), (&["api.example.com"], "127.0.0.1")] {
        let workspace = workspace(&receiver, &service).granted("orders", hosts);
        let pintle = Pintle::start(Options::new(&workspace)).await;
        post(pintle.gateway(), &Events::new(5, 50).many(1, 1), 1).await.unwrap();
        pintle.wait_until("a dead letter", |status| destination(status, "orders")["dead_letters"] == 1).await;
        let list = pintle.cli(&["dead-letters", "list", "--json"]).await.json();
        let said = list["dead_letters"][0]["reason"].as_str().unwrap();
        assert!(said.contains(reason), "{said}");
    }
    assert_eq!(service.connections(), 0);
}
