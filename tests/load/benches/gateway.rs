//! Acknowledged events per second, one and a hundred per request.

use super::Bench;
use crate::client::Load;
use crate::clock::median;
use crate::figure::Figure;
use crate::peers::{Peer, run_baseline};
use crate::pintle::{Pintle, WRITE_KEY, gateway_only};
use crate::plan::Spans;
use crate::processes;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Instant;

const CONNECTIONS: usize = 512;
/// Connections that send batches, and what feeds the log writer that they are compared with.
const BATCH_CONNECTIONS: usize = 32;
const BATCH_EVENTS: usize = 100;

/// One measured stretch of full load.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cell {
    pub events_per_second: f64,
    pub cpu_us: f64,
    pub postgres_cpu_us: f64,
    pub generator_cpu_us: f64,
    /// Events in one commit, on average.
    pub chunk_events: f64,
}

/// One event per request, 512 connections.
pub async fn singles(bench: &mut Bench) -> anyhow::Result<()> {
    const NAME: &str = "gateway";
    let pintle = Pintle::start(&bench.scratch, NAME, &gateway_only()).await?;
    let file = bench.scratch.join("sync-server.bin");
    let mut server = Peer::role(&["sync-server", &file.to_string_lossy()])?;
    let address = server.address()?;
    let load = single_load(bench, pintle.listen);
    let to_server = Load { target: address, ..load.clone() };
    let (mut cells, mut baselines) = (Vec::new(), Vec::new());
    for _ in 0..bench.spans.rounds {
        cells.push(cell(&pintle, &load, bench.spans).await?);
        baselines.push(server_cell(&server, &to_server, bench.spans).await?);
    }
    record(bench, NAME, &cells, &baselines, "write + fdatasync server");
    bench.singles = cells;
    pintle.stop()?;
    bench.scratch.clear(NAME);
    Ok(())
}

/// A hundred events per request.
pub async fn batches(bench: &mut Bench) -> anyhow::Result<()> {
    const NAME: &str = "gateway-batches";
    let pintle = Pintle::start(&bench.scratch, NAME, &gateway_only()).await?;
    let load = batch_load(bench, pintle.listen);
    let (mut cells, mut baselines) = (Vec::new(), Vec::new());
    for round in 0..bench.spans.rounds {
        cells.push(cell(&pintle, &load, bench.spans).await?);
        let folder = format!("log-writer-{round}");
        let did = run_baseline(
            "log-writer",
            &bench.scratch.join(&folder),
            &bench.events,
            &[
                BATCH_EVENTS.to_string(),
                BATCH_CONNECTIONS.to_string(),
                bench.spans.warm.as_secs().to_string(),
                bench.spans.cell.as_secs().to_string(),
            ],
        )?;
        bench.scratch.clear(&folder);
        baselines.push(Cell {
            events_per_second: did.events_per_second,
            cpu_us: did.cpu_us_per_event,
            postgres_cpu_us: did.postgres_cpu_us_per_event,
            ..Cell::default()
        });
    }
    record(bench, NAME, &cells, &baselines, "log writer alone");
    bench.batches = cells;
    pintle.stop()?;
    bench.scratch.clear(NAME);
    Ok(())
}

/// Cells without a baseline, for the bench about Postgres when it runs alone.
pub async fn cells_alone(bench: &mut Bench) -> anyhow::Result<()> {
    const NAME: &str = "gateway-alone";
    let pintle = Pintle::start(&bench.scratch, NAME, &gateway_only()).await?;
    let (single, batch) = (single_load(bench, pintle.listen), batch_load(bench, pintle.listen));
    for _ in 0..bench.spans.rounds {
        bench.singles.push(cell(&pintle, &single, bench.spans).await?);
        bench.batches.push(cell(&pintle, &batch, bench.spans).await?);
    }
    pintle.stop()?;
    bench.scratch.clear(NAME);
    Ok(())
}

fn single_load(bench: &Bench, target: SocketAddr) -> Load {
    Load { target, connections: CONNECTIONS, templates: Rc::new(bench.pool.singles(WRITE_KEY)) }
}

fn batch_load(bench: &Bench, target: SocketAddr) -> Load {
    Load { target, connections: BATCH_CONNECTIONS, templates: Rc::new(bench.pool.batches(WRITE_KEY, BATCH_EVENTS)) }
}

