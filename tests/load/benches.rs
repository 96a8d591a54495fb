//! The benches, and what they share.

mod component_destination;
mod delivery;
mod destinations;
mod destinations_added;
mod end_to_end;
mod gateway;
mod idle;
mod isolation;
mod latency;
mod overhead;
mod postgres_cpu;
mod sdk;
mod start;
mod transformation;
mod transformations_200;
mod upload;
mod wrk;

use crate::batches;
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
    let done = bench.run(&plan.names).await;
    // What was measured before a failure is shown all the same.
    if !bench.json {
        print!("\n{}", table(&bench.figures));
    }
    done
}

impl Bench {
    async fn run(&mut self, names: &[&str]) -> anyhow::Result<()> {
        self.events()?;
        for name in names {
            eprintln!("bench: {name}");
            let done = match *name {
                "gateway" => gateway::singles(self).await,
                "gateway-batches" => gateway::batches(self).await,
                "postgres-cpu" => postgres_cpu::run(self).await,
                "end-to-end" => end_to_end::run(self).await,
                "delivery" => delivery::run(self).await,
                "destinations-added" => destinations_added::run(self).await,
                "isolation" => isolation::run(self).await,
                "latency" => latency::run(self).await,
                "idle" => idle::run(self).await,
                "start" => start::run(self).await,
                "component-destination" => component_destination::run(self),
                "destinations" => destinations::run(self),
                "transformation" => transformation::run(self),
                "overhead" => overhead::run(self),
                "upload" => upload::run(self).await,
                "sdk" => sdk::run(self),
                _ => transformations_200::run(self).await,
            };
            done.with_context(|| format!("{name} failed"))?;
        }
        Ok(())
    }

    /// Notes a figure; with `--json` it is printed at once.
    fn record(&mut self, figure: Figure) {
        if self.json {
            println!("{}", figure.json());
        }
        self.figures.push(figure);
    }

    /// The events in batches of this size, as a file.
    fn batches_of(&self, size: usize) -> anyhow::Result<PathBuf> {
        let path = self.scratch.join(&format!("batches-{size}.ndjson"));
        batches::write(&self.events, &path, size)?;
        Ok(path)
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
