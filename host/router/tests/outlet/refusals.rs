//! Deliveries that the destination will never take.

use crate::setup::{SECRET, World, assert_all_in_order, number, quick};
use bytes::Bytes;
use pintle_router::Config;
use pintle_runtime::destination::{Body, Method, Request};
use pintle_runtime::egress::{Hosts, Networks};
use pintle_tests::receiver::Answer;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_event_becomes_a_dead_letter_and_its_successors_go_on() {
    let world = World::new().await;
    world.receiver.answer_by(|received| match number(received).1 {
        3 => Answer::status(400).body(format!("your token {SECRET} is fine, the event is not")),
        _ => Answer::status(200),
    });
    let outlet = world.outlet(quick()).await;
    world.send(&outlet, 1, 0..10).await;
    outlet.close(Duration::from_secs(30)).await;
    let letters = world.dead_letters().await;
    assert_eq!(letters.len(), 1);
    let letter = &letters[0];
    assert_eq!((letter.position.idx, letter.attempts), (3, 1));
    assert_eq!(letter.reason, "the destination answered 400");
    let (request, response) = (letter.request.as_ref().unwrap(), letter.response.as_ref().unwrap());
    assert!(request.starts_with(&format!("POST {}\n", world.receiver.url("/hook"))), "{request}");
    assert!(request.contains("x-token: ***") && request.contains("\"messageId\":\"m3\""), "{request}");
    assert!(response.starts_with("HTTP 400\n") && response.contains("your token *** is fine"), "{response}");
    assert!(!request.contains(SECRET) && !response.contains(SECRET));
    let order: Vec<_> = world.receiver.received().iter().map(|received| number(received).1).collect();
    assert_eq!(order, (0..10).collect::<Vec<_>>());
    let books = world.tracker.books();
    assert_eq!((books.delivered, books.dead), (9, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redirect_is_not_followed() {
    let world = World::new().await;
    world.receiver.next([Answer::status(302).header("location", &world.receiver.url("/elsewhere"))]);
    let outlet = world.outlet(quick()).await;
    world.send(&outlet, 1, 0..1).await;
    outlet.close(Duration::from_secs(30)).await;
    assert_eq!(world.receiver.count(), 1);
    assert_eq!(
        world.dead_letters().await[0].reason,
        "the destination answered 302, a redirect, and redirects are not followed"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_huge_answer_only_the_beginning_is_read() {
    let world = World::new().await;
    world.receiver.next([Answer::huge(400, 1 << 30), Answer::huge(200, 1 << 30)]);
    let outlet = world.outlet(quick()).await;
    world.send(&outlet, 1, 0..3).await;
    outlet.close(Duration::from_secs(30)).await;
    let books = world.tracker.books();
    assert_eq!((books.delivered, books.dead), (2, 1));
    assert!(world.dead_letters().await[0].response.as_ref().unwrap().len() < 5_000);
    assert_eq!(world.receiver.connections(), 3, "a connection with unread bytes is not used again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_cannot_be_sent_is_refused_without_harm_to_the_others() {
    let world = World::new().await;
    let outlet = world.outlet(quick()).await;
    for (idx, (url, header)) in
        [("not a url", "x"), ("http://a.example/", "Host"), ("http://a.example/", "b ad")].iter().enumerate()
    {
        let request = Request {
            method: Method::Get,
            url: (*url).to_owned(),
            query: Vec::new(),
            headers: vec![((*header).to_owned(), "v".to_owned())],
            body: Body::None,
            gzip: false,
        };
        let delivery = world.delivery_of(7, 100 + idx as u32, Bytes::from_static(b"{}"), vec![request]);
        outlet.send(delivery).await.unwrap();
    }
    world.send(&outlet, 10, 0..10).await;
    outlet.close(Duration::from_secs(30)).await;
    assert_all_in_order(&world.receiver, 0..10);
    let reasons: Vec<_> = world.dead_letters().await.into_iter().map(|letter| letter.reason).collect();
    assert_eq!(reasons.len(), 3);
    assert!(reasons[0].contains("not an absolute http or https URL"), "{reasons:?}");
    assert!(reasons[1].contains("`Host`") && reasons[2].contains("`b ad`"), "{reasons:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_to_an_address_that_is_not_public_is_refused_and_says_so() {
    let world = World::new().await;
    // Without the test network: what an operator has who sets nothing.
    let outlet = world.outlet(Config { egress_allow: Networks::default(), ..quick() }).await;
    let by_name = world.receiver.url("/hook").replace("127.0.0.1", "localhost");
    let urls = [
        world.receiver.url("/hook"),
        by_name,
        world.receiver.url("/hook").replace("127.0.0.1", "[::ffff:127.0.0.1]"),
        world.receiver.url("/hook").replace("127.0.0.1", "2130706433"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
    ];
    for (idx, url) in (0..).zip(&urls) {
        outlet.send(world.delivery_of(u64::from(idx), idx, Bytes::from_static(b"{}"), vec![get(url)])).await.unwrap();
    }
    outlet.clone().close(Duration::from_secs(30)).await;
    assert_eq!(world.receiver.connections(), 0, "no connection is made");
    let letters = world.dead_letters().await;
    assert_eq!(letters.len(), urls.len());
    for letter in &letters {
        assert!(letter.reason.starts_with("the request was not sent: the address "), "{}", letter.reason);
        assert!(letter.reason.contains("`egress-allow`") && letter.response.is_none(), "{}", letter.reason);
        assert!(letter.request.as_ref().unwrap().starts_with("GET http"));
    }
    assert!(letters[4].reason.contains("metadata"), "{}", letters[4].reason);
    assert!(outlet.status().last_error.is_some(), "an operator sees it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_to_a_host_outside_the_manifest_is_refused() {
    let world = World::new().await;
    let hosts = Hosts::new(&["api.example.com".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let outlet = world.outlet_to(quick(), hosts).await;
    for (idx, url) in (0..).zip(["http://evil.example/x", "http://localhost/x", &world.receiver.url("/ok")]) {
        outlet.send(world.delivery_of(u64::from(idx), idx, Bytes::from_static(b"{}"), vec![get(url)])).await.unwrap();
    }
    outlet.close(Duration::from_secs(30)).await;
    assert_eq!(world.receiver.count(), 1);
    let reasons: Vec<_> = world.dead_letters().await.into_iter().map(|letter| letter.reason).collect();
    assert_eq!(reasons.len(), 2);
    assert!(reasons[0].contains("`evil.example`") && reasons[0].contains("api.example.com"), "{reasons:?}");
    assert!(reasons[1].contains("`localhost`"), "{reasons:?}");
}

fn get(url: &str) -> Request {
    let url = url.to_owned();
    Request { method: Method::Get, url, query: Vec::new(), headers: Vec::new(), body: Body::None, gzip: false }
}
