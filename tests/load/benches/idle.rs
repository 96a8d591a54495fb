//! What a Pintle with the demo costs while nothing happens.

use super::Bench;
use super::end_to_end::arrived;
use crate::client::Connection;
use crate::figure::Figure;
use crate::peers::Peer;
use crate::pintle::{Pintle, demo};
use std::time::{Duration, Instant};

const NAME: &str = "idle";
const CPU_MOST_PERCENT: f64 = 1.0;
const RESIDENT_MOST_MB: f64 = 150.0;

pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let mut receiver = Peer::role(&["receiver"])?;
    let address = receiver.address()?;
    let pintle = Pintle::start(&bench.scratch, NAME, &demo(address.port())?).await?;
    let mut asking = Connection::open(address).await?;
    // The event that proved the start: once it has arrived, everything that is made at first use is made.
    while arrived(&mut asking).await? == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
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
