//! Everything in `gateway.rs` against the real program, and what it costs in memory.

use crate::gateway::{self, Target};
use pintle_tests::http::{Request, gzip};
use pintle_tests::pintle::{Options, Pintle};
use pintle_tests::receiver::Receiver;
use pintle_tests::workspace::{WRITE_KEY, Workspace};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// The default of `body-bytes-max`.
const BODY_BYTES_MAX: u64 = 4_096_000;
/// Requests at the same time.
const CONCURRENCY: u64 = 16;
/// What may be left afterwards.
const LEFT_MAX: u64 = 64 << 20;
/// Allocators give memory back after a while.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(100);

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_answered_as_promised() {
    let receiver = Receiver::start().await;
    let pintle = Pintle::start(Options::new(&Workspace::new().webhook("orders", &receiver.url("/")))).await;
    let target = Target { gateway: pintle.gateway(), write_key: WRITE_KEY };
    gateway::bad_input(target).await;
    // What was accepted of it harms nobody behind the gateway either.
    pintle.wait_until("everything to settle", |status| status["destinations"][0]["lag_events"] == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn large_bodies_cost_no_more_than_the_limit_and_are_given_back() {
    let receiver = Receiver::start().await;
    let pintle = Pintle::start(Options::new(&Workspace::new().webhook("orders", &receiver.url("/")))).await;
    let gateway = pintle.gateway();
    let bomb = gzip(&vec![b' '; 1 << 30]);
    let huge = vec![b'x'; 100_000_000];
    let attack = async |rounds: usize| {
        for _ in 0..rounds {
            let mut requests = JoinSet::new();
            for at in 0..CONCURRENCY {
                let request = match at % 2 {
                    0 => Request::post("/v1/batch", bomb.clone()).header("Content-Encoding", "gzip"),
                    _ => Request::post("/v1/batch", huge.clone()).chunked(),
                };
                requests.spawn(async move { request.key(WRITE_KEY).send(gateway).await });
            }
            while let Some(answer) = requests.join_next().await {
                assert_eq!(answer.unwrap().unwrap().status, 413);
            }
        }
    };
    // Once before measuring, so that threads, pools and code are there.
    for _ in 0..50 {
        Request::post("/v1/track", r#"{"userId":"warm"}"#).key(WRITE_KEY).send(gateway).await.unwrap();
    }
    pintle.wait_delivered("orders", 50).await;
    pintle.forget_peak();
    let start = pintle.memory();

    attack(2).await;

    let peak = pintle.memory().peak;
    let allowed = start.now + CONCURRENCY * BODY_BYTES_MAX;
    assert!(peak <= allowed, "peak {peak}, start {}, allowed {allowed}", start.now);
    let until = Instant::now() + PATIENCE;
    while pintle.memory().now > start.now + LEFT_MAX {
        assert!(Instant::now() < until, "still {} after a start of {}", pintle.memory().now, start.now);
        tokio::time::sleep(LOOK).await;
    }
    eprintln!("memory: start {} peak {peak} afterwards {}", start.now, pintle.memory().now);
}
