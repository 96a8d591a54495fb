//! One request with events, from its head to the commit.

use crate::body::{Limits, Unread};
use crate::connection::Peer;
use crate::rejection::Rejection;
use crate::server::Shared;
use crate::{auth, stamp::Stamp};
use hyper::HeaderMap;
use hyper::http::request::Parts;
use pintle_events::{Kind, scan, utf8};
use std::borrow::Cow;
use std::time::{SystemTime, UNIX_EPOCH};

/// Returns how many events were committed. The checks come in RudderStack's order.
pub(crate) async fn accept(
    shared: &Shared,
    peer: &Peer,
    head: &Parts,
    body: &mut Unread,
    kind: Option<Kind>,
) -> Result<usize, Rejection> {
    let config = &shared.config;
    let _slot = shared.requests.take(1)?;
    let catalog = shared.catalog.borrow().clone();
    let source_id = auth::source(&head.headers, &catalog)?;
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

    let stamp = Stamp { source_id, request_ip: request_ip(&head.headers, peer), received_at_ms: now_ms(), kind };
    let limits = scan::Limits { nesting_max: config.nesting_max.get(), events_max: config.batch_events_max.get() };
    let mut batch = shared.log.batch();
    {
        let repaired_max = config.decompressed_bytes_max.get().max(config.body_bytes_max.get());
        let text = match std::str::from_utf8(&read.bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => {
                let length = utf8::repaired_len(&read.bytes).unwrap_or_default();
                if length > repaired_max {
                    return Err(Rejection::TooLarge("decompressed-bytes-max"));
                }
                read.share.grow(length)?;
                Cow::Owned(utf8::repair(&read.bytes, length))
            }
        };
        stamp.events(&text, &limits, |frame| batch.push(frame))?;
    }
    // The frames hold everything now, and may wait a while for their commit. They keep the body's share.
    read.share.shrink_to(read.bytes.len());
    drop(read.bytes);

    let events = batch.events();
    shared.log.append(batch).await.map_err(Rejection::Refused)?;
    pintle_store::fail_point::pass("gateway:before-answer");
    Ok(events)
}

/// The first hop of `X-Forwarded-For`, which is the client as its nearest proxy saw it, else the peer.
fn request_ip<'a>(headers: &'a HeaderMap, peer: &'a Peer) -> &'a str {
    headers
        .get("x-forwarded-for")
        .and_then(|hops| hops.to_str().ok())
        .and_then(|hops| hops.split(',').next())
        .map(str::trim)
        .filter(|hop| !hop.is_empty())
        .unwrap_or(&peer.ip)
}

fn now_ms() -> i64 {
    // A clock before 1970 is a machine without a clock; the event's own times still stand.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}
