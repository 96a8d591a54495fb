//! One request with events, from its head to the commit.

use crate::body::{Limits, Unread};
use crate::budget::Share;
use crate::connection::Peer;
use crate::rejection::Rejection;
use crate::server::Shared;
use crate::stamp::{Refused, Stamp};
use crate::write_key::{self, Place};
use crate::{Verdicts, client_address};
use hyper::http::request::Parts;
use pintle_catalog::Source;
use pintle_events::times::now_ms;
use pintle_events::{Kind, network, scan, utf8};
use pintle_store::rejected::{EXCERPT_BYTES_MAX, Rejected};
use std::borrow::Cow;

/// What a path takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Intake {
    /// The type of its one event; none where the body is a batch.
    pub(crate) kind: Option<Kind>,
    /// Where its clients put the write key.
    pub(crate) key: Place,
    /// Whether a batch without events is fine.
    pub(crate) may_be_empty: bool,
    /// Whether Segment's browser SDK also says there how it is doing, which is nobody's event.
    pub(crate) takes_telemetry: bool,
}

/// What became of the events of a request.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outcome {
    /// Committed.
    pub(crate) accepted: usize,
    /// Not taken, while others of the request were.
    pub(crate) refused: usize,
}

/// Takes the events of a request. The checks come in RudderStack's order.
pub(crate) async fn accept(
    shared: &Shared,
    peer: &Peer,
    head: &Parts,
    body: &mut Unread,
    intake: Intake,
) -> Result<Outcome, Rejection> {
    let config = &shared.config;
    let _slot = shared.requests.take(1)?;
    let catalog = shared.catalog.borrow().clone();
    let source = write_key::of_head(head, intake.key, &catalog)?;
    if let Some(refused) = shared.log.refusal() {
        return Err(Rejection::Refused(refused));
    }
    let limits = Limits {
        body_bytes_max: config.body_bytes_max.get(),
        decompressed_bytes_max: config.decompressed_bytes_max.get(),
    };
    let reading = body.read(&head.headers, &limits, &shared.bodies);
    let mut read = match tokio::time::timeout(config.body_time_max, reading).await {
        Ok(read) => read?,
        Err(_) => return Err(Rejection::TooSlow),
    };
    let (mut batch, records, outcome);
    {
        let repaired_max = limits.decompressed_bytes_max.max(limits.body_bytes_max);
        let text = text(&read.bytes, &mut read.share, repaired_max)?;
        if intake.takes_telemetry && scan::has_member(&text, "series") {
            return Ok(Outcome::default());
        }
        let source = match source {
            Some(source) => source,
            None => {
                let key = scan::member(&text, "writeKey").filter(|key| !key.is_empty());
                write_key::source(&key.ok_or(Rejection::NoWriteKey)?, &catalog)?
            }
        };
        let client = request_ip(shared, peer, head, source.1);
        let arrival = Arrival { source_id: source.0, source: source.1, request_ip: &client, at_ms: now_ms() };
        batch = shared.log.batch();
        (records, outcome) = take(shared, &text, &arrival, intake, &mut batch)?;
    }
    // The frames hold everything now, and may wait a while for their commit. They keep the body's share.
    read.share.shrink_to(read.bytes.len());
    drop(read.bytes);
    commit(shared, batch, records, outcome).await
}

/// One event that was not sent as a body.
pub(crate) async fn accept_one(
    shared: &Shared,
    peer: &Peer,
    head: &Parts,
    event: &str,
    kind: Kind,
) -> Result<Outcome, Rejection> {
    let _slot = shared.requests.take(1)?;
    let catalog = shared.catalog.borrow().clone();
    let source = write_key::of_head(head, Place::Query, &catalog)?.ok_or(Rejection::NoWriteKeyInQuery)?;
    let client = request_ip(shared, peer, head, source.1);
    let arrival = Arrival { source_id: source.0, source: source.1, request_ip: &client, at_ms: now_ms() };
    let mut batch = shared.log.batch();
    let intake = Intake { kind: Some(kind), key: Place::Query, may_be_empty: false, takes_telemetry: false };
    let (records, outcome) = take(shared, event, &arrival, intake, &mut batch)?;
    commit(shared, batch, records, outcome).await
}

/// Where a request came from, and when.
struct Arrival<'a> {
    source_id: &'a str,
    source: &'a Source,
    request_ip: &'a str,
    at_ms: i64,
}

