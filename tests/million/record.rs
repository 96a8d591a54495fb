//! Disk and memory over time, as CSV on stderr.

use super::DESTINATIONS;
use pintle_tests::pintle::{Pintle, destination};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How often a line is written.
const EVERY: Duration = Duration::from_secs(1);

/// Writes a line now and then, until it is finished.
pub struct Record {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Record {
    pub fn start(pintle: Arc<Pintle>) -> Record {
        let (stop, mut stopped) = watch::channel(false);
        let task = tokio::spawn(async move {
            let started = Instant::now();
            eprintln!(
                "seconds,accepted,{},log_bytes,data_dir_bytes,memory_bytes,memory_peak_bytes",
                DESTINATIONS.join(",")
            );
            let mut last = false;
            while !last {
                last = tokio::time::timeout(EVERY, stopped.wait_for(|stop| *stop)).await.is_ok();
                line(&pintle, started).await;
            }
        });
        Record { stop, task }
    }

    /// Writes a last line.
    pub async fn finish(self) {
        self.stop.send_replace(true);
        self.task.await.unwrap();
    }
}

async fn line(pintle: &Pintle, started: Instant) {
    let status = pintle.status().await;
    let delivered: Vec<String> =
        DESTINATIONS.iter().map(|id| destination(&status, id)["delivered"].to_string()).collect();
    let (memory, disk) = (pintle.memory(), bytes_below(&pintle.data_dir()));
    eprintln!(
        "{:.1},{},{},{},{disk},{},{}",
        started.elapsed().as_secs_f64(),
        status["log"]["accepted"],
        delivered.join(","),
        status["log"]["bytes"],
        memory.now,
        memory.peak,
    );
}

/// What is stored below a folder. Files come and go meanwhile.
fn bytes_below(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => bytes_below(&entry.path()),
            Ok(kind) if kind.is_file() => entry.metadata().map_or(0, |metadata| metadata.len()),
            _ => 0,
        })
        .sum()
}
