use crate::http::{Answer, Request};
use crate::stack::{LogStack, Running, post, run};
use pintle_gateway::Config;
use pintle_store::Config as StoreConfig;
use std::num::NonZeroU64;
use std::time::Duration;

async fn get(running: &Running, path: &str) -> Answer {
    Request::new("GET", path).send(running.address).await.unwrap()
}

#[test]
fn a_log_that_takes_nothing_is_said_so_and_never_answered_with_200() {
    run(async {
        let event = r#"{"userId":"log-failures"}"#;
        let full = StoreConfig { log_bytes_max: NonZeroU64::new(1), ..StoreConfig::default() };
        let mut stack = LogStack::start("gateway-failures", full).await;

        // A log of one byte is full as soon as it holds anything.
        let running = Running::start(Config::default(), &stack.log).await;
        let refused = loop {
            let answer = post("/v1/track", event).send(running.address).await.unwrap();
            if answer.status != 200 {
                break answer;
            }
        };
        assert_eq!(refused.status, 503);
        assert!(refused.text.starts_with("log-bytes-max is reached"), "{}", refused.text);
        assert_eq!(refused.header("x-pintle-limit"), Some("log-bytes-max"));
        assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() > 0);
        assert_eq!(get(&running, "/ready").await.status, 503);
        let health = get(&running, "/health").await;
        assert_eq!(health.status, 200);
        assert!(health.text.contains(r#""acceptingEvents":"FALSE""#), "{}", health.text);
        let unknown = Request::post("/v1/track", event).key("nobody's").send(running.address).await.unwrap();
        assert_eq!(unknown.status, 401, "whose event it is comes before whether there is room");

        stack.log.close();
        let closed = post("/v1/track", event).send(running.address).await.unwrap();
        assert_eq!((closed.status, closed.text.as_str()), (503, "shutting down; send again\n"));
        drop(running);

        let patience = StoreConfig { append_timeout: Duration::from_millis(500), ..StoreConfig::default() };
        (stack.store, stack.log) = LogStack::open(&stack.postgres, patience).await;
        let running = Running::start(Config::default(), &stack.log).await;
        assert_eq!(post("/v1/track", event).send(running.address).await.unwrap().status, 200);
        stack.postgres.stop().await;
        let gone = post("/v1/track", event).send(running.address).await.unwrap();
        assert_eq!((gone.status, gone.text.as_str()), (503, "the event log is not reachable; send again later\n"));
        assert!(gone.header("retry-after").is_some());
        assert_eq!(get(&running, "/ready").await.status, 503);
        let health = get(&running, "/health").await;
        assert_eq!((health.status, health.text.as_str()), (503, "Cannot connect to db\n"));
    });
}
