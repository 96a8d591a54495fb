//! Many clients at the same time: slow ones, and ones that only keep their connection.

use pintle_tests::http::{Connection, Request};
use pintle_tests::pintle::{Options, Pintle};
use pintle_tests::receiver::Receiver;
use pintle_tests::workspace::{WRITE_KEY, Workspace};
use std::time::Duration;
use tokio::task::JoinSet;

/// Clients that take their time over one request.
const SLOW: usize = 2_000;
/// Idle connections, unless the system gives fewer file descriptors.
const IDLE: usize = 10_000;
/// Descriptors for everything else, here and in the program.
const SPARE: usize = 1_000;
/// Pieces of a slow request, and the pause between two of them.
const PIECES: usize = 8;
const PAUSE: Duration = Duration::from_millis(100);

/// How many files this process may open; raised as far as it may be.
fn descriptors() -> usize {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: plain system calls with a structure of our own.
    unsafe {
        assert_eq!(libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit), 0);
        limit.rlim_cur = limit.rlim_max;
        assert_eq!(libc::setrlimit(libc::RLIMIT_NOFILE, &limit), 0);
    }
    usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_slow_clients_are_all_answered_and_hold_up_nobody() {
    descriptors();
    let receiver = Receiver::start().await;
    let pintle = Pintle::start(Options::new(&Workspace::new().webhook("orders", &receiver.url("/")))).await;
    let gateway = pintle.gateway();
    let mut clients = JoinSet::new();
    for n in 0..SLOW {
        clients.spawn(async move {
            let event =
                format!(r#"{{"userId":"slow-{n}","event":"Slow","properties":{{"filler":"{}"}}}}"#, "x".repeat(900));
            let bytes = Request::post("/v1/track", event).key(WRITE_KEY).bytes();
            let mut connection = Connection::open(gateway).await.unwrap();
            for piece in bytes.chunks(bytes.len().div_ceil(PIECES)) {
                connection.write(piece).await.unwrap();
                // What makes it slow, not a wait for something.
                tokio::time::sleep(PAUSE).await;
            }
            connection.answer().await.unwrap().status
        });
    }
    // Beside them, somebody quick.
    let mut quick = Connection::open(gateway).await.unwrap();
    for n in 0..50 {
        let request = Request::post("/v1/track", format!(r#"{{"userId":"quick","n":{n}}}"#)).key(WRITE_KEY);
        assert_eq!(quick.ask(&request).await.unwrap().status, 200);
    }
    while let Some(status) = clients.join_next().await {
        assert_eq!(status.unwrap(), 200);
    }
    pintle.wait_delivered("orders", SLOW as u64 + 50).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_cost_little_and_are_there_when_they_are_wanted() {
    // Before the start: the program gets as many.
    let count = IDLE.min(descriptors().saturating_sub(SPARE));
    let receiver = Receiver::start().await;
    let pintle = Pintle::start(Options::new(&Workspace::new().webhook("orders", &receiver.url("/")))).await;
    let gateway = pintle.gateway();
    let request = |user: &str| Request::post("/v1/track", format!(r#"{{"userId":"{user}"}}"#)).key(WRITE_KEY);
    let mut warm = Connection::open(gateway).await.unwrap();
    for _ in 0..50 {
        warm.ask(&request("warm")).await.unwrap();
    }
    let before = pintle.memory().now;
    let mut connections = Vec::with_capacity(count);
    for n in 0..count {
        let mut connection = Connection::open(gateway).await.unwrap();
        // Kept alive behind a first request, as a browser's is.
        if n % 10 == 0 {
            assert_eq!(connection.ask(&request("idle")).await.unwrap().status, 200);
        }
        connections.push(connection);
    }
    let after = pintle.memory().now;
    eprintln!("{count} idle connections: {} bytes each", after.saturating_sub(before) / count as u64);
    for connection in connections.iter_mut().step_by(count / 20) {
        assert_eq!(connection.ask(&request("woken")).await.unwrap().status, 200);
    }
}
