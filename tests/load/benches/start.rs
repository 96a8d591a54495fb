//! How long a start on an existing data directory takes until an event is answered with 200.

use super::Bench;
use crate::client::Load;
use crate::figure::Figure;
use crate::pintle::{Pintle, WRITE_KEY, demo, free_address};
use std::rc::Rc;
use std::time::Duration;

const NAME: &str = "start";
const MOST_SECONDS: f64 = 2.0;
const BATCH_EVENTS: usize = 100;
const CONNECTIONS: usize = 16;
const LOOK_EVERY: Duration = Duration::from_millis(50);

pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    // Nobody listens there: what is accepted stays unsettled.
    let pintle = Pintle::start(&bench.scratch, NAME, &demo(free_address()?.port())?).await?;
    let home = pintle.home().to_owned();
    pintle.stop()?;
    let mut slowest = 0.0_f64;
    for _ in 0..bench.spans.rounds {
        let (pintle, took) = Pintle::start_again(&home)?;
        slowest = slowest.max(took.as_secs_f64());
        pintle.stop()?;
    }
    let figure = Figure::new(NAME, "after a clean stop, the slowest", slowest, "s");
    bench.record(figure.aim(format!("< {MOST_SECONDS} s"), slowest < MOST_SECONDS));

    let (pintle, _) = Pintle::start_again(&home)?;
    let megabytes = fill(bench, &pintle).await?;
    let status = pintle.status().await?;
    let stored = status["log"]["bytes"].as_f64().unwrap_or(f64::NAN) / 1e6;
    bench.record(Figure::new(NAME, format!("log with {megabytes:.0} MB of events unsettled"), stored, "MB"));
    pintle.kill(false)?;
    let (pintle, took) = Pintle::start_again(&home)?;
    record(bench, "kill −9 of the host", megabytes, took);
    pintle.kill(true)?;
    let (pintle, took) = Pintle::start_again(&home)?;
    record(bench, "kill −9 of Postgres and the host", megabytes, took);
    // A stop would try for a while to deliver what cannot be delivered.
    pintle.kill(false)?;
    bench.scratch.clear(NAME);
    Ok(())
}

fn record(bench: &mut Bench, what: &str, megabytes: f64, took: Duration) {
    let figure = format!("after {what}, {megabytes:.0} MB of events unsettled");
    bench.record(Figure::new(NAME, figure, took.as_secs_f64(), "s").reported());
}

/// Posts events until as many bytes of them are accepted as the plan says; returns them in MB.
async fn fill(bench: &Bench, pintle: &Pintle) -> anyhow::Result<f64> {
    let templates = Rc::new(bench.pool.batches(WRITE_KEY, BATCH_EVENTS));
    let load = Load { target: pintle.listen, connections: CONNECTIONS, templates };
    let mean = bench.pool.mean_bytes();
    let enough = (bench.spans.unsettled_bytes as f64 / mean) as u64;
    load.closed_loop(None, async |counts| {
        while counts.acknowledged.get() < enough {
            tokio::time::sleep(LOOK_EVERY).await;
            counts.check()?;
        }
        Ok(counts.acknowledged.get() as f64 * mean / 1e6)
    })
    .await
}
