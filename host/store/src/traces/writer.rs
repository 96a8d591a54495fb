//! Writes steps, as many as wait in one statement, and keeps them in their bounds.

use super::steps::{self, Step};
use super::switches;
use super::tracer::Tracer;
use crate::{Store, metrics};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Steps in one statement, at most.
const STATEMENT_STEPS_MAX: usize = 500;
/// How often steps are tried to be written before they are dropped.
const TRIES: u32 = 3;
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(200);
/// Between two looks for switches that have ended and steps that are too many or too old.
const TIDY_INTERVAL: Duration = Duration::from_secs(1);
/// Steps are looked through for what is too much at every so manieth of these looks.
const TRIM_EVERY: u32 = 60;

/// Writes steps.
#[derive(Debug)]
pub struct Writer {
    store: Store,
    tracer: Tracer,
    queue: mpsc::Receiver<(Step, usize)>,
    waiting_bytes: Arc<AtomicUsize>,
}

impl Writer {
    pub(super) fn new(
        store: Store,
        tracer: Tracer,
        queue: mpsc::Receiver<(Step, usize)>,
        waiting_bytes: Arc<AtomicUsize>,
    ) -> Writer {
        Writer { store, tracer, queue, waiting_bytes }
    }

    /// Runs until `shutdown`, and writes what waits then.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let mut tidy = tokio::time::interval(TIDY_INTERVAL);
        let mut looks = 0;
        loop {
            let first = tokio::select! {
                biased;
                first = self.queue.recv() => first,
                () = shutdown.cancelled() => {
                    self.tidy(false).await;
                    return;
                }
                _ = tidy.tick() => {
                    self.tidy(looks % TRIM_EVERY == 0).await;
                    looks += 1;
                    continue;
                }
            };
            let Some(first) = first else { return };
            let mut steps = vec![self.taken(first)];
            while steps.len() < STATEMENT_STEPS_MAX
                && let Ok(more) = self.queue.try_recv()
            {
                steps.push(self.taken(more));
            }
            self.write(&steps).await;
        }
    }

    fn taken(&self, (step, bytes): (Step, usize)) -> Step {
        self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
        step
    }

    async fn write(&self, steps: &[Step]) {
        for attempt in 1..=TRIES {
            match steps::insert(&self.store, steps).await {
                Ok(()) => return metrics::trace_recorded(steps.len()),
                Err(error) if attempt == TRIES => {
                    tracing::warn!(%error, steps = steps.len(), "steps of traces could not be written, they are dropped");
                    metrics::trace_dropped("database", steps.len());
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    async fn tidy(&self, trim: bool) {
        let counts = self.tracer.tidy();
        if !counts.is_empty()
            && let Err(error) = switches::write_taken(&self.store, &counts).await
        {
            tracing::warn!(%error, "what traces have counted could not be written, trying again");
            self.tracer.uncounted();
        }
        if !trim {
            return;
        }
        let config = self.tracer.config();
        let (keep, rows_max, bytes_max) = (config.retention, config.rows_max.get(), config.bytes_max.get());
        let trimmed = steps::drop_older(&self.store, keep, rows_max, bytes_max).await;
        let trimmed = match trimmed {
            Ok(_) => switches::drop_older(&self.store, keep).await,
            Err(error) => Err(error),
        };
        if let Err(error) = trimmed {
            tracing::warn!(%error, "old steps of traces could not be dropped");
        }
    }
}
