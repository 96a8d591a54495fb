//! Lets the destination's component decide what becomes of transformed events, and opens their tickets.

use crate::batch::{self, Input};
use crate::chain::{End, Product};
use crate::config::Config;
use crate::{integrations, isolate, metrics};
use bytes::Bytes;
use pintle_events::Position;
use pintle_router::trace::Mapped;
use pintle_router::{Mask, Scribe};
use pintle_runtime::CallFailure;
use pintle_runtime::destination::{Context, Delivery as Described, Destination, Outcome, Record, Request, Wire};
use pintle_store::settle::{DeadLetter, Fate, Stage, Ticket, Tracker};
use std::sync::Arc;

/// Bytes of what components and code say that a dead letter keeps.
const SAID_BYTES_MAX: usize = 64 << 10;

/// The last step of the processor for one destination.
#[derive(Clone)]
pub struct Mapper {
    /// The configured component.
    pub plugin: Arc<Destination>,
    /// Where events are settled.
    pub tracker: Arc<Tracker>,
    /// What may stand in no dead letter's reason.
    pub mask: Mask,
    /// Writes down what happens to events that somebody follows.
    pub scribe: Scribe,
}

impl Mapper {
    /// Maps what a batch became, settles what ends here, and returns what is to be sent, in the order of
    /// the events.
    ///
    /// With `grouped`, the batch settles together, after all its outputs.
    pub async fn map(
        &self,
        inputs: &[Input],
        products: Vec<Product>,
        grouped: bool,
        now_ms: u64,
        config: &Config,
    ) -> Vec<pintle_router::Delivery> {
        let ends = self.ends(inputs, products, now_ms, config).await;
        let mut deliveries = Vec::with_capacity(ends.len());
        for (inputs, ends) in shares(inputs, ends, grouped) {
            deliveries.append(&mut self.settle(inputs, ends));
        }
        deliveries
    }

    /// Maps what a batch became for a wire of records: what is to be kept, in the order of the events, and the
    /// fates that count once it is. Nothing is settled here.
    pub(crate) async fn records(
        &self,
        inputs: &[Input],
        products: Vec<Product>,
        grouped: bool,
        now_ms: u64,
        config: &Config,
    ) -> (Vec<Kept>, Vec<Deferred>) {
        let ends = self.ends(inputs, products, now_ms, config).await;
        let (mut kept, mut deferred) = (Vec::with_capacity(ends.len()), Vec::new());
        for (inputs, ends) in shares(inputs, ends, grouped) {
            let mut fates = Vec::with_capacity(ends.len());
            let mut owners = Vec::with_capacity(ends.len());
            for (output, (owner, _, end)) in ends.into_iter().enumerate() {
                let owner = place(inputs, owner);
                let input = &inputs[owner];
                owners.push(owner as u32);
                fates.push(match end {
                    Way::Send { described, .. } => {
                        let records = described.into_iter().filter_map(record);
                        kept.extend(records.map(|record| Kept {
                            source_id: input.source_id.clone(),
                            idx: input.position.idx,
                            record,
                        }));
                        Fate::Delivered
                    }
                    Way::Filter { reason } => Fate::Filtered { reason: self.shown(&reason) },
                    Way::Dead { stage, reason, error, payload } => {
                        let (reason, error) = (self.shown(&reason), error.map(|error| self.shown(&error)));
                        Fate::Dead(letter(input, output as u32, stage, reason, error, payload))
                    }
                });
            }
            deferred.push(Deferred { positions: inputs.iter().map(|input| input.position).collect(), owners, fates });
        }
        (kept, deferred)
    }

