//! Which request goes where.

use crate::body::Unread;
use crate::connection::Peer;
use crate::ingest::{self, Intake, Outcome};
use crate::rejection::{Rejection, plain, refusal};
use crate::server::Shared;
use crate::write_key::Place;
use crate::{clients, cors, drain, health, pixel};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONNECTION, HeaderName, HeaderValue, ORIGIN};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode, Version};
use pintle_events::Kind;
use std::sync::Arc;
use std::time::Instant;

/// How many events of a request that was taken were not.
const REJECTED: HeaderName = HeaderName::from_static("x-pintle-rejected");

#[derive(Clone, Copy)]
enum Route<'p> {
    Health,
    Ready,
    Version,
    Robots,
    /// Events in a body.
    Events(Intake),
    /// One event in a query.
    Pixel(Kind),
    SourceConfig,
    /// The settings of the project with this write key.
    Settings(&'p str),
}

impl<'p> Route<'p> {
    fn find(path: &'p str) -> Option<Route<'p>> {
        let batch = Intake { kind: None, key: Place::Header, may_be_empty: false, takes_telemetry: false };
        let one = |kind| Route::Events(Intake { kind: Some(kind), ..batch });
        Some(match path {
            "/v1/batch" | "/v1/b" => Route::Events(batch),
            "/v1/import" => Route::Events(Intake { may_be_empty: true, ..batch }),
            "/beacon/v1/batch" => Route::Events(Intake { key: Place::Query, ..batch }),
            "/v1/i" => one(Kind::Identify),
            "/v1/t" => one(Kind::Track),
            "/v1/p" => one(Kind::Page),
            "/v1/s" => one(Kind::Screen),
            "/v1/g" => one(Kind::Group),
            "/v1/a" => one(Kind::Alias),
            "/v1/m" => Route::Events(Intake { kind: Some(Kind::Merge), takes_telemetry: true, ..batch }),
            "/pixel/v1/track" => Route::Pixel(Kind::Track),
            "/pixel/v1/page" => Route::Pixel(Kind::Page),
            "/sourceConfig" | "/sourceConfig/" => Route::SourceConfig,
            "/" | "/health" => Route::Health,
            "/ready" => Route::Ready,
            "/version" => Route::Version,
            "/robots.txt" => Route::Robots,
            _ => {
                let rest = path.strip_prefix("/v1/")?;
                match rest.strip_prefix("projects/").and_then(|rest| rest.strip_suffix("/settings")) {
                    Some(key) if !key.is_empty() && !key.contains('/') => Route::Settings(key),
                    Some(_) => return None,
                    None => one(Kind::from_name(rest)?),
                }
            }
        })
    }

    fn method(self) -> Method {
        match self {
            Route::Events(_) => Method::POST,
            _ => Method::GET,
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
        Some(route) => routed(&shared, &peer, &head, &mut body, route).await,
    };
    if head.version < Version::HTTP_2 {
        finish(&shared, &head.headers, body, &mut response);
    }
    cors::allow(origin, response.headers_mut());
    response
}

async fn routed(
    shared: &Shared,
    peer: &Peer,
    head: &Parts,
    body: &mut Unread,
    route: Route<'_>,
) -> Response<Full<Bytes>> {
    let asked = |answer: Result<_, Rejection>| answer.unwrap_or_else(|rejection| refused(shared, head, &rejection));
    match route {
        Route::Health => health::health(shared),
        Route::Ready => health::ready(shared),
        Route::Version => clients::version(),
        Route::Robots => clients::robots(),
        Route::Events(intake) => {
            let begun = Instant::now();
            let result = ingest::accept(shared, peer, head, body, intake).await;
            shared.metrics.arrived(body.arrived());
            taken(shared, head, begun, result)
        }
        Route::Pixel(kind) => {
            let begun = Instant::now();
            let event = pixel::event(head.uri.query().unwrap_or_default(), kind);
            let result = ingest::accept_one(shared, peer, head, &event, kind).await;
            drop(taken(shared, head, begun, result));
            pixel::picture()
        }
        Route::SourceConfig => asked(clients::source_config(shared, head)),
        Route::Settings(key) => asked(clients::settings(shared, head, key)),
    }
}

fn taken(shared: &Shared, head: &Parts, begun: Instant, result: Result<Outcome, Rejection>) -> Response<Full<Bytes>> {
    match result {
        Ok(outcome) => {
            shared.metrics.accepted(outcome.accepted, begun.elapsed());
            let mut response = plain(StatusCode::OK, Bytes::from_static(b"ok"));
            if outcome.refused > 0 {
                response.headers_mut().insert(REJECTED, HeaderValue::from(outcome.refused));
            }
            response
        }
        Err(rejection) => refused(shared, head, &rejection),
    }
}

fn refused(shared: &Shared, head: &Parts, rejection: &Rejection) -> Response<Full<Bytes>> {
    tracing::debug!(?rejection, path = head.uri.path(), "request refused");
    shared.metrics.rejected(rejection.reason());
    rejection.response()
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
