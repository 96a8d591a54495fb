//! What a Pintle with the demo costs while nothing happens.

use super::Bench;
use crate::destination::start_delivering;
use crate::figure::Figure;
use std::time::Instant;

const NAME: &str = "idle";
const CPU_MOST_PERCENT: f64 = 1.0;
const RESIDENT_MOST_MB: f64 = 150.0;

pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let (pintle, _destination) = start_delivering(&bench.scratch, NAME).await?;
    tokio::time::sleep(bench.spans.warm).await;
    let before = (pintle.cpu_us()?, pintle.postgres_cpu_us()?);
    let started = Instant::now();
    tokio::time::sleep(bench.spans.idle).await;
    let us = started.elapsed().as_micros() as f64;
    let host = (pintle.cpu_us()? - before.0) as f64 / us * 100.0;
    let postgres = (pintle.postgres_cpu_us()? - before.1) as f64 / us * 100.0;
    let resident = pintle.resident_bytes()? as f64 / 1e6;
    let both = host + postgres;
    bench.record(
        Figure::new(NAME, "CPU, host and Postgres", both, "% of a core")
            .aim(format!("< {CPU_MOST_PERCENT} %"), both < CPU_MOST_PERCENT),
    );
    bench.record(Figure::new(NAME, "CPU, host", host, "% of a core"));
    bench.record(Figure::new(NAME, "CPU, Postgres", postgres, "% of a core"));
    bench.record(
        Figure::new(NAME, "resident memory, host", resident, "MB")
            .aim(format!("< {RESIDENT_MOST_MB} MB"), resident < RESIDENT_MOST_MB),
    );
    pintle.stop()?;
    bench.scratch.clear(NAME);
    Ok(())
}
