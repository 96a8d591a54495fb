//! Events per second from the post to the webhook, through the demo's transformation.
//!
//! The generator sends no faster than events arrive: a bounded number of them is on the way, enough to keep
//! every stage busy. So the figure is a steady rate, not that of a queue being filled or drained.

use super::Bench;
use super::gateway::own_cpu_us;
use super::wrk::requests_per_second;
use crate::client::Load;
use crate::clock::median;
use crate::destination::{Destination, start_delivering};
use crate::events::Template;
use crate::figure::Figure;
use crate::pintle::{Pintle, WRITE_KEY};
use anyhow::ensure;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

const NAME: &str = "end-to-end";
/// Events that are posted and have not arrived, at most.
const ON_THE_WAY: usize = 6_000;
const CONNECTIONS: usize = 64;
/// As many as the router has for one destination.
const WRK_CONNECTIONS: usize = 64;
/// How often the generator asks how many have arrived.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// What a cell showed. CPU times are per event.
pub struct Run {
    pub events_per_second: f64,
    pub cpu_us: f64,
    pub postgres_cpu_us: f64,
    receiver_cpu_us: f64,
    generator_cpu_us: f64,
}

pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let (pintle, mut destination) = start_delivering(&bench.scratch, NAME).await?;
    let templates = |templates: Vec<Template>, connections| Load {
        target: pintle.listen,
        connections,
        templates: Rc::new(templates),
    };
    let singles = templates(bench.pool.singles(WRITE_KEY), CONNECTIONS);
    let batches = templates(bench.pool.batches(WRITE_KEY, 100), CONNECTIONS / 8);
    let (mut one, mut many, mut wrk) = (Vec::new(), Vec::new(), Vec::new());
    let spans = bench.spans;
    for _ in 0..spans.rounds {
        one.push(cell(&pintle, &mut destination, &singles, spans.warm, spans.cell).await?);
        many.push(cell(&pintle, &mut destination, &batches, spans.warm, spans.cell).await?);
        wrk.push(requests_per_second(bench, destination.address, WRK_CONNECTIONS, bench.spans.cell).await?);
    }
    record(bench, "posted one by one", &one, &wrk, true);
    record(bench, "posted in batches of 100", &many, &wrk, false);
    pintle.stop()?;
    bench.scratch.clear(NAME);
    Ok(())
}

/// As many events as arrive, for `warm` and then, measured, for `measured`.
pub async fn cell(
    pintle: &Pintle,
    destination: &mut Destination,
    load: &Load,
    warm: Duration,
    measured: Duration,
) -> anyhow::Result<Run> {
    let before = destination.arrived().await?;
    let credit = Rc::new(Semaphore::new(ON_THE_WAY));
    let run = load
        .closed_loop(Some(credit.clone()), async |counts| {
            let mut seen = before;
            refill(destination, &credit, &mut seen, Instant::now() + warm).await?;
            let (first, started) = (seen, Instant::now());
            let cpu_before = cpu(pintle, destination)?;
            refill(destination, &credit, &mut seen, started + measured).await?;
            let (events, seconds) = ((seen - first) as f64, started.elapsed().as_secs_f64());
            let cpu_after = cpu(pintle, destination)?;
            counts.check()?;
            ensure!(events > 0.0, "nothing has arrived; the status: {}", pintle.status().await?);
            let per_event = |at: usize| (cpu_after[at] - cpu_before[at]) as f64 / events;
            Ok(Run {
                events_per_second: events / seconds,
                cpu_us: per_event(0),
                postgres_cpu_us: per_event(1),
                receiver_cpu_us: per_event(2),
                generator_cpu_us: per_event(3),
            })
        })
        .await?;
    // The next cell begins with nothing on the way.
    destination.quiet().await?;
    Ok(run)
}

fn cpu(pintle: &Pintle, destination: &Destination) -> anyhow::Result<[u64; 4]> {
    Ok([pintle.cpu_us()?, pintle.postgres_cpu_us()?, destination.cpu_us()?, own_cpu_us()?])
}

/// Gives the generator as much credit as events arrive, until that moment.
async fn refill(
    destination: &mut Destination,
    credit: &Semaphore,
    seen: &mut u64,
    until: Instant,
) -> anyhow::Result<()> {
    while Instant::now() < until {
        tokio::time::sleep(LOOK_EVERY).await;
        let now = destination.arrived().await?;
        credit.add_permits((now - *seen) as usize);
        *seen = now;
    }
    Ok(())
}

fn record(bench: &mut Bench, how: &str, runs: &[Run], wrk: &[f64], is_the_aim: bool) {
    const LEAST: f64 = 0.25;
    let middle = |column: fn(&Run) -> f64| median(runs.iter().map(column).collect());
    let ratio = median(runs.iter().zip(wrk).map(|(run, wrk)| run.events_per_second / wrk).collect());
    let mut figure =
        Figure::new(NAME, format!("delivered, {how}; baseline: wrk"), middle(|run| run.events_per_second), "events/s")
            .against(median(wrk.to_vec()))
            .ratio(ratio)
            .cpu(middle(|run| run.cpu_us));
    if is_the_aim {
        figure = figure.aim(format!("ratio ≥ {LEAST}"), ratio >= LEAST);
    }
    bench.record(figure);
    type Column = (&'static str, fn(&Run) -> f64);
    let columns: [Column; 3] = [
        ("Postgres CPU", |run| run.postgres_cpu_us),
        ("receiver CPU", |run| run.receiver_cpu_us),
        ("load generator CPU", |run| run.generator_cpu_us),
    ];
    for (what, column) in columns {
        bench.record(Figure::new(NAME, format!("{what}, {how}"), middle(column), "µs/event"));
    }
}
