//! Events through a plugin's transform.

use super::asked;
use pintle_runtime::destination::{Context, Delivery, Destination, DestinationPlugin, Outcome};
use serde_json::{Value, json};
use std::sync::Arc;

/// What became of one event.
pub enum Fate {
    /// This is delivered, one after another.
    Sent(Vec<Delivery>),
    /// Nothing is, by rule.
    Filtered,
    /// Nothing is, and why.
    Refused(String),
}

/// An event that has been transformed.
pub struct Job {
    /// What became of it.
    pub fate: Fate,
    /// What transformed it, if its configuration was taken.
    pub destination: Option<Arc<Destination>>,
}

/// Transforms events, those with one configuration in one call. In the order of the inputs.
pub async fn jobs(plugin: &Arc<DestinationPlugin>, inputs: &[Value], now_ms: u64) -> Vec<Job> {
    let mut jobs: Vec<Option<Job>> = inputs.iter().map(|_| None).collect();
    while let Some(first) = jobs.iter().position(Option::is_none) {
        let config = &inputs[first]["destination"]["Config"];
        let places: Vec<usize> =
            (first..inputs.len()).filter(|at| inputs[*at]["destination"]["Config"] == *config).collect();
        let destination = match plugin.configure(config).await {
            Ok(destination) => destination,
            Err(error) => {
                for at in places {
                    jobs[at] = Some(Job { fate: Fate::Refused(error.to_string()), destination: None });
                }
                continue;
            }
        };
        let (ready, raw): (Vec<usize>, Vec<usize>) =
            places.into_iter().partition(|at| inputs[*at]["message"].get("statusCode").is_some());
        for at in ready {
            let message = &inputs[at]["message"];
            let deliveries = vec![Delivery::Request(asked::request(message.get("output").unwrap_or(message)))];
            jobs[at] = Some(Job { fate: Fate::Sent(deliveries), destination: Some(destination.clone()) });
        }
        let events: Vec<&Value> = raw.iter().map(|at| &inputs[*at]).collect();
        for (at, fate) in raw.iter().zip(fates(&destination, &events, now_ms).await) {
            jobs[*at] = Some(Job { fate, destination: Some(destination.clone()) });
        }
    }
    jobs.into_iter().flatten().collect()
}

/// One call for all; when it fails, one for each, so that only the guilty suffers.
async fn fates(destination: &Destination, events: &[&Value], now_ms: u64) -> Vec<Fate> {
    match transform(destination, events, now_ms).await {
        Ok(outcomes) => return outcomes.into_iter().map(Fate::from).collect(),
        Err(reason) if events.len() < 2 => return events.iter().map(|_| Fate::Refused(reason.clone())).collect(),
        Err(_) => {}
    }
    let mut fates = Vec::new();
    for event in events {
        let outcome = transform(destination, &[*event], now_ms).await;
        fates.push(outcome.map_or_else(Fate::Refused, |mut outcomes| Fate::from(outcomes.remove(0))));
    }
    fates
}

async fn transform(destination: &Destination, events: &[&Value], now_ms: u64) -> Result<Vec<Outcome>, String> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let entry = |event: &&Value| {
        let metadata = if event["metadata"].is_object() { event["metadata"].clone() } else { json!({}) };
        json!({"message": event["message"], "metadata": metadata})
    };
    let batch = Value::Array(events.iter().map(entry).collect()).to_string();
    let context = Context { now_ms, random_seed: 1, attempt: 1 };
    destination.transform(context, batch.into_bytes(), events.len()).await.map_err(|failure| failure.to_string())
}

impl From<Outcome> for Fate {
    fn from(outcome: Outcome) -> Fate {
        match outcome {
            Outcome::Deliver(deliveries) => Fate::Sent(deliveries),
            Outcome::Filter(_) => Fate::Filtered,
            Outcome::Reject(reason) => Fate::Refused(reason),
        }
    }
}
