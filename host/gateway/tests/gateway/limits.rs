use crate::http::{Connection, Request};
use crate::stack::{Running, post, with_log};
use pintle_gateway::Config;
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

const EVENT: &str = r#"{"userId":"limits"}"#;

fn size(n: usize) -> NonZeroUsize {
    NonZeroUsize::new(n).unwrap()
}

/// A connection on which a request has begun: its body is announced and has not come.
async fn begun(running: &Running, length: usize) -> Connection {
    let request = post("/v1/track", "").header("Expect", "100-continue").claim_length(length as u64);
    let mut connection = Connection::open(running.address).await.unwrap();
    connection.write(&request.head_bytes()).await.unwrap();
    // The permission to go on says that the gateway is reading the body.
    assert_eq!(connection.answer().await.unwrap().status, 100);
    connection
}

#[test]
fn one_request_too_many_is_told_to_come_back_while_health_is_still_answered() {
    with_log(async |log| {
        let running = Running::start(Config { requests_max: size(2), ..Config::default() }, log).await;
        let mut first = begun(&running, EVENT.len()).await;
        let _second = begun(&running, EVENT.len()).await;
        let refused = post("/v1/track", EVENT).send(running.address).await.unwrap();
        assert_eq!((refused.status, refused.text.as_str()), (503, "Service Unavailable\n"));
        assert_eq!(refused.header("x-pintle-limit"), Some("requests-max"));
        assert_eq!(refused.header("retry-after"), Some("1"));
        assert_eq!(Request::new("GET", "/health").send(running.address).await.unwrap().status, 200);
        first.write(EVENT.as_bytes()).await.unwrap();
        assert_eq!(first.answer().await.unwrap().status, 200);
        assert_eq!(post("/v1/track", EVENT).send(running.address).await.unwrap().status, 200);
    });
}

#[test]
fn bodies_that_do_not_fit_together_are_told_to_come_back() {
    with_log(async |log| {
        let limit = size(1_000_000);
        let config = Config {
            body_bytes_max: limit,
            decompressed_bytes_max: limit,
            bodies_bytes_max: limit,
            ..Config::default()
        };
        let running = Running::start(config, log).await;
        let body = format!(r#"{{"userId":"limits","p":"{}"}}"#, "x".repeat(600_000));
        let (first, last) = body.split_at(590_000);
        let (finish, finishing) = tokio::sync::watch::channel(());
        let mut clients = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let mut connection = begun(&running, body.len()).await;
            let (first, last, mut finishing) = (first.to_owned(), last.to_owned(), finishing.clone());
            clients.spawn(async move {
                connection.write(first.as_bytes()).await.unwrap();
                tokio::select! {
                    answer = connection.answer() => return answer.unwrap(),
                    _ = finishing.changed() => {}
                }
                connection.write(last.as_bytes()).await.unwrap();
                connection.answer().await.unwrap()
            });
        }
        // None is finished, and only one fits: the others are answered at once instead of waiting for it.
        for _ in 0..3 {
            let refused = clients.join_next().await.unwrap().unwrap();
            assert_eq!((refused.status, refused.text.as_str()), (503, "Service Unavailable\n"));
            assert_eq!(refused.header("x-pintle-limit"), Some("bodies-bytes-max"));
        }
        finish.send_replace(());
        let survivor = clients.join_next().await.unwrap().unwrap();
        // Two that ask for the last of the memory at the same moment may both be refused.
        assert!(matches!(survivor.status, 200 | 503), "{}", survivor.status);
        assert_eq!(post("/v1/track", body).send(running.address).await.unwrap().status, 200);
    });
}

#[test]
fn a_batch_of_too_many_events_is_too_large() {
    with_log(async |log| {
        let running = Running::start(Config { batch_events_max: size(3), ..Config::default() }, log).await;
        let body = |count: usize| format!(r#"{{"batch":[{}]}}"#, vec![EVENT; count].join(","));
        assert_eq!(post("/v1/batch", body(3)).send(running.address).await.unwrap().status, 200);
        let refused = post("/v1/batch", body(4)).send(running.address).await.unwrap();
        assert_eq!((refused.status, refused.header("x-pintle-limit")), (413, Some("batch-events-max")));
    });
}

#[test]
fn a_body_that_never_ends_is_given_up_and_its_connection_closed() {
    with_log(async |log| {
        let short = Duration::from_millis(50);
        let running =
            Running::start(Config { body_time_max: short, drain_time_max: short, ..Config::default() }, log).await;
        let mut connection = begun(&running, 1_000).await;
        connection.write(b"{\"userId\":").await.unwrap();
        let answer = connection.answer().await.unwrap();
        assert_eq!((answer.status, answer.text.as_str()), (500, "failed to read body from request\n"));
        assert_eq!(answer.header("x-pintle-limit"), Some("body-time-max"));
        assert_eq!(connection.ended().await.unwrap(), b"");
    });
}

#[test]
fn connections_without_a_request_are_closed() {
    with_log(async |log| {
        let running =
            Running::start(Config { idle_time_max: Duration::from_millis(100), ..Config::default() }, log).await;
        let mut silent = Connection::open(running.address).await.unwrap();
        let mut slow = Connection::open(running.address).await.unwrap();
        slow.write(b"POST /v1/track HTTP/1.1\r\nHost: x\r\nAuth").await.unwrap();
        let mut done = Connection::open(running.address).await.unwrap();
        assert_eq!(done.ask(&post("/v1/track", EVENT)).await.unwrap().status, 200);
        let mut busy = begun(&running, EVENT.len()).await;
        for connection in [&mut silent, &mut done] {
            assert_eq!(connection.ended().await.unwrap(), b"");
        }
        _ = slow.ended().await; // Reset or closed: what matters is that it is over.
        busy.write(EVENT.as_bytes()).await.unwrap();
        assert_eq!(busy.answer().await.unwrap().status, 200);
    });
}

#[test]
fn connections_beyond_the_limit_wait_for_their_turn() {
    with_log(async |log| {
        let config = Config { connections_max: NonZeroU32::MIN, ..Config::default() };
        let running = Running::start(config, log).await;
        let mut first = Connection::open(running.address).await.unwrap();
        assert_eq!(first.ask(&post("/v1/track", EVENT)).await.unwrap().status, 200);
        let mut second = Connection::open(running.address).await.unwrap();
        second.write(&post("/v1/track", EVENT).bytes()).await.unwrap();
        assert_eq!(first.ask(&post("/v1/track", EVENT)).await.unwrap().status, 200);
        drop(first);
        assert_eq!(second.answer().await.unwrap().status, 200);
    });
}
