use crate::http::Connection;
use crate::stack::{Running, mark, post, stored, with_log};
use pintle_gateway::Config;
use std::time::Duration;

#[test]
fn what_was_accepted_is_answered_before_the_gateway_ends() {
    with_log(async |log| {
        let mut running = Running::start(Config::default(), log).await;
        let mark = mark(log);
        let event = r#"{"userId":"shutdown-answered"}"#;
        let request = post("/v1/track", "").header("Expect", "100-continue").claim_length(event.len() as u64);
        let mut begun = Connection::open(running.address).await.unwrap();
        begun.write(&request.head_bytes()).await.unwrap();
        assert_eq!(begun.answer().await.unwrap().status, 100);
        let mut idle = Connection::open(running.address).await.unwrap();
        assert_eq!(idle.ask(&post("/v1/track", event)).await.unwrap().status, 200);

        running.shutdown.cancel();
        assert_eq!(idle.ended().await.unwrap(), b"", "an idle connection ends at once");
        assert!(!running.ended.is_finished(), "a request is in progress");
        begun.write(event.as_bytes()).await.unwrap();
        let answer = begun.answer().await.unwrap();
        assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
        (&mut running.ended).await.unwrap();
        assert!(Connection::open(running.address).await.is_err(), "nobody listens any more");
        assert_eq!(stored(log, &mark, "shutdown-answered", |_| ()).await.len(), 2);
    });
}

#[test]
fn a_client_that_never_finishes_does_not_hold_up_the_end() {
    with_log(async |log| {
        let config = Config { shutdown_time_max: Duration::from_millis(50), ..Config::default() };
        let mut running = Running::start(config, log).await;
        let request = post("/v1/track", "").header("Expect", "100-continue").claim_length(1_000);
        let mut begun = Connection::open(running.address).await.unwrap();
        begun.write(&request.head_bytes()).await.unwrap();
        assert_eq!(begun.answer().await.unwrap().status, 100);
        running.shutdown.cancel();
        (&mut running.ended).await.unwrap();
        assert!(begun.answer().await.is_err());
    });
}
