//! Which request goes where.

use crate::body::Unread;
use crate::connection::Peer;
use crate::rejection::{plain, refusal};
use crate::server::Shared;
use crate::{cors, drain, health, ingest};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONNECTION, HeaderValue, ORIGIN};
use hyper::{Method, Request, Response, StatusCode, Version};
use pintle_events::Kind;
use std::sync::Arc;
use std::time::Instant;

enum Route {
    Health,
    Ready,
    /// One event whose type is the path's.
    Event(Kind),
    Batch,
}

impl Route {
    fn find(path: &str) -> Option<Route> {
        match path {
            "/v1/batch" => Some(Route::Batch),
            "/" | "/health" => Some(Route::Health),
            "/ready" => Some(Route::Ready),
            _ => path.strip_prefix("/v1/").and_then(Kind::from_name).map(Route::Event),
        }
    }

    fn method(&self) -> Method {
        match self {
            Route::Health | Route::Ready => Method::GET,
            Route::Event(_) | Route::Batch => Method::POST,
        }
    }
}

/// Answers a request, whatever it is.
pub(crate) async fn answer(shared: Arc<Shared>, peer: Arc<Peer>, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (mut head, body) = request.into_parts();
    if let Some(response) = cors::preflight(&head.method, &head.headers) {
        return response;
    }
    let origin = head.headers.remove(ORIGIN);
    let mut body = Unread::new(body);
    let mut response = match Route::find(head.uri.path()) {
        None => refusal(StatusCode::NOT_FOUND, "404 page not found"),
        Some(route) if route.method() != head.method => wrong_method(&route.method()),
        Some(Route::Health) => health::health(&shared),
        Some(Route::Ready) => health::ready(&shared),
        Some(Route::Event(kind)) => events(&shared, &peer, &head, &mut body, Some(kind)).await,
        Some(Route::Batch) => events(&shared, &peer, &head, &mut body, None).await,
    };
    if head.version < Version::HTTP_2 {
        finish(&shared, &head.headers, body, &mut response);
    }
    cors::allow(origin, response.headers_mut());
    response
}

async fn events(
    shared: &Shared,
    peer: &Peer,
    head: &hyper::http::request::Parts,
    body: &mut Unread,
    kind: Option<Kind>,
) -> Response<Full<Bytes>> {
    let begun = Instant::now();
    let result = ingest::accept(shared, peer, head, body, kind).await;
    shared.metrics.arrived(body.arrived());
    match result {
        Ok(events) => {
            shared.metrics.accepted(events, begun.elapsed());
            plain(StatusCode::OK, Bytes::from_static(b"ok"))
        }
        Err(rejection) => {
            tracing::debug!(?rejection, path = head.uri.path(), "request refused");
            shared.metrics.rejected(rejection.reason());
            rejection.response()
        }
    }
}

/// The connection ends behind an answer that was given before the body had ended: nobody can tell how
/// long the rest is. (HTTP/2 resets just the stream.)
fn finish(shared: &Shared, headers: &hyper::HeaderMap, body: Unread, response: &mut Response<Full<Bytes>>) {
    if body.has_ended() {
        return;
    }
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    if body.is_coming(headers) {
        drain::spawn(body.into_rest(), &shared.config, shared.shutdown.clone());
    }
}

fn wrong_method(right: &Method) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    let right = if *right == Method::GET { "GET" } else { "POST" };
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(right));
    response
}
