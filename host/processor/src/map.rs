//! Lets the destination's component decide what becomes of transformed events, and opens their tickets.

use crate::batch::{self, Input};
use crate::chain::{End, Product};
use crate::config::Config;
use crate::{integrations, isolate, metrics};
use bytes::Bytes;
use pintle_router::Scribe;
use pintle_router::trace::Mapped;
use pintle_runtime::CallFailure;
use pintle_runtime::destination::{Context, Delivery as Described, Destination, Outcome, Request};
use pintle_store::settle::{DeadLetter, Fate, Stage, Ticket, Tracker};
use std::sync::Arc;

/// The last step of the processor for one destination.
#[derive(Clone)]
pub struct Mapper {
    /// The configured component.
    pub plugin: Arc<Destination>,
    /// Where events are settled.
    pub tracker: Arc<Tracker>,
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
        let ends: Vec<(usize, Product, Way)> = products
            .iter()
            .map(|product| {
                let end = match &product.result {
                    Ok(members) => {
                        outcome(outcomes.next().expect("there is one for each product that goes on"), members)
                    }
                    Err(end) => ended(end),
                };
                (product.owner, product.clone(), end)
            })
            .collect();
        if grouped {
            self.settle(inputs, ends)
        } else {
            let mut deliveries = Vec::with_capacity(ends.len());
            let mut ends = ends.into_iter().peekable();
            while let Some(first) = ends.next() {
                let owner = first.0;
                let mut own = vec![first];
                while let Some(more) = ends.next_if(|(other, ..)| *other == owner) {
                    own.push(more);
                }
                deliveries.append(&mut self.settle(&inputs[owner..=owner], own));
            }
            deliveries
        }
    }

    /// One ticket for `inputs`; their ends are handed in, and what has none yet is returned.
    fn settle(&self, inputs: &[Input], ends: Vec<(usize, Product, Way)>) -> Vec<pintle_router::Delivery> {
        let positions = inputs.iter().map(|input| input.position).collect();
        let place = |owner: usize| if inputs.len() == 1 { 0 } else { owner };
        let owners = ends.iter().map(|(owner, ..)| place(*owner) as u32).collect();
        let ticket = Arc::new(Ticket::new(self.tracker.clone(), positions, owners));
        let mut deliveries = Vec::new();
        for (output, (owner, _, end)) in ends.into_iter().enumerate() {
            let input = &inputs[place(owner)];
            let output = output as u32;
            match end {
                Way::Send { payload, requests } => deliveries.push(pintle_router::Delivery {
                    ticket: ticket.clone(),
                    output,
                    position: input.position,
                    key_hash: input.key_hash,
                    source_id: input.source_id.clone(),
                    connection_id: input.connection_id.clone(),
                    message_id: input.message_id.clone(),
                    event_type: input.event_type.clone(),
                    payload,
                    requests,
                }),
                Way::Filter { reason } => {
                    metrics::ended(self.tracker.destination(), "filtered");
                    let fate = Fate::Filtered { reason };
                    self.scribe.settled(&input.subject(), output, &fate);
                    ticket.settle(output, fate);
                }
                Way::Dead { stage, reason, error, payload } => {
                    metrics::ended(self.tracker.destination(), "dead");
                    self.tracker.note_error(&reason);
                    let letter = DeadLetter {
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
                    };
                    let fate = Fate::Dead(letter);
                    self.scribe.settled(&input.subject(), output, &fate);
                    ticket.settle(output, fate);
                }
            }
        }
        deliveries
    }
}

/// What is to be done with one output.
enum Way {
    Send { payload: Bytes, requests: Vec<Request> },
    Filter { reason: String },
    Dead { stage: Stage, reason: String, error: Option<String>, payload: Option<Bytes> },
}

fn outcome(result: Result<Outcome, CallFailure>, members: &Bytes) -> Way {
    let payload = batch::payload(members);
    let dead =
        |reason: String, payload| Way::Dead { stage: Stage::Delivery, reason, error: None, payload: Some(payload) };
    match result {
        Ok(Outcome::Deliver(described)) => {
            let mut requests = Vec::with_capacity(described.len());
            for delivery in described {
                match delivery {
                    Described::Request(request) => requests.push(request),
                    Described::Record(record) => {
                        let reason = format!(
                            "record for stream \"{}\": this destination has no wire for records",
                            record.stream
                        );
                        return dead(reason, payload);
                    }
                }
            }
            if requests.is_empty() {
                return Way::Filter { reason: "the destination has nothing to send for it".to_owned() };
            }
            Way::Send { payload, requests }
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
