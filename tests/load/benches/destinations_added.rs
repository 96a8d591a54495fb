//! What one more destination makes Postgres write: the log has each event once, and a destination has a cursor.
//!
//! Events come at a steady rate, so that cursors move as often whatever the number of destinations. What Postgres
//! writes is counted in its write-ahead log, after a checkpoint before each cell.

use super::Bench;
use crate::client::Load;
use crate::clock::median;
use crate::destination::Destination;
use crate::figure::Figure;
use crate::pintle::{Pintle, WRITE_KEY, webhooks};
use anyhow::ensure;
use std::rc::Rc;
use std::time::{Duration, Instant};

const NAME: &str = "destinations-added";
const MOST: usize = 10;
const PER_SECOND: u64 = 300;
const CONNECTIONS: usize = 16;
/// What each further destination may add to what one writes.
const ADDED_MOST: f64 = 0.02;
const ARRIVAL_TIME_MAX: Duration = Duration::from_secs(300);

pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let mut destination = Destination::start().await?;
    let pintle = Pintle::start(&bench.scratch, NAME, &workspace(&destination, 1)).await?;
    let templates = Rc::new(bench.pool.singles(WRITE_KEY));
    let load = Load { target: pintle.listen, connections: CONNECTIONS, templates };
    let mut per_event: Vec<Vec<f64>> = vec![Vec::new(); MOST];
    for _ in 0..bench.spans.rounds {
        for (count, cells) in (1..).zip(&mut per_event) {
            pintle.apply(&workspace(&destination, count)).await?;
            // Whatever is made when a destination begins is made here.
            cell(bench, &pintle, &mut destination, &load, count, bench.spans.warm).await?;
            cells.push(cell(bench, &pintle, &mut destination, &load, count, bench.spans.cell).await?);
        }
    }
    let one = median(per_event[0].clone());
    bench.record(Figure::new(NAME, "Postgres writes, 1 destination", one, "bytes/event"));
    for (count, cells) in (1..=MOST).zip(&per_event).skip(1) {
        let ratio = median(cells.iter().zip(&per_event[0]).map(|(more, one)| more / one).collect());
        let most = 1.0 + ADDED_MOST * (count - 1) as f64;
        bench.record(
            Figure::new(
                NAME,
                format!("Postgres writes, {count} destinations; baseline: 1"),
                median(cells.clone()),
                "bytes/event",
            )
            .against(one)
            .ratio(ratio)
            .aim(format!("ratio ≤ {most:.2}"), ratio <= most),
        );
    }
    pintle.stop()?;
    bench.scratch.clear(NAME);
    Ok(())
}

fn workspace(destination: &Destination, count: usize) -> String {
    let url = destination.url("/");
    let ids: Vec<String> = (1..=count).map(|number| format!("receiver-{number}")).collect();
    let all: Vec<(&str, &str, &str)> = ids.iter().map(|id| (id.as_str(), url.as_str(), "enabled")).collect();
    webhooks(&all)
}

/// Bytes that Postgres writes for each event, until all of them have arrived everywhere.
async fn cell(
    bench: &Bench,
    pintle: &Pintle,
    destination: &mut Destination,
    load: &Load,
    count: usize,
    span: Duration,
) -> anyhow::Result<f64> {
    let events = PER_SECOND * span.as_secs().max(1);
    let arrived = destination.arrived().await?;
    pintle.postgres("CHECKPOINT")?;
    let before = written(pintle)?;
    load.open_loop(PER_SECOND, events).await?;
    let all = arrived + events * count as u64;
    destination.wait_for(all, Instant::now() + ARRIVAL_TIME_MAX).await?;
    // The last cursors are written a moment later.
    tokio::time::sleep(bench.spans.warm).await;
    let now = destination.arrived().await?;
    ensure!(now >= all, "{now} of {all} deliveries have arrived; the status: {}", pintle.status().await?);
    Ok((written(pintle)? - before) / events as f64)
}

/// Bytes of the write-ahead log since its beginning.
fn written(pintle: &Pintle) -> anyhow::Result<f64> {
    Ok(pintle.postgres("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')")?.parse()?)
}
