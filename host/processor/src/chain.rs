//! Runs the transformations of a connection over a batch of events.

use crate::batch::{self, Input};
use crate::config::Config;
use crate::integrations::Gate;
use crate::isolate;
use crate::journal::Book;
use crate::trace::{self, Flow};
use bytes::Bytes;
use pintle_events::Position;
use pintle_router::Scribe;
use pintle_runtime::CallFailure;
use pintle_runtime::transformation::{Context, Entry, Handler, Reply, Transformation};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The transformations of a connection, in order.
#[derive(Clone, Default)]
pub struct Chain {
    steps: Vec<Step>,
    /// After so many steps, the ones of the source, it is decided whether an event is for this destination.
    fan_out: Option<(usize, Gate)>,
    scribe: Option<Scribe>,
}

#[derive(Clone)]
struct Step {
    name: String,
    context: Context,
    transformation: Arc<Transformation>,
    book: Option<Arc<Book>>,
    /// Crashes and time-outs since an event last got through.
    failures: Arc<AtomicUsize>,
    /// Which code it is, for traces.
    code: Arc<Value>,
}

/// What became of an input in the chain. An input has at least one.
#[derive(Clone, Debug)]
pub struct Product {
    /// The input, by its place in the batch.
    pub owner: usize,
    /// Which of the input's products it is.
    pub ordinal: usize,
    /// What it is.
    pub result: Result<Bytes, End>,
}

/// Why nothing of a product goes on.
#[derive(Clone, Debug)]
pub enum End {
    /// The transformation let go of it on purpose.
    Dropped {
        /// Which one.
        transformation: String,
    },
    /// The transformation failed on it.
    Failed {
        /// In one sentence.
        reason: String,
        /// Where in the user's code.
        stack: Option<String>,
    },
    /// The `integrations` that the source's transformations left on it are not for this destination.
    LeftOut,
}

struct Flowing {
    owner: usize,
    position: Position,
    members: Bytes,
}

impl Chain {
    /// Adds a transformation behind the others. What it logs goes into `book`.
    pub fn push(&mut self, name: &str, context: Context, transformation: Arc<Transformation>, book: Option<Arc<Book>>) {
        let (name, failures, code) = (name.to_owned(), Arc::default(), Arc::default());
        self.steps.push(Step { name, context, transformation, book, failures, code });
    }

    /// Writes down what happens to events that somebody follows.
    pub(crate) fn watch(&mut self, scribe: Scribe) {
        self.scribe = Some(scribe);
    }

    /// Says in full which code the last transformation is.
    pub(crate) fn told(&mut self, code: Value) {
        if let Some(step) = self.steps.last_mut() {
            step.code = Arc::new(code);
        }
    }

    /// The transformations so far are the source's: what they leave on an event decides whether it goes on.
    pub fn fan_out(&mut self, gate: Gate) {
        self.fan_out = Some((self.steps.len(), gate));
    }

    /// Whether events are judged in company, so that they settle together.
    #[must_use]
    pub fn groups(&self) -> bool {
        self.steps.iter().any(|step| step.transformation.handler() == Handler::Batch)
    }

    /// The transformation that has crashed too often in a row to go on with, if there is one.
    #[must_use]
    pub fn broken(&self, config: &Config) -> Option<&str> {
        let max = config.transformation_failures_max.get();
        self.steps.iter().find(|step| step.failures.load(Ordering::Relaxed) >= max).map(|step| step.name.as_str())
    }

    /// Its steps one by one, each with its name and version as a chain of its own. They leave nothing behind: no
    /// log lines, and no count of failures.
    pub(crate) fn apart(&self) -> impl Iterator<Item = (&str, &str, Chain)> {
        self.steps.iter().enumerate().map(|(at, step)| {
            let alone = Step { book: None, failures: Arc::default(), ..step.clone() };
            let gate = self.fan_out.as_ref().filter(|(steps, _)| *steps == at + 1);
            let fan_out = gate.map(|(_, gate)| (1, gate.clone()));
            let chain = Chain { steps: vec![alone], fan_out, scribe: None };
            (step.name.as_str(), step.context.version_id.as_str(), chain)
        })
    }

