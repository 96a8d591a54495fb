//! Whether the gateway lives, and whether it should be sent events.

use crate::rejection::{plain, refusal};
use crate::server::Shared;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use pintle_store::log::Refused;

/// What RudderStack answers on `/health`, field by field. A log that is full is alive: it says so in
/// `acceptingEvents`, while delivery goes on.
pub(crate) fn health(shared: &Shared) -> Response<Full<Bytes>> {
    let refusal = shared.log.refusal();
    if let Some(Refused::Unavailable { .. }) = refusal {
        return self::refusal(StatusCode::SERVICE_UNAVAILABLE, "Cannot connect to db");
    }
    let accepting = if refusal.is_none() { "TRUE" } else { "FALSE" };
    let last_sync = pintle_events::frame::timestamp(shared.catalog_seen_ms());
    let body = format!(
        r#"{{"appType":"EMBEDDED","server":"UP","db":"UP","acceptingEvents":"{accepting}","routingEvents":"TRUE","mode":"NORMAL","backendConfigMode":"JSON","lastSync":"{last_sync}","lastRegulationSync":""}}"#
    );
    let mut response = Response::new(Full::new(Bytes::from(body)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// For load balancers: 200 exactly while an event would be taken.
pub(crate) fn ready(shared: &Shared) -> Response<Full<Bytes>> {
    match shared.log.refusal() {
        _ if shared.shutdown.is_cancelled() => refusal(StatusCode::SERVICE_UNAVAILABLE, "shutting down"),
        Some(refused) => refusal(StatusCode::SERVICE_UNAVAILABLE, &refused.to_string()),
        None => plain(StatusCode::OK, Bytes::from_static(b"ready")),
    }
}
