//! Dead letters that are tried again: each becomes an object of its own, so that a crash repeats that one alone.

use super::gathered::Object;
use super::names::tag;
use crate::map::misfit;
use crate::runner::now_ms;
use bytes::Bytes;
use pintle_events::Position;
use pintle_objects::Lines;
use pintle_runtime::destination::{Context, Delivery, Destination, Outcome, Record, Wire};
use pintle_store::settle::{Fate, Parked};
use pintle_store::suppressions::{self, Suppressions};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use xxhash_rust::xxh3::xxh3_64;

/// An object of one line.
pub(super) struct Line {
    pub(super) bucket: String,
    pub(super) name: String,
    pub(super) body: Bytes,
}

impl Line {
    /// As it is written.
    pub(super) fn object(self) -> Object {
        let mut lines = Lines::new();
        lines.push(&self.body);
        Object { bucket: self.bucket, name: self.name, records: 1, body: lines.finish() }
    }
}

/// What is to be done with one.
pub(super) enum End {
    /// These are to be written; then it is delivered.
    Write(Vec<Line>),
    /// It ends here.
    Settle(Box<Fate>),
}

/// Passes an event through the destination's plugin again.
pub(super) async fn retry(plugin: &Destination, parked: &Parked, suppressed: &Suppressions) -> End {
    let payload: Value = serde_json::from_slice(&parked.payload).unwrap_or_default();
    if is_suppressed(&payload["message"]["userId"], suppressed) {
        return End::Settle(Box::new(Fate::Filtered { reason: suppressions::REASON.to_owned() }));
    }
    let context = Context {
        now_ms: now_ms(),
        random_seed: xxh3_64(parked.position.to_string().as_bytes()),
        attempt: parked.attempt.saturating_add(1),
    };
    let batch = [b"[", &parked.payload[..], b"]"].concat();
    let dead = |reason: String| End::Settle(Box::new(Fate::Dead(parked.dead(reason))));
    match plugin.transform(context, batch, 1).await {
        Err(failure) => dead(format!("the destination's plugin failed: {failure}")),
        Ok(mut outcomes) => match outcomes.pop() {
            None => dead("the destination's plugin gave no outcome for the event".to_owned()),
            Some(Outcome::Filter(reason)) => End::Settle(Box::new(Fate::Filtered { reason })),
            Some(Outcome::Reject(reason)) => dead(reason),
            Some(Outcome::Deliver(described)) => {
                match described.iter().find_map(|described| misfit(described, Wire::Objects)) {
                    Some(reason) => dead(reason),
                    None => End::Write(lines(parked, &payload, described)),
                }
            }
        },
    }
}

/// A number is its own text, as at the gateway.
fn is_suppressed(user_id: &Value, suppressed: &Suppressions) -> bool {
    let text = match user_id {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return false,
    };
    suppressed.contains(&pintle_events::sanitize::id(&text))
}

fn lines(parked: &Parked, payload: &Value, described: Vec<Delivery>) -> Vec<Line> {
    let received = payload["metadata"]["receivedAt"].as_str();
    let received = received.and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok());
    let received = received.unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let records = described.into_iter().filter_map(|described| match described {
        Delivery::Record(record) => Some(record),
        Delivery::Request(_) => None,
    });
    records
        .enumerate()
        .map(|(at, record)| {
            let name = name(parked, received, at, &record);
            Line { bucket: record.stream, name, body: record.body }
        })
        .collect()
}

/// The same in every try of the same event.
fn name(parked: &Parked, received: OffsetDateTime, at: usize, record: &Record) -> String {
    let slot = super::Layout::Destination.slot(
        &parked.source_id,
        received.unix_timestamp() * 1_000,
        Some((&record.stream, &record.key)),
    );
    let Position { lane, seq, idx } = parked.position;
    let (source, second, tag) = (&slot.source, received.unix_timestamp(), tag(xxh3_64(&parked.payload)));
    format!("{}{second}.{source}.{lane}-{seq}-{idx}-{}-{at}-{tag}.json.gz", slot.folder, parked.output)
}