    /// Runs a batch that respects the limits of one call through all of it.
    pub async fn run(&self, inputs: &[Input], now_ms: u64, config: &Config) -> Vec<Product> {
        let mut flowing: Vec<Flowing> = inputs
            .iter()
            .enumerate()
            .map(|(owner, input)| Flowing { owner, position: input.position, members: input.members.clone() })
            .collect();
        let mut ended: Vec<(usize, End)> = Vec::new();
        for (at, step) in self.steps.iter().enumerate() {
            let mut next = Vec::with_capacity(flowing.len());
            for range in batch::calls(&flowing, config, |event| event.members.len()) {
                step.run(&flowing[range], inputs, now_ms, self.scribe.as_ref(), &mut next, &mut ended).await;
            }
            flowing = next;
            if let Some((_, gate)) = self.fan_out.as_ref().filter(|(steps, _)| *steps == at + 1) {
                flowing.retain(|event| {
                    let passes = gate.lets_through(batch::message(&event.members));
                    if !passes {
                        ended.push((event.owner, End::LeftOut));
                    }
                    passes
                });
            }
        }
        let results = flowing.into_iter().map(|event| (event.owner, Ok(event.members)));
        let mut ordinals = vec![0; inputs.len()];
        let mut products: Vec<Product> = results
            .chain(ended.into_iter().map(|(owner, end)| (owner, Err(end))))
            .map(|(owner, result)| {
                let ordinal = ordinals[owner];
                ordinals[owner] += 1;
                Product { owner, ordinal, result }
            })
            .collect();
        products.sort_by_key(|product| (product.owner, product.ordinal));
        products
    }
}

impl Step {
    async fn run(
        &self,
        events: &[Flowing],
        inputs: &[Input],
        now_ms: u64,
        scribe: Option<&Scribe>,
        next: &mut Vec<Flowing>,
        ended: &mut Vec<(usize, End)>,
    ) {
        let context = Context { now_ms, ..self.context.clone() };
        let context = &context;
        let flow = |at: usize| {
            let event: &Flowing = &events[at];
            Flow {
                subject: inputs[event.owner].subject(),
                members: &event.members,
                position: event.position,
                ordinal: batch::ordinal(events, at, |event| event.position),
            }
        };
        let flow = &flow;
        let call = |range: std::ops::Range<usize>| async move {
            let count = range.len();
            let encoded =
                batch::encode(range.clone().map(flow).map(|flow| (flow.members, flow.position, flow.ordinal)));
            let traced = trace::Call::of(scribe, &self.transformation, &encoded, &range, flow);
            let reply = self.transformation.transform(context, encoded, count).await;
            if let Some(traced) = traced {
                traced.record(&self.code, context, &range, flow, &reply);
            }
            let reply = reply?;
            if let Some(book) = &self.book {
                book.write(&context.version_id, &reply.logs);
            }
            per_event(reply, count)
        };
        for (event, result) in events.iter().zip(isolate::guilty(events.len(), call).await) {
            let input = &inputs[event.owner];
            let entries = match result {
                Ok(entries) => {
                    self.failures.store(0, Ordering::Relaxed);
                    entries
                }
                Err(failure) => {
                    // A refusal is the user's own error; a crash or a time-out may be the code as a whole.
                    if !matches!(failure, CallFailure::Refused(_)) {
                        self.failures.fetch_add(1, Ordering::Relaxed);
                    }
                    self.note_error(input, &failure.to_string(), None);
                    let reason = format!("transformation \"{}\" failed: {failure}", self.name);
                    ended.push((event.owner, End::Failed { reason, stack: None }));
                    continue;
                }
            };
            for entry in entries {
                match entry {
                    Entry::Output { event: message, .. } => next.push(Flowing {
                        owner: event.owner,
                        position: event.position,
                        members: input.with_message(message.get().as_bytes()),
                    }),
                    Entry::Error { message, stack, .. } => {
                        self.note_error(input, &message, stack.as_deref());
                        let reason = format!("transformation \"{}\" failed: {message}", self.name);
                        ended.push((event.owner, End::Failed { reason, stack }));
                    }
                    Entry::Dropped { .. } => {
                        ended.push((event.owner, End::Dropped { transformation: self.name.clone() }));
                    }
                }
            }
        }
    }
}

impl Step {
    /// An error is a line of the log as well: who follows it sees what goes wrong.
    fn note_error(&self, input: &Input, message: &str, stack: Option<&str>) {
        if let Some(book) = &self.book {
            let place = stack.map(|stack| format!("\n{stack}")).unwrap_or_default();
            book.error(&self.context.version_id, &format!("event {}: {message}{place}", input.message_id));
        }
    }
}

/// Sorts a reply's entries by the event they answer; an event without any was dropped.
pub(crate) fn per_event(reply: Reply, events: usize) -> Result<Vec<Vec<Entry>>, CallFailure> {
    let mut sorted: Vec<Vec<Entry>> = vec![Vec::new(); events];
    for entry in reply.entries {
        let (Entry::Output { index, .. } | Entry::Error { index, .. } | Entry::Dropped { index }) = entry;
        let place = sorted
            .get_mut(index)
            .ok_or_else(|| CallFailure::BadOutput(format!("it answers event {index} of {events}")))?;
        place.push(entry);
    }
    for (index, entries) in sorted.iter_mut().enumerate() {
        if entries.is_empty() {
            entries.push(Entry::Dropped { index });
        }
    }
    Ok(sorted)
}
