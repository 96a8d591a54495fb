//! How often a delivery is tried, and how long a connection may take.

use crate::setup::{Plugin, World, assert_all_in_order, number, quick, until};
use bytes::Bytes;
use pintle_router::{Config, Rehearsal};
use pintle_runtime::destination::{Body, Method, Request};
use pintle_tests::receiver::Answer;
use std::num::NonZeroU32;
use std::time::Duration;
use tokio::net::TcpListener;

fn at_most(tries: u32) -> Config {
    Config { attempts_max: NonZeroU32::new(tries).unwrap(), attempts_min: NonZeroU32::MIN, ..quick() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_is_always_put_off_becomes_a_dead_letter_after_so_many_tries() {
    for status in [429, 408, 503] {
        let world = World::new().await;
        world.receiver.answer_by(move |received| match number(received).1 {
            0 => Answer::status(status).header("retry-after", "0"),
            _ => Answer::status(200),
        });
        let outlet = world.outlet(at_most(4)).await;
        world.send(&outlet, 1, 0..3).await;
        outlet.close(Duration::from_secs(30)).await;
        let letters = world.dead_letters().await;
        assert_eq!(letters.len(), 1, "{status}");
        let expected = format!("the destination answered {status}; it was tried 4 times (attempts-max)");
        assert_eq!((letters[0].reason.as_str(), letters[0].attempts), (expected.as_str(), 4));
        assert_eq!((world.receiver.count(), world.tracker.books().delivered), (6, 2), "{status}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tries_do_not_count_while_it_is_the_destination_that_is_down() {
    let world = World::new().await;
    world.receiver.always(Answer::status(500));
    let outlet = world.outlet(at_most(10)).await;
    world.send(&outlet, 6, 0..6).await;
    until(&outlet, "an open breaker", |status| status.breaker.is_some()).await;
    let came = world.receiver.count();
    // Six deliveries, more than ten probes each.
    world.receiver.wait_for(came + 75).await;
    assert_eq!(outlet.status().dead_total, 0);
    world.receiver.always(Answer::status(200));
    outlet.close(Duration::from_secs(30)).await;
    assert_all_in_order(&world.receiver, 0..6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tries_in_company_do_not_count_against_those_that_are_not_to_blame() {
    let world = World::of(Plugin::Bulk).await;
    world.receiver.answer_by(|received| {
        let events = received.json()["events"].as_array().unwrap().clone();
        Answer::status(if events.iter().any(|event| event["n"] == 7) { 500 } else { 200 })
    });
    // It never parks, however fast the tries are.
    let outlet = world.outlet(Config { memory_tries: NonZeroU32::MAX, ..at_most(2) }).await;
    world.send(&outlet, 40, 0..40).await;
    outlet.close(Duration::from_secs(30)).await;
    let letters = world.dead_letters().await;
    let dead: Vec<_> = letters.iter().map(|letter| letter.message_id.as_str()).collect();
    assert_eq!(dead, ["m7"]);
    assert!(letters[0].reason.contains("attempts-max"), "{}", letters[0].reason);
    assert_eq!(world.tracker.books().delivered, 39);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handshake_that_does_not_come_ends_with_the_time_for_connections() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let silent = tokio::spawn(async move {
        let mut connections = Vec::new();
        while let Ok((connection, _)) = listener.accept().await {
            connections.push(connection);
        }
    });
    let world = World::new().await;
    let long = Duration::from_secs(600);
    let config = Config {
        connect_timeout: Duration::from_millis(100),
        attempt_timeout: long,
        first_byte_timeout: long,
        ..quick()
    };
    let outlet = world.outlet(config).await;
    outlet.send(world.delivery_of(1, 0, Bytes::from_static(b"{}"), vec![post(&url)])).await.unwrap();
    let status = until(&outlet, "a failure", |status| status.last_error.is_some()).await;
    let said = status.last_error.unwrap().0;
    assert_eq!(said, "could not connect: no connection within the time limit (connect-timeout)");
    outlet.close(Duration::ZERO).await;
    silent.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rehearsal_shows_what_would_be_sent_and_sends_nothing() {
    let world = World::new().await;
    let outlet = world.outlet(quick()).await;
    let delivery = world.delivery(1, 5).await;
    let rehearsed = outlet.rehearse(delivery.position, &delivery.payload).await;
    let Rehearsal::Requests(previews) = rehearsed else { panic!("{rehearsed:?}") };
    let request = &previews[0].request;
    assert!(request.starts_with(&format!("POST {}\n", world.receiver.url("/hook"))), "{request}");
    assert!(request.contains("x-token: ***") && request.contains("\"messageId\":\"m5\""), "{request}");
    assert_eq!((previews.len(), previews[0].refusal.as_ref()), (1, None));

    let elsewhere = world.delivery_with(1, 6, &[("fullPath", "http://10.1.2.3/in")]).await;
    let rehearsed = outlet.rehearse(elsewhere.position, &elsewhere.payload).await;
    let Rehearsal::Requests(previews) = rehearsed else { panic!("{rehearsed:?}") };
    let refusal = previews[0].refusal.as_ref().unwrap();
    assert!(refusal.contains("10.1.2.3") && refusal.contains("egress-allow"), "{refusal}");

    let unusable = world.delivery_with(1, 7, &[]).await.payload;
    let unusable = String::from_utf8(unusable.to_vec()).unwrap().replace("\"n\":7", "\"n\":7,\"fullPath\":7");
    let rehearsed = outlet.rehearse(delivery.position, unusable.as_bytes()).await;
    assert!(matches!(&rehearsed, Rehearsal::Refused(_)), "{rehearsed:?}");
    outlet.close(Duration::from_secs(30)).await;
    assert_eq!(world.receiver.connections(), 0, "nothing was sent");
}

fn post(url: &str) -> Request {
    let (url, body) = (url.to_owned(), Body::Json(Bytes::from_static(b"{}")));
    Request { method: Method::Post, url, query: Vec::new(), headers: Vec::new(), body, gzip: false }
}
