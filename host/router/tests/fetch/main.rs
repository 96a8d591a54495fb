//! What transformations may fetch, against a real server.

#![allow(clippy::unwrap_used, reason = "in a test the line is the message, also in a function that tests share")]

use pintle_router::fetch::{Config, Fetcher};
use pintle_runtime::egress::{Hosts, Networks};
use pintle_runtime::fetch::{Network, Request, Response};
use pintle_tests::receiver::{Answer, Receiver};
use std::num::NonZeroUsize;
use std::time::Duration;

fn fetcher(config: Config) -> Fetcher {
    Fetcher::new(config, Networks::new(vec!["127.0.0.0/8".parse().unwrap()]))
}

fn hosts(patterns: &[&str]) -> Hosts {
    Hosts::new(&patterns.iter().map(|pattern| (*pattern).to_owned()).collect::<Vec<_>>()).unwrap()
}

fn get(url: impl Into<String>) -> Request {
    Request { method: "GET".to_owned(), url: url.into(), headers: Vec::new(), body: None, follow: true }
}

async fn one(fetcher: &Fetcher, request: Request) -> Result<Response, String> {
    fetcher.fetch(&hosts(&["*"]), vec![request]).await.pop().unwrap()
}

#[tokio::test]
async fn requests_go_side_by_side_and_answers_come_in_their_order() {
    let receiver = Receiver::start().await;
    receiver.always(Answer::status(200).held());
    let requests: Vec<Request> = (0..20).map(|n| get(receiver.url(&format!("/{n}")))).collect();
    let (fetcher, hosts) = (fetcher(Config::default()), hosts(&["127.0.0.1"]));
    let all_there = async {
        receiver.wait_for(20).await;
        receiver.release();
    };
    let (answers, ()) = tokio::join!(fetcher.fetch(&hosts, requests), all_there);
    let urls: Vec<_> = answers.into_iter().map(|answer| answer.unwrap().url).collect();
    assert_eq!(urls, (0..20).map(|n| receiver.url(&format!("/{n}"))).collect::<Vec<_>>());
    assert_eq!(receiver.most_in_flight(), 20);
}

#[tokio::test]
async fn a_request_arrives_as_it_was_meant() {
    let receiver = Receiver::start().await;
    let request = Request {
        method: "PATCH".to_owned(),
        headers: vec![("X-A".to_owned(), "1".to_owned())],
        body: Some("text".into()),
        ..get(receiver.url("/p?q=1"))
    };
    assert_eq!(one(&fetcher(Config::default()), request).await.unwrap().status, 200);
    let received = &receiver.received()[0];
    assert_eq!((received.method.as_str(), received.uri.to_string().as_str()), ("PATCH", "/p?q=1"));
    assert_eq!((&received.headers["x-a"], &received.body[..]), (&"1".parse().unwrap(), &b"text"[..]));
}

#[tokio::test]
async fn without_the_operators_leave_no_private_address_is_reached() {
    let receiver = Receiver::start().await;
    let fetcher = Fetcher::new(Config::default(), Networks::default());
    for url in [receiver.url("/"), receiver.url("/").replace("127.0.0.1", "[::ffff:127.0.0.1]")] {
        let error = one(&fetcher, get(url)).await.unwrap_err();
        assert!(error.starts_with("blocked request to non-public address: "), "{error}");
    }
    let by_name = receiver.url("/").replace("127.0.0.1", "localhost");
    let error = one(&fetcher, get(by_name)).await.unwrap_err();
    assert!(error.contains("reason: cannot use ") && error.ends_with(" as IP address for localhost"), "{error}");
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn only_granted_hosts_are_reached_also_by_redirect() {
    let receiver = Receiver::start().await;
    let fetcher = fetcher(Config::default());
    let elsewhere = receiver.url("/").replace("127.0.0.1", "localhost");
    let refused = fetcher.fetch(&hosts(&["127.0.0.1"]), vec![get(elsewhere.clone())]).await.pop().unwrap().unwrap_err();
    assert!(refused.contains("the host `localhost` is not among those"), "{refused}");
    receiver.always(Answer::status(302).header("location", &elsewhere));
    let refused = fetcher.fetch(&hosts(&["127.0.0.1"]), vec![get(receiver.url("/"))]).await.pop().unwrap().unwrap_err();
    assert!(refused.contains("the host `localhost` is not among those"), "{refused}");
    assert_eq!(receiver.count(), 1);
}

#[tokio::test]
async fn redirects_end() {
    let receiver = Receiver::start().await;
    receiver.always(Answer::status(302).header("location", "/again"));
    let error =
        one(&fetcher(Config { redirects_max: 3, ..Config::default() }), get(receiver.url("/"))).await.unwrap_err();
    assert!(error.ends_with("more than 3 redirects (redirects-max)"), "{error}");
    assert_eq!(receiver.count(), 4);
    let manual = Request { follow: false, ..get(receiver.url("/")) };
    assert_eq!(one(&fetcher(Config::default()), manual).await.unwrap().status, 302);
}

#[tokio::test]
async fn what_takes_too_long_or_too_much_is_a_failure_that_names_its_limit() {
    let receiver = Receiver::start().await;
    let small = NonZeroUsize::new(10).unwrap();
    let config = Config {
        request_timeout: Duration::from_millis(200),
        request_bytes_max: small,
        response_bytes_max: small,
        ..Config::default()
    };
    let fetcher = fetcher(config);
    receiver.always(Answer::status(200).body("more than ten bytes"));
    let error = one(&fetcher, get(receiver.url("/"))).await.unwrap_err();
    assert!(error.ends_with("more than 10 bytes (response-bytes-max)"), "{error}");
    let large = Request { body: Some("more than ten bytes".into()), ..get(receiver.url("/")) };
    let error = one(&fetcher, large).await.unwrap_err();
    assert!(error.ends_with("more than 10 bytes (request-bytes-max)"), "{error}");
    receiver.always(Answer::hang());
    let error = one(&fetcher, get(receiver.url("/"))).await.unwrap_err();
    assert!(error.ends_with("(request-timeout)"), "{error}");
}

#[tokio::test]
async fn what_cannot_be_asked_is_said() {
    let fetcher = fetcher(Config::default());
    let with = |name: &str| Request { headers: vec![(name.to_owned(), "v".to_owned())], ..get("https://a.example/") };
    for (request, part) in [
        (get("file:///etc/passwd"), "not an absolute http or https URL"),
        (get("/relative"), "not an absolute http or https URL"),
        (Request { method: "B AD".to_owned(), ..get("https://a.example/") }, "not an HTTP method"),
        (Request { method: "CONNECT".to_owned(), ..get("https://a.example/") }, "CONNECT is not allowed"),
        (with("Host"), "`Host` is set by the host only"),
        (with("transfer-encoding"), "set by the host only"),
        (with("b ad"), "`b ad` is not valid in HTTP"),
    ] {
        let error = one(&fetcher, request).await.unwrap_err();
        assert!(error.contains(part), "{error}");
    }
}
