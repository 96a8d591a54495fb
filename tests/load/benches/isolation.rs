//! How long events take to healthy destinations while another one is down, beside the same without that one.
//!
//! Each round has three cells: without, with, and without once more. The two without tell how much two runs of the
//! same differ on this machine; the one with is compared with the mean of them, so that a machine that grows slower
//! or faster meanwhile does not count.

use super::Bench;
use crate::client::Load;
use crate::clock::{median, percentile};
use crate::destination::Destination;
use crate::figure::Figure;
use crate::pintle::{Pintle, WRITE_KEY, free_address, webhooks};
use anyhow::ensure;
use std::rc::Rc;
use std::time::{Duration, Instant};

const NAME: &str = "isolation";
const HEALTHY: [&str; 3] = ["first", "second", "third"];
const PER_SECOND: u64 = 300;
const CONNECTIONS: usize = 16;
const ROUNDS: usize = 10;
const RATIO_MOST: f64 = 1.1;
const ARRIVAL_TIME_MAX: Duration = Duration::from_secs(120);
const DOWN_TIME_MAX: Duration = Duration::from_secs(120);
const LOOK_EVERY: Duration = Duration::from_millis(50);

pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let mut destination = Destination::start().await?;
    // Nobody listens there: every connection is refused.
    let dead = format!("http://{}/", free_address()?);
    let (without, with) = (workspace(&destination, None), workspace(&destination, Some(&dead)));
    let pintle = Pintle::start(&bench.scratch, NAME, &without).await?;
    let templates = Rc::new(bench.pool.singles(WRITE_KEY));
    let load = Load { target: pintle.listen, connections: CONNECTIONS, templates };
    // `--quick` has one round of everything.
    let rounds = if bench.spans.rounds == 1 { 1 } else { ROUNDS };
    let mut p99s: Vec<[f64; 3]> = Vec::new();
    for _ in 0..rounds {
        let before = cell(bench, &pintle, &mut destination, &load).await?;
        pintle.apply(&with).await?;
        load.open_loop(PER_SECOND, PER_SECOND * bench.spans.warm.as_secs().max(1)).await?;
        wait_until_down(&pintle).await?;
        let beside = cell(bench, &pintle, &mut destination, &load).await?;
        pintle.apply(&without).await?;
        let after = cell(bench, &pintle, &mut destination, &load).await?;
        p99s.push([before, beside, after]);
    }
    let of = |figure: fn(&[f64; 3]) -> f64| median(p99s.iter().map(figure).collect());
    let ratio = of(|[before, beside, after]| beside / (before * after).sqrt());
    let spread = of(|[before, _, after]| before.max(*after) / before.min(*after));
    let most = RATIO_MOST.max(spread);
    bench.record(
        Figure::new(NAME, "post to receipt p99 beside a dead one; baseline: without it", of(|p99| p99[1]), "ms")
            .against(of(|p99| p99[0]))
            .ratio(ratio)
            .aim(format!("ratio ≤ {RATIO_MOST} or the spread"), ratio <= most),
    );
    bench.record(
        Figure::new(NAME, "post to receipt p99 without it, once more", of(|p99| p99[2]), "ms")
            .against(of(|p99| p99[0]))
            .ratio(spread),
    );
    pintle.stop()?;
    bench.scratch.clear(NAME);
    Ok(())
}

fn workspace(destination: &Destination, dead: Option<&str>) -> String {
    let urls = HEALTHY.map(|id| (id, destination.url(&path(id))));
    let mut all: Vec<(&str, &str, &str)> = urls.iter().map(|(id, url)| (*id, url.as_str(), "enabled")).collect();
    all.extend(dead.map(|url| ("dead", url, "enabled")));
    webhooks(&all)
}

fn path(id: &str) -> String {
    format!("/{id}")
}

/// The 99th percentile over all healthy destinations, in milliseconds.
async fn cell(bench: &Bench, pintle: &Pintle, destination: &mut Destination, load: &Load) -> anyhow::Result<f64> {
    destination.quiet().await?;
    let before = destination.arrived().await?;
    for id in HEALTHY {
        // What is older counts no more.
        destination.ages_ns_at(&path(id)).await?;
    }
    let events = PER_SECOND * bench.spans.cell.as_secs().max(1);
    load.open_loop(PER_SECOND, events).await?;
    let all = before + events * HEALTHY.len() as u64;
    destination.wait_for(all, Instant::now() + ARRIVAL_TIME_MAX).await?;
    let mut ages = Vec::new();
    for id in HEALTHY {
        ages.append(&mut destination.ages_ns_at(&path(id)).await?);
    }
    let expected = events * HEALTHY.len() as u64;
    ensure!(ages.len() as u64 == expected, "{} of {expected} arrived; {}", ages.len(), pintle.status().await?);
    ages.sort_unstable();
    Ok(percentile(&ages, 0.99) as f64 / 1e6)
}

/// Waits until the dead one is known to be dead.
async fn wait_until_down(pintle: &Pintle) -> anyhow::Result<()> {
    let deadline = Instant::now() + DOWN_TIME_MAX;
    loop {
        let status = pintle.status().await?;
        let all = status["destinations"].as_array().map(Vec::as_slice).unwrap_or_default();
        let dead = all.iter().find(|destination| destination["id"] == "dead");
        if dead.is_some_and(|dead| dead["last_error"].is_object()) {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "the dead destination is not tried; the status: {status}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
