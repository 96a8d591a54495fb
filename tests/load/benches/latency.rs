//! How long an event takes from the moment it is due to its arrival, at a thousand a second.

use super::Bench;
use crate::client::Load;
use crate::clock::percentile;
use crate::destination::start_delivering;
use crate::figure::Figure;
use crate::pintle::WRITE_KEY;
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
    let (pintle, mut destination) = start_delivering(&bench.scratch, NAME).await?;
    let templates = Rc::new(bench.pool.singles(WRITE_KEY));
    let load = Load { target: pintle.listen, connections: CONNECTIONS, templates };
    load.open_loop(PER_SECOND, PER_SECOND * bench.spans.warm.as_secs()).await?;
    destination.quiet().await?;
    let first = destination.arrived().await?;
    destination.ages_ns().await?;

    let count = PER_SECOND * bench.spans.open_loop.as_secs();
    let cpu_before = (pintle.cpu_us()?, pintle.postgres_cpu_us()?);
    let syncs = Syncs::start(&bench.scratch.join("fdatasync.bin"))?;
    let acknowledged = load.open_loop(PER_SECOND, count).await?;
    destination.wait_for(first + count, Instant::now() + ARRIVAL_TIME_MAX).await?;
    let syncs = syncs.stop()?;
    let cpu = (pintle.cpu_us()? - cpu_before.0, pintle.postgres_cpu_us()? - cpu_before.1);
    let ages = destination.ages_ns().await?;
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
