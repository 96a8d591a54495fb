//! Runs code over events without delivering anything.

use crate::batch;
use crate::chain::per_event;
use crate::config::Config;
use crate::isolate;
use crate::runner::{context, now_ms};
use crate::spec::Running;
use bytes::Bytes;
use pintle_events::Position;
use pintle_runtime::CallFailure;
use pintle_runtime::transformation::{Context, Entry, LogLine, Transformation};
use serde_json::value::RawValue;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What became of the events of a trial.
#[derive(Debug)]
pub struct Trial {
    /// One per event, in order.
    pub results: Vec<Outcome>,
    /// What was logged, in order.
    pub logs: Vec<LogLine>,
    /// How long the code took, loading not included.
    pub took: Duration,
    /// Linear memory after the last batch; absent when no instance survived it.
    pub memory_bytes: Option<usize>,
}

/// What became of one event.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The events that go on; none when it was dropped or failed.
    pub outputs: Vec<Box<RawValue>>,
    /// What went wrong: message and stack.
    pub errors: Vec<(String, Option<String>)>,
}

/// An event of a trial: `"message": …, "metadata": …`, and the place that seeds its randomness.
#[derive(Clone, Debug)]
pub struct Event {
    /// The members without braces.
    pub members: Bytes,
    /// Where it stands, or would.
    pub position: Position,
}

impl Event {
    /// An event that never was in the log, by its number.
    #[must_use]
    pub fn new(message: &str, metadata: &str, number: u32) -> Event {
        let members = format!("\"message\":{message},\"metadata\":{metadata}").into();
        Event { members, position: Position { lane: 0, seq: 0, idx: number } }
    }
}

/// Runs a version over events, in batches as they would be in service.
pub async fn run(
    id: &str,
    running: &Running,
    transformation: &Transformation,
    events: &[Event],
    config: &Config,
) -> Trial {
    let context = Context { now_ms: now_ms(), ..context(id, running) };
    let logs = Mutex::new(Vec::new());
    let from = Instant::now();
    let mut results = Vec::with_capacity(events.len());
    for range in batch::calls(events, config, |event| event.members.len()) {
        let part = &events[range];
        let (logs, context) = (&logs, &context);
        let call = |range: std::ops::Range<usize>| async move {
            let count = range.len();
            let inputs = part[range].iter().enumerate().map(|(at, event)| (&event.members, event.position, at));
            let mut reply = transformation.transform(context, batch::encode(inputs), count).await?;
            logs.lock().unwrap_or_else(PoisonError::into_inner).append(&mut reply.logs);
            per_event(reply, count)
        };
        results.extend(isolate::guilty(part.len(), call).await.into_iter().map(outcome));
    }
    Trial {
        results,
        logs: logs.into_inner().unwrap_or_else(PoisonError::into_inner),
        took: from.elapsed(),
        memory_bytes: transformation.memory_bytes(),
    }
}

fn outcome(result: Result<Vec<Entry>, CallFailure>) -> Outcome {
    let mut outcome = Outcome::default();
    match result {
        Err(failure) => outcome.errors.push((failure.to_string(), None)),
        Ok(entries) => {
            for entry in entries {
                match entry {
                    Entry::Output { event, .. } => outcome.outputs.push(event),
                    Entry::Error { message, stack, .. } => outcome.errors.push((message, stack)),
                    Entry::Dropped { .. } => {}
                }
            }
        }
    }
    outcome
}