    /// What is to be done with each product.
    async fn ends(&self, inputs: &[Input], products: Vec<Product>, now_ms: u64, config: &Config) -> Vec<Ending> {
        let wire = self.plugin.manifest().wire;
        let going: Vec<(&Product, &Bytes)> =
            products.iter().filter_map(|product| Some((product, product.result.as_ref().ok()?))).collect();
        let mut outcomes = Vec::with_capacity(going.len());
        for range in batch::calls(&going, config, |(_, members)| members.len()) {
            let events = &going[range];
            let call = |part: std::ops::Range<usize>| async move {
                let count = part.len();
                let first = inputs[events[part.start].0.owner].position;
                let context = Context { now_ms, random_seed: seed(first), attempt: 1 };
                let part = &events[part];
                let one = |(product, members): &(&Product, &'_ Bytes)| {
                    batch::encode(std::iter::once((*members, inputs[product.owner].position, product.ordinal)))
                };
                let encoded = batch::encode(
                    part.iter().map(|(product, members)| (*members, inputs[product.owner].position, product.ordinal)),
                );
                let outcomes = self.plugin.transform(context, encoded, count).await;
                if self.scribe.is_active() {
                    for (place, event) in part.iter().enumerate() {
                        let subject = inputs[event.0.owner].subject();
                        if self.scribe.follows(&subject) {
                            let (input, outcomes) = (one(event), outcomes.as_deref());
                            let mapped = Mapped { context, input: &input, events: count, place, outcomes };
                            self.scribe.mapped(&subject, &self.plugin, &mapped);
                        }
                    }
                }
                let outcomes = outcomes?;
                if outcomes.len() == count {
                    Ok(outcomes)
                } else {
                    Err(CallFailure::BadOutput(format!("it gave {} outcomes for {count} events", outcomes.len())))
                }
            };
            outcomes.extend(isolate::guilty(events.len(), call).await);
        }
        let mut outcomes = outcomes.into_iter();
        products
            .iter()
            .map(|product| {
                let end = match &product.result {
                    Ok(members) => {
                        outcome(outcomes.next().expect("there is one for each product that goes on"), members, wire)
                    }
                    Err(end) => ended(end),
                };
                (product.owner, product.clone(), end)
            })
            .collect()
    }

    /// One ticket for `inputs`; their ends are handed in, and what has none yet is returned.
    fn settle(&self, inputs: &[Input], ends: Vec<(usize, Product, Way)>) -> Vec<pintle_router::Delivery> {
        let positions = inputs.iter().map(|input| input.position).collect();
        let owners = ends.iter().map(|(owner, ..)| place(inputs, *owner) as u32).collect();
        let ticket = Arc::new(Ticket::new(self.tracker.clone(), positions, owners));
        let mut deliveries = Vec::new();
        for (output, (owner, _, end)) in ends.into_iter().enumerate() {
            let input = &inputs[place(inputs, owner)];
            let output = output as u32;
            match end {
                Way::Send { payload, described } => deliveries.push(pintle_router::Delivery {
                    ticket: ticket.clone(),
                    output,
                    position: input.position,
                    key_hash: input.key_hash,
                    source_id: input.source_id.clone(),
                    connection_id: input.connection_id.clone(),
                    message_id: input.message_id.clone(),
                    event_type: input.event_type.clone(),
                    payload,
                    requests: described.into_iter().filter_map(request).collect(),
                }),
                Way::Filter { reason } => {
                    let reason = self.shown(&reason);
                    metrics::ended(self.tracker.destination(), "filtered");
                    let fate = Fate::Filtered { reason };
                    self.scribe.settled(&input.subject(), output, &fate);
                    ticket.settle(output, fate);
                }
                Way::Dead { stage, reason, error, payload } => {
                    metrics::ended(self.tracker.destination(), "dead");
                    let (reason, error) = (self.shown(&reason), error.map(|error| self.shown(&error)));
                    self.tracker.note_error(&reason);
                    let fate = Fate::Dead(letter(input, output, stage, reason, error, payload));
                    self.scribe.settled(&input.subject(), output, &fate);
                    ticket.settle(output, fate);
                }
            }
        }
        deliveries
    }

    /// What components and code say, without secrets: they may put one into an error.
    fn shown(&self, said: &str) -> String {
        self.mask.excerpt(said, SAID_BYTES_MAX)
    }
}

/// A record, and the event that it came from.
pub(crate) struct Kept {
    pub(crate) source_id: Arc<str>,
    /// The event's place in its chunk.
    pub(crate) idx: u32,
    pub(crate) record: Record,
}

/// Events whose fates are known and count later. They settle together.
#[derive(Debug)]
pub(crate) struct Deferred {
    pub(crate) positions: Vec<Position>,
    /// For each output, the place of its event.
    pub(crate) owners: Vec<u32>,
    pub(crate) fates: Vec<Fate>,
}

impl Deferred {
    /// Lets them count.
    pub(crate) fn settle(self, tracker: &Arc<Tracker>) {
        let ticket = Ticket::new(tracker.clone(), self.positions, self.owners);
        for (fate, output) in self.fates.into_iter().zip(0..) {
            match &fate {
                Fate::Filtered { .. } => metrics::ended(tracker.destination(), "filtered"),
                Fate::Dead(letter) => {
                    metrics::ended(tracker.destination(), "dead");
                    tracker.note_error(&letter.reason);
                }
                Fate::Delivered | Fate::Parked(_) => {}
            }
            ticket.settle(output, fate);
        }
    }
}

