//! Deliveries per second, one request for each event: a backlog that is let go at once.
//!
//! The events are there before a destination may have them, so that nothing but reading the log, the destination's
//! component and HTTP is measured. The same receiver is asked by wrk on as many connections, with events of the same
//! size. All of them share the machine's cores, Postgres too.

use super::Bench;
use super::wrk::requests_per_second;
use crate::client::Load;
use crate::clock::median;
use crate::destination::Destination;
use crate::figure::Figure;
use crate::pintle::{Pintle, WRITE_KEY, webhooks};
use anyhow::ensure;
use std::rc::Rc;
use std::time::{Duration, Instant};

const NAME: &str = "delivery";
/// As many as the router has for one destination.
const CONNECTIONS: usize = 64;
/// Events of a backlog, for each second of a cell.
const EVENTS_PER_SECOND: u64 = 30_000;
const BATCH_EVENTS: usize = 100;
const POSTING_CONNECTIONS: usize = 8;
/// Of a backlog: before it begins to count, and where it ends to count. Both ends are no steady state.
const WARM_SHARE: u64 = 10;
/// How long a backlog may take; a debug build takes its time.
const TIME_MAX: Duration = Duration::from_secs(600);
const LOOK_EVERY: Duration = Duration::from_millis(5);
const LEAST: f64 = 0.5;

pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let mut destination = Destination::start().await?;
    let (url, open) = (destination.url("/"), "enabled");
    let pintle = Pintle::start(&bench.scratch, NAME, &webhooks(&[("receiver", &url, open)])).await?;
    destination.first(&pintle).await?;
    let load = Load {
        target: pintle.listen,
        connections: POSTING_CONNECTIONS,
        templates: Rc::new(bench.pool.batches(WRITE_KEY, BATCH_EVENTS)),
    };
    let backlog = EVENTS_PER_SECOND * bench.spans.cell.as_secs().max(1);
    let (mut ours, mut cpu, mut wrk) = (Vec::new(), Vec::new(), Vec::new());
    let (mut postgres, mut receiver) = (Vec::new(), Vec::new());
    for _ in 0..bench.spans.rounds {
        pintle.apply(&webhooks(&[("receiver", &url, "paused")])).await?;
        destination.quiet().await?;
        let posted = post(&load, backlog).await?;
        let before = destination.arrived().await?;
        pintle.apply(&webhooks(&[("receiver", &url, open)])).await?;
        let drained = drain(&pintle, &mut destination, before, posted).await?;
        exact(&pintle, &mut destination, before, posted).await?;
        ours.push(drained.per_second);
        cpu.push(drained.host_us);
        postgres.push(drained.postgres_us);
        receiver.push(drained.receiver_us);
        wrk.push(requests_per_second(bench, destination.address, CONNECTIONS, bench.spans.cell).await?);
    }
    let ratio = median(ours.iter().zip(&wrk).map(|(ours, wrk)| ours / wrk).collect());
    let cpu = median(cpu);
    bench.record(
        Figure::new(NAME, "delivered, one event a request; baseline: wrk", median(ours), "requests/s")
            .against(median(wrk))
            .ratio(ratio)
            .cpu(cpu)
            .aim(format!("ratio ≥ {LEAST}"), ratio >= LEAST),
    );
    // All three share the cores with the host.
    bench.record(Figure::new(NAME, "its Postgres, CPU time", median(postgres), "µs/event").reported());
    bench.record(Figure::new(NAME, "its receiver, CPU time", median(receiver), "µs/event").reported());
    pintle.stop()?;
    bench.scratch.clear(NAME);
    Ok(())
}

/// Posts at least so many events; says how many were taken.
async fn post(load: &Load, events: u64) -> anyhow::Result<u64> {
    let counts = load
        .closed_loop(None, async |counts| {
            while counts.acknowledged.get() < events {
                tokio::time::sleep(LOOK_EVERY).await;
                counts.check()?;
            }
            Ok(counts)
        })
        .await?;
    // Also those that were under way when there were enough.
    counts.check()?;
    Ok(counts.acknowledged.get())
}

/// The middle of a backlog: requests per second, and the CPU time that each took.
struct Drained {
    per_second: f64,
    host_us: f64,
    postgres_us: f64,
    receiver_us: f64,
}

async fn drain(pintle: &Pintle, destination: &mut Destination, before: u64, events: u64) -> anyhow::Result<Drained> {
    let deadline = Instant::now() + TIME_MAX;
    let margin = events / WARM_SHARE;
    let first = reach(destination, before + margin, deadline).await?;
    let cpu = |destination: &Destination| -> anyhow::Result<_> {
        Ok([pintle.cpu_us()?, pintle.postgres_cpu_us()?, destination.cpu_us()?])
    };
    let (started, began) = (Instant::now(), cpu(destination)?);
    let last = reach(destination, before + events - margin, deadline).await?;
    let (seconds, ended) = (started.elapsed().as_secs_f64(), cpu(destination)?);
    reach(destination, before + events, deadline).await?;
    let requests = (last - first) as f64;
    let [host_us, postgres_us, receiver_us] = [0, 1, 2].map(|at| (ended[at] - began[at]) as f64 / requests);
    Ok(Drained { per_second: requests / seconds, host_us, postgres_us, receiver_us })
}

/// Fails unless each event came once: what was lost or sent twice is quick.
async fn exact(pintle: &Pintle, destination: &mut Destination, before: u64, events: u64) -> anyhow::Result<()> {
    destination.quiet().await?;
    let arrived = destination.arrived().await? - before;
    ensure!(arrived == events, "{arrived} of {events} have arrived; the status: {}", pintle.status().await?);
    Ok(())
}

async fn reach(destination: &mut Destination, events: u64, deadline: Instant) -> anyhow::Result<u64> {
    loop {
        let arrived = destination.arrived().await?;
        if arrived >= events {
            return Ok(arrived);
        }
        ensure!(Instant::now() < deadline, "{arrived} of {events} have arrived within {TIME_MAX:?}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
