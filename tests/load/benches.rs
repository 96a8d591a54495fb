//! The benches, and what they share.

mod end_to_end;
mod gateway;
mod idle;
mod latency;
mod postgres_cpu;
mod start;
mod wrk;

use crate::events::Pool;
use crate::figure::{Figure, table};
use crate::peers::Peer;
use crate::plan::{Plan, Spans};
use crate::scratch::Scratch;
use anyhow::Context;
use gateway::Cell;
use std::path::PathBuf;

/// The best that zstd's first level may do to the events: better than real ones would let it is a soft bench.
const COMPRESSION_MAX: f64 = 4.0;

/// A run.
pub struct Bench {
    spans: Spans,
    json: bool,
    scratch: Scratch,
    pool: Pool,
    /// The pool as a file, for the baselines.
    events: PathBuf,
    figures: Vec<Figure>,
    /// What the gateway benches have measured, for the one about Postgres.
    singles: Vec<Cell>,
    batches: Vec<Cell>,
}

/// Runs what was asked for and shows it.
pub async fn run(plan: Plan) -> anyhow::Result<()> {
    let scratch = Scratch::new(plan.keep)?;
    let pool = Pool::new();
    let events = scratch.join("events.ndjson");
    pool.write(&events)?;
    let mut bench = Bench {
        spans: plan.spans,
        json: plan.json,
        scratch,
        pool,
        events,
        figures: Vec::new(),
        singles: Vec::new(),
        batches: Vec::new(),
    };
    bench.events()?;
    for name in plan.names {
        eprintln!("bench: {name}");
        let done = match name {
            "gateway" => gateway::singles(&mut bench).await,
            "gateway-batches" => gateway::batches(&mut bench).await,
            "postgres-cpu" => postgres_cpu::run(&mut bench).await,
            "end-to-end" => end_to_end::run(&mut bench).await,
            "latency" => latency::run(&mut bench).await,
            "idle" => idle::run(&mut bench).await,
            _ => start::run(&mut bench).await,
        };
        done.with_context(|| format!("{name} failed"))?;
    }
    if !bench.json {
        print!("\n{}", table(&bench.figures));
    }
    Ok(())
}

impl Bench {
    /// Notes a figure; with `--json` it is printed at once.
    fn record(&mut self, figure: Figure) {
        if self.json {
            println!("{}", figure.json());
        }
        self.figures.push(figure);
    }

    /// What the events are like.
    fn events(&mut self) -> anyhow::Result<()> {
        self.record(Figure::new("events", "mean size", self.pool.mean_bytes(), "bytes"));
        let ratio: f64 = Peer::baseline(&["compression", &self.events.to_string_lossy()])?.line()?.parse()?;
        let figure = Figure::new("events", "zstd level 1, 1,000 events at once", ratio, "to 1");
        self.record(figure.aim(format!("≤ {COMPRESSION_MAX}"), ratio <= COMPRESSION_MAX));
        Ok(())
    }
}