/// What is to be done with one output.
enum Way {
    /// All of what the plugin described is for its wire.
    Send {
        payload: Bytes,
        described: Vec<Described>,
    },
    Filter {
        reason: String,
    },
    Dead {
        stage: Stage,
        reason: String,
        error: Option<String>,
        payload: Option<Bytes>,
    },
}

/// What becomes of a product of the input at a place.
type Ending = (usize, Product, Way);

/// The ends of those that settle together, with their inputs: of all, or of each for itself.
fn shares(inputs: &[Input], ends: Vec<Ending>, grouped: bool) -> Vec<(&[Input], Vec<Ending>)> {
    if grouped {
        return vec![(inputs, ends)];
    }
    let mut shares = Vec::with_capacity(ends.len());
    let mut ends = ends.into_iter().peekable();
    while let Some(first) = ends.next() {
        let owner = first.0;
        let mut own = vec![first];
        while let Some(more) = ends.next_if(|(other, ..)| *other == owner) {
            own.push(more);
        }
        shares.push((&inputs[owner..=owner], own));
    }
    shares
}

/// Where an owner stands among those that settle together.
fn place(inputs: &[Input], owner: usize) -> usize {
    if inputs.len() == 1 { 0 } else { owner }
}

fn letter(
    input: &Input,
    output: u32,
    stage: Stage,
    reason: String,
    error: Option<String>,
    payload: Option<Bytes>,
) -> DeadLetter {
    DeadLetter {
        position: input.position,
        output,
        stage,
        reason,
        error,
        attempts: 0,
        request: None,
        response: None,
        payload: payload.unwrap_or_else(|| input.payload()),
        source_id: input.source_id.to_string(),
        connection_id: input.connection_id.to_string(),
        message_id: input.message_id.clone(),
        event_type: input.event_type.clone(),
        key_hash: input.key_hash,
    }
}

fn request(described: Described) -> Option<Request> {
    match described {
        Described::Request(request) => Some(request),
        Described::Record(_) => None,
    }
}

fn record(described: Described) -> Option<Record> {
    match described {
        Described::Record(record) => Some(record),
        Described::Request(_) => None,
    }
}

/// Why a plugin may not describe this, when it may not.
pub(crate) fn misfit(described: &Described, wire: Wire) -> Option<String> {
    match (described, wire) {
        (Described::Record(record), Wire::Http) => {
            Some(format!("record for stream \"{}\": this destination has no wire for records", record.stream))
        }
        (Described::Request(request), Wire::Objects) => {
            Some(format!("request to {}: this destination's wire is objects, and takes records alone", request.url))
        }
        _ => None,
    }
}

fn outcome(result: Result<Outcome, CallFailure>, members: &Bytes, wire: Wire) -> Way {
    let payload = batch::payload(members);
    let dead =
        |reason: String, payload| Way::Dead { stage: Stage::Delivery, reason, error: None, payload: Some(payload) };
    match result {
        Ok(Outcome::Deliver(described)) => {
            if let Some(reason) = described.iter().find_map(|described| misfit(described, wire)) {
                return dead(reason, payload);
            }
            if described.is_empty() {
                return Way::Filter { reason: "the destination has nothing to send for it".to_owned() };
            }
            Way::Send { payload, described }
        }
        Ok(Outcome::Filter(reason)) => Way::Filter { reason },
        Ok(Outcome::Reject(reason)) => dead(reason, payload),
        Err(failure) => dead(format!("the destination's plugin failed: {failure}"), payload),
    }
}

fn ended(end: &End) -> Way {
    match end {
        End::Dropped { transformation } => {
            Way::Filter { reason: format!("dropped by transformation \"{transformation}\"") }
        }
        End::LeftOut => Way::Filter { reason: integrations::LEFT_OUT.to_owned() },
        End::Failed { reason, stack } => {
            Way::Dead { stage: Stage::Transformation, reason: reason.clone(), error: stack.clone(), payload: None }
        }
    }
}

/// The seed of a destination's call: from the position of its first event.
fn seed(position: pintle_events::Position) -> u64 {
    xxhash_rust::xxh3::xxh3_64(position.to_string().as_bytes())
}