/// Puts the good events of a body into the batch; the bad ones become records.
fn take(
    shared: &Shared,
    body: &str,
    arrival: &Arrival<'_>,
    intake: Intake,
    batch: &mut pintle_store::log::Batch,
) -> Result<(Vec<Rejected>, Outcome), Rejection> {
    let config = &shared.config;
    let stamp = Stamp {
        source_id: arrival.source_id,
        request_ip: arrival.request_ip,
        received_at_ms: arrival.at_ms,
        kind: intake.kind,
        event_bytes_max: config.event_bytes_max.get(),
    };
    let limits = scan::Limits { nesting_max: config.nesting_max.get(), events_max: config.batch_events_max.get() };
    let mut suppressed = 0;
    let refused = stamp.events(body, &limits, |frame| {
        if shared.suppressions.contains(frame.user_id) {
            suppressed += 1;
        } else {
            batch.push(frame);
        }
    });
    let refused = match refused {
        Err(Rejection::Invalid(scan::Invalid::EmptyBatch)) if intake.may_be_empty => Vec::new(),
        refused => refused?,
    };
    shared.metrics.suppressed(suppressed);
    for refused in &refused {
        shared.metrics.refused_event(refused.why.reason());
    }
    let records: Vec<Rejected> = refused.iter().map(|refused| record(refused, arrival)).collect();
    let nothing_is_good = batch.is_empty() && suppressed == 0;
    if let Some(first) = refused.into_iter().next()
        && (nothing_is_good || config.batch_verdicts == Verdicts::AllOrNothing)
    {
        shared.recorder.note(records);
        return Err(first.why);
    }
    if let Some(per_second) = arrival.source.events_per_second_max.or(config.source_events_per_second_max) {
        shared.rates.take(arrival.source_id, per_second, batch.events()).map_err(Rejection::TooMany)?;
    }
    let outcome = Outcome { accepted: batch.events(), refused: records.len() };
    Ok((records, outcome))
}

async fn commit(
    shared: &Shared,
    batch: pintle_store::log::Batch,
    records: Vec<Rejected>,
    outcome: Outcome,
) -> Result<Outcome, Rejection> {
    // Before the events: a client that is told to come again sends both again, and the events are duplicates
    // then, by their ids.
    if !records.is_empty() && !shared.recorder.write(records).await {
        return Err(Rejection::Busy("rejected-events"));
    }
    if !batch.is_empty() {
        shared.log.append(batch).await.map_err(Rejection::Refused)?;
    }
    pintle_store::fail_point::pass("gateway:before-answer");
    Ok(outcome)
}

/// The body as text; what is not UTF-8 is repaired, at the cost of the share.
fn text<'b>(bytes: &'b [u8], share: &mut Share<'_>, repaired_max: usize) -> Result<Cow<'b, str>, Rejection> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok(Cow::Borrowed(text));
    }
    let length = utf8::repaired_len(bytes).unwrap_or_default();
    if length > repaired_max {
        return Err(Rejection::TooLarge("decompressed-bytes-max"));
    }
    share.grow(length)?;
    Ok(Cow::Owned(utf8::repair(bytes, length)))
}

fn request_ip<'p>(shared: &Shared, peer: &'p Peer, head: &Parts, source: &Source) -> Cow<'p, str> {
    let trusted = &shared.config.trusted_proxies;
    let client = client_address::of(&head.headers, peer.address, trusted);
    if source.anonymize_ip {
        Cow::Owned(network::anonymized(client).to_string())
    } else if client == peer.address {
        Cow::Borrowed(&peer.ip)
    } else {
        Cow::Owned(client.to_string())
    }
}

fn record(refused: &Refused<'_>, arrival: &Arrival<'_>) -> Rejected {
    let excerpt = &refused.raw[..refused.raw.floor_char_boundary(EXCERPT_BYTES_MAX)];
    Rejected {
        at_ms: arrival.at_ms,
        source_id: arrival.source_id.to_owned(),
        reason: refused.why.reason().to_owned(),
        message_id: refused.message_id.clone(),
        event_type: refused.event_type.clone(),
        request_ip: arrival.request_ip.to_owned(),
        bytes: refused.raw.len() as u64,
        excerpt: excerpt.as_bytes().to_vec(),
    }
}
