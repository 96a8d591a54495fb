//! Deliveries per second, one request for each event: a backlog that is let go at once.
//!
//! The events are there before a destination may have them, so that nothing but reading the log, the destination's
//! component and HTTP is measured. The same receiver is asked by wrk on as many connections.

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
const EVENTS_PER_SECOND: u64 = 10_000;
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
    let load = Load {
        target: pintle.listen,
        connections: POSTING_CONNECTIONS,
        templates: Rc::new(bench.pool.batches(WRITE_KEY, BATCH_EVENTS)),
    };
    let backlog = EVENTS_PER_SECOND * bench.spans.cell.as_secs().max(1);
    let (mut ours, mut cpu, mut wrk) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.spans.rounds {
        pintle.apply(&webhooks(&[("receiver", &url, "paused")])).await?;
        destination.quiet().await?;
        let posted = post(&load, backlog).await?;
        let before = destination.arrived().await?;
        pintle.apply(&webhooks(&[("receiver", &url, open)])).await?;
        let (rate, cpu_us) = drain(&pintle, &mut destination, before, posted).await?;
        ours.push(rate);
        cpu.push(cpu_us);
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
    pintle.stop()?;
    bench.scratch.clear(NAME);
    Ok(())
}

/// Posts at least so many events; says how many were taken.
async fn post(load: &Load, events: u64) -> anyhow::Result<u64> {
    load.closed_loop(None, async |counts| {
        while counts.acknowledged.get() < events {
            tokio::time::sleep(LOOK_EVERY).await;
            counts.check()?;
        }
        Ok(counts)
    })
    .await
    .map(|counts| counts.acknowledged.get())
}

/// Requests per second in the middle of a backlog, and the host's CPU time for each.
async fn drain(pintle: &Pintle, destination: &mut Destination, before: u64, events: u64) -> anyhow::Result<(f64, f64)> {
    let deadline = Instant::now() + TIME_MAX;
    let margin = events / WARM_SHARE;
    let first = reach(destination, before + margin, deadline).await?;
    let (started, cpu_us) = (Instant::now(), pintle.cpu_us()?);
    let last = reach(destination, before + events - margin, deadline).await?;
    let (seconds, cpu_us) = (started.elapsed().as_secs_f64(), pintle.cpu_us()? - cpu_us);
    reach(destination, before + events, deadline).await?;
    let requests = (last - first) as f64;
    Ok((requests / seconds, cpu_us as f64 / requests))
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
