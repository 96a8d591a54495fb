//! Kill −9 the host, kill −9 Postgres, cut the connection in the middle of a commit: while clients post
//! without a pause, over and over.
//!
//! Afterwards every acknowledged event has arrived, first receipts are in order per user, and what came twice
//! is counted. The moments are random: `PINTLE_SEED` repeats a run's choices. `PINTLE_FAULTS` (of each kind)
//! and `PINTLE_FAULT_EVENTS` (acknowledged at least, per kind) make it longer; `scripts/faults` sets them.
//!
//! An event whose first attempt was not acknowledged is posted again under the same messageId, as every SDK
//! does. Both may be in the log, and then both are delivered: such copies are counted apart.

#![allow(clippy::unwrap_used, reason = "in a test the line is the message, also in a function that tests share")]

mod run;

use pintle_store::fail_point::POINTS;
use pintle_tests::pintle::{Options, Pintle};
use pintle_tests::postgres::Postgres;
use pintle_tests::proxy::{Cut, Proxy};
use pintle_tests::receiver::Receiver;
use pintle_tests::workspace::Workspace;
use rand::RngExt;
use run::{Plan, Run};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_when_the_host_is_killed() {
    let plan = Plan::from_environment("host killed", 1);
    let receiver = Receiver::start().await;
    let workspace = Workspace::new().webhook("orders", &receiver.url("/"));
    let mut pintle = Pintle::start(Options::new(&workspace)).await;
    let mut run = Run::start(plan, &receiver, &pintle).await;
    while run.next_fault().await {
        pintle.kill();
        run.died();
        pintle.restart().await;
        run.started(&pintle).await;
    }
    run.finish(&pintle).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_when_postgres_is_killed() {
    let plan = Plan::from_environment("Postgres killed", 2);
    let receiver = Receiver::start().await;
    let workspace = Workspace::new().webhook("orders", &receiver.url("/"));
    let pintle = Pintle::start(Options::new(&workspace)).await;
    let mut run = Run::start(plan, &receiver, &pintle).await;
    while run.next_fault().await {
        let killed = pintle.postgres_pid();
        pintle.kill_postgres();
        run.fault_happened();
        // Its status is there only while the database answers.
        pintle.wait_until("another Postgres", |_| pintle.postgres_pid() != killed).await;
    }
    run.finish(&pintle).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_when_the_connection_is_cut_in_a_commit() {
    let plan = Plan::from_environment("connection cut", 3);
    let receiver = Receiver::start().await;
    let postgres = Postgres::start();
    let proxy = Proxy::start(&postgres.socket()).await;
    let url = format!("postgres://pintle@{}/postgres?sslmode=disable", proxy.addr());
    let workspace = Workspace::new().webhook("orders", &receiver.url("/"));
    let pintle = Pintle::start(Options::new(&workspace).database(url)).await;
    let mut run = Run::start(plan, &receiver, &pintle).await;
    while run.next_fault().await {
        let cut = match run.random().random_bool(0.5) {
            true => Cut::BeforeAnswer,
            false => Cut::AfterBytes(run.random().random_range(1..60_000)),
        };
        tokio::time::timeout(Duration::from_secs(60), proxy.cut(cut)).await.expect("events flow through the proxy");
        run.fault_happened();
    }
    run.finish(&pintle).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_when_the_host_is_killed_at_any_fail_point() {
    let plan = Plan::from_environment("killed at fail points", 4).faults(POINTS.len());
    let receiver = Receiver::start().await;
    let workspace = Workspace::new().webhook("orders", &receiver.url("/"));
    let mut pintle = Pintle::start(Options::new(&workspace)).await;
    let mut run = Run::start(plan, &receiver, &pintle).await;
    let mut points = POINTS.into_iter();
    while run.next_fault().await {
        let Some(point) = points.next() else { break };
        let passes = run.random().random_range(1..30);
        // Killed and started again with the point armed, and once more without it: two deaths.
        pintle.kill();
        run.died();
        pintle.restart_to_die(&format!("{point}={passes}")).await;
        run.started_in_vain(&pintle);
        run.died();
        pintle.restart().await;
        run.started(&pintle).await;
    }
    run.finish(&pintle).await;
}