async fn cell(pintle: &Pintle, load: &Load, spans: Spans) -> anyhow::Result<Cell> {
    load.closed_loop(None, async |counts| {
        tokio::time::sleep(spans.warm).await;
        let chunks = |name| pintle.counter(name);
        let (events, commits) = (chunks("pintle_log_events_total").await?, chunks("pintle_log_chunks_total").await?);
        let before = (pintle.cpu_us()?, pintle.postgres_cpu_us()?, own_cpu_us()?, counts.acknowledged.get());
        let started = Instant::now();
        tokio::time::sleep(spans.cell).await;
        let seconds = started.elapsed().as_secs_f64();
        let acknowledged = (counts.acknowledged.get() - before.3) as f64;
        let per_event = |before: u64, after: u64| (after - before) as f64 / acknowledged;
        let cell = Cell {
            events_per_second: acknowledged / seconds,
            cpu_us: per_event(before.0, pintle.cpu_us()?),
            postgres_cpu_us: per_event(before.1, pintle.postgres_cpu_us()?),
            generator_cpu_us: per_event(before.2, own_cpu_us()?),
            chunk_events: 0.0,
        };
        let (events, commits) =
            (chunks("pintle_log_events_total").await? - events, chunks("pintle_log_chunks_total").await? - commits);
        counts.check()?;
        Ok(Cell { chunk_events: events / commits, ..cell })
    })
    .await
}

async fn server_cell(server: &Peer, load: &Load, spans: Spans) -> anyhow::Result<Cell> {
    load.closed_loop(None, async |counts| {
        tokio::time::sleep(spans.warm).await;
        let before = (server.cpu_us()?, own_cpu_us()?, counts.acknowledged.get());
        let started = Instant::now();
        tokio::time::sleep(spans.cell).await;
        let seconds = started.elapsed().as_secs_f64();
        let acknowledged = (counts.acknowledged.get() - before.2) as f64;
        counts.check()?;
        Ok(Cell {
            events_per_second: acknowledged / seconds,
            cpu_us: (server.cpu_us()? - before.0) as f64 / acknowledged,
            generator_cpu_us: (own_cpu_us()? - before.1) as f64 / acknowledged,
            ..Cell::default()
        })
    })
    .await
}

/// CPU time of the load generator, which is this process.
pub fn own_cpu_us() -> anyhow::Result<u64> {
    processes::cpu_us(std::process::id())
}

/// The median of one column.
pub fn middle(cells: &[Cell], column: impl Fn(&Cell) -> f64) -> f64 {
    median(cells.iter().map(column).collect())
}

fn record(bench: &mut Bench, name: &'static str, cells: &[Cell], baselines: &[Cell], baseline: &str) {
    const LEAST: f64 = 0.5;
    let ratios = |column: fn(&Cell) -> f64| {
        median(cells.iter().zip(baselines).map(|(cell, baseline)| column(cell) / column(baseline)).collect())
    };
    let (cpu, rate) = (|cell: &Cell| cell.cpu_us, |cell: &Cell| cell.events_per_second);
    bench.record(
        Figure::new(name, format!("host CPU; baseline: {baseline}"), middle(cells, cpu), "µs/event")
            .against(middle(baselines, cpu))
            .ratio(ratios(cpu))
            .cpu(middle(cells, cpu)),
    );
    let ratio = ratios(rate);
    bench.record(
        Figure::new(name, format!("acknowledged; baseline: {baseline}"), middle(cells, rate), "events/s")
            .against(middle(baselines, rate))
            .ratio(ratio)
            .cpu(middle(cells, cpu))
            .aim(format!("ratio ≥ {LEAST}"), ratio >= LEAST),
    );
    let generator = |cell: &Cell| cell.generator_cpu_us;
    let mut figure = Figure::new(name, "load generator CPU", middle(cells, generator), "µs/event");
    if middle(baselines, generator) > 0.0 {
        figure = figure.against(middle(baselines, generator));
    }
    bench.record(figure);
    bench.record(Figure::new(name, "Postgres CPU", middle(cells, |cell| cell.postgres_cpu_us), "µs/event"));
    bench.record(Figure::new(name, "events per commit", middle(cells, |cell| cell.chunk_events), "events"));
}
