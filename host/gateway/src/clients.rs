//! What clients ask before they send anything.

use crate::rejection::{Rejection, plain};
use crate::server::Shared;
use crate::write_key::{self, Place};
use http_body_util::Full;
use hyper::Response;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HOST, HeaderValue};
use hyper::http::request::Parts;
use serde_json::{Value, json};

/// `/sourceConfig`: what RudderStack's browser SDK wants to know of its source. Destinations run here and not in
/// the browser, so it is told of none.
pub(crate) fn source_config(shared: &Shared, head: &Parts) -> Result<Response<Full<Bytes>>, Rejection> {
    let catalog = shared.catalog.borrow().clone();
    let (id, source) = write_key::of_head(head, Place::Query, &catalog)?.ok_or(Rejection::NoWriteKeyInQuery)?;
    let off = json!({"enabled": false});
    Ok(document(&json!({
        "source": {
            "id": id,
            "name": source.name,
            "writeKey": source.write_key,
            "enabled": true,
            "workspaceId": "pintle",
            "dataplanes": {},
            "destinations": [],
            "connections": [],
            "config": {"statsCollection": {"errors": off, "metrics": off}},
        }
    })))
}

/// `/v1/projects/{writeKey}/settings`: what Segment's browser SDK wants to know: where to send events, which is
/// here.
pub(crate) fn settings(shared: &Shared, head: &Parts, write_key: &str) -> Result<Response<Full<Bytes>>, Rejection> {
    let catalog = shared.catalog.borrow().clone();
    let (_, source) = write_key::source(write_key, &catalog)?;
    let host = head.uri.authority().map(|host| host.as_str().to_owned());
    let host = host.or_else(|| Some(head.headers.get(HOST)?.to_str().ok()?.to_owned())).unwrap_or_default();
    Ok(document(&json!({
        "integrations": {
            "Segment.io": {
                "apiKey": source.write_key,
                "apiHost": format!("{host}/v1"),
                "protocol": if shared.is_tls() { "https" } else { "http" },
                "addBundledMetadata": false,
                "unbundledIntegrations": [],
            }
        },
        "plan": {},
        "edgeFunction": {},
        "enabledMiddleware": {},
        "middlewareSettings": {},
        "remotePlugins": [],
        // Its own telemetry would go to its own maker.
        "metrics": {"sampleRate": 0},
    })))
}

/// `/version`, with the members that RudderStack's has.
pub(crate) fn version() -> Response<Full<Bytes>> {
    document(&json!({
        "Version": env!("CARGO_PKG_VERSION"),
        "Commit": "",
        "BuildDate": "",
        "BuiltBy": "pintle",
        "Features": {},
    }))
}

/// `/robots.txt`: there is nothing here for crawlers.
pub(crate) fn robots() -> Response<Full<Bytes>> {
    plain(hyper::StatusCode::OK, Bytes::from_static(b"User-agent: * \nDisallow: / \n"))
}

fn document(value: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(value.to_string())));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
