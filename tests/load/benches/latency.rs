//! How long an event takes from the moment it is due to its arrival, at a thousand a second.

use super::Bench;
use super::end_to_end::arrived;
use crate::client::{Connection, Load};
use crate::clock::percentile;
use crate::figure::Figure;
use crate::peers::Peer;
use crate::pintle::{Pintle, WRITE_KEY, demo};
use anyhow::ensure;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const NAME: &str = "latency";
const PER_SECOND: u64 = 1_000;
const CONNECTIONS: usize = 64;
/// How long events may be on the way after the last one was posted.
const ARRIVAL_TIME_MAX: Duration = Duration::from_secs(10);
const P50_MOST_MS: f64 = 5.0;
const P99_MOST_MS: f64 = 20.0;

pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let mut receiver = Peer::role(&["receiver"])?;
    let address = receiver.address()?;
    let pintle = Pintle::start(&bench.scratch, NAME, &demo(address.port())?).await?;
    let templates = Rc::new(bench.pool.singles(WRITE_KEY));
    let load = Load { target: pintle.listen, connections: CONNECTIONS, templates };
    let mut asking = Connection::open(address).await?;
    load.open_loop(PER_SECOND, PER_SECOND * bench.spans.warm.as_secs()).await?;
    settle(&mut asking).await?;
    let first = arrived(&mut asking).await?;
    asking.get("/ages").await?;

    let count = PER_SECOND * bench.spans.open_loop.as_secs();
    let cpu_before = (pintle.cpu_us()?, pintle.postgres_cpu_us()?);
    let syncs = Syncs::start(&bench.scratch.join("fdatasync.bin"))?;
    let acknowledged = load.open_loop(PER_SECOND, count).await?;
    let deadline = Instant::now() + ARRIVAL_TIME_MAX;
    while arrived(&mut asking).await? < first + count && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let syncs = syncs.stop()?;
    let cpu = (pintle.cpu_us()? - cpu_before.0, pintle.postgres_cpu_us()? - cpu_before.1);
    let ages = asking.get("/ages").await?;
    let mut ages: Vec<u64> = ages.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    ages.sort_unstable();
    ensure!(ages.len() as u64 == count, "{} of {count} events have arrived", ages.len());

    let ms = |sorted: &[u64], share| percentile(sorted, share) as f64 / 1e6;
    for (name, share, most) in [("p50", 0.5, P50_MOST_MS), ("p99", 0.99, P99_MOST_MS)] {
        let value = ms(&ages, share);
        bench.record(
            Figure::new(NAME, format!("post to receipt {name}; baseline: fdatasync"), value, "ms")
                .against(ms(&syncs, share))
                .cpu(cpu.0 as f64 / count as f64)
                .aim(format!("≤ {most} ms"), value <= most),
        );
    }
    for (name, share) in [("p50", 0.5), ("p99", 0.99)] {
        bench.record(Figure::new(NAME, format!("post to 200 {name}"), ms(&acknowledged, share), "ms"));
    }
    bench.record(Figure::new(NAME, "Postgres CPU", cpu.1 as f64 / count as f64, "µs/event"));
    pintle.stop()?;
    bench.scratch.clear(NAME);
    Ok(())
}

/// Waits until nothing has arrived for a while.
async fn settle(asking: &mut Connection) -> anyhow::Result<()> {
    let mut before = 0;
    loop {
        let now = arrived(asking).await?;
        if now == before {
            return Ok(());
        }
        before = now;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// What the disk itself takes meanwhile: 8 KB written over and synced, now and then.
struct Syncs {
    stop: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<std::io::Result<Vec<u64>>>,
}

impl Syncs {
    /// Seldom enough not to be a load of its own.
    const EVERY: Duration = Duration::from_millis(50);

    fn start(path: &Path) -> anyhow::Result<Syncs> {
        let file = File::create(path)?;
        file.write_all_at(&[1; 8192], 0)?;
        file.sync_all()?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            let mut took = Vec::new();
            let mut fill = 1;
            while !stopped.load(Ordering::Relaxed) {
                std::thread::sleep(Syncs::EVERY);
                fill ^= 0xFF;
                let started = Instant::now();
                file.write_all_at(&[fill; 8192], 0)?;
                file.sync_data()?;
                took.push(started.elapsed().as_nanos() as u64);
            }
            took.sort_unstable();
            Ok(took)
        });
        Ok(Syncs { stop, thread })
    }

    fn stop(self) -> anyhow::Result<Vec<u64>> {
        self.stop.store(true, Ordering::Relaxed);
        Ok(self.thread.join().map_err(|_| anyhow::anyhow!("the sync thread crashed"))??)
    }
}
