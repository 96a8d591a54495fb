//! The API: what is asked, answered from the plant and the catalog.
//!
//! Every path is in [`routes`], with the role that it needs; the OpenAPI document is made from the same list.
//! Everything that fails is a [`Problem`].

mod audit;
mod body;
mod catalog;
mod code;
mod dead_letters;
mod export;
mod figures;
mod importers;
mod keep_out;
mod ledger;
mod logs;
mod openapi;
mod plugins;
mod replays;
mod revisions;
mod routes;
mod tag;
mod things;
mod tokens;
mod traces;
mod trials;

pub use logs::LogsLine;

use crate::access::{Access, Caller, Role};
use crate::guard::{self, Hosts};
use crate::office::Office;
use crate::plant::Plant;
use crate::problem::{Code, Problem};
use crate::service::Config;
use crate::status::Status;
use crate::tail::{End, TailEvent, TailLine};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use bytes::Bytes;
use futures_util::stream;
use metrics_exporter_prometheus::PrometheusHandle;
use std::convert::Infallible;
use std::sync::Arc;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// How many things a page holds when the client does not say.
const PAGE_ITEMS: u32 = 50;

#[derive(Clone)]
pub(crate) struct Api {
    plant: Arc<dyn Plant>,
    metrics: PrometheusHandle,
    readers: Arc<Semaphore>,
    config: Arc<Config>,
    shutdown: CancellationToken,
    access: Arc<Access>,
    office: Option<Office>,
}

impl Api {
    /// The catalog's part of the API.
    fn office(&self) -> Result<&Office, Problem> {
        self.office.as_ref().ok_or_else(|| Problem::new(Code::Unavailable, "this server has no catalog"))
    }

    /// How many things a page holds.
    fn limit(&self, asked: Option<u32>) -> Result<u32, Problem> {
        let max = self.config.page_items_max;
        let limit = asked.unwrap_or(PAGE_ITEMS.min(max));
        if limit == 0 || limit > max {
            let detail = format!("limit is {limit}; use 1 to {max} (page-items-max)");
            return Err(Problem::new(Code::BadRequest, detail));
        }
        Ok(limit)
    }
}

pub(crate) fn router(
    config: Config,
    plant: Arc<dyn Plant>,
    office: Option<Office>,
    metrics: PrometheusHandle,
    hosts: Hosts,
    shutdown: CancellationToken,
) -> Router {
    let store = office.as_ref().map(|office| office.editor.store().clone());
    let api = Api {
        plant,
        metrics,
        readers: Arc::new(Semaphore::new(config.tail_readers_max)),
        access: Arc::new(Access::new(store, hosts.is_loopback())),
        config: Arc::new(config),
        shutdown,
        office,
    };
    let mut router = Router::new();
    for route in routes::all() {
        let handler = match route.role {
            None => route.handler,
            Some(role) => {
                route.handler.route_layer(axum::middleware::from_fn_with_state((api.clone(), role), authorize))
            }
        };
        router = router.route(route.path, handler);
    }
    router
        .fallback(|| async { Problem::new(Code::NotFound, "there is no such path; /admin/v1/openapi.json lists all") })
        .method_not_allowed_fallback(|| async {
            Problem::new(Code::MethodNotAllowed, "the path exists, but not with this method")
        })
        .layer(axum::middleware::from_fn_with_state(hosts, guard::check))
        .with_state(api)
}

/// Lets through who may, and tells the handler who it is.
async fn authorize(State((api, role)): State<(Api, Role)>, mut request: Request, next: Next) -> Response {
    let allowed = match api.access.caller(request.headers()).await {
        Ok(caller) => caller.must_be(role).map(|()| caller),
        Err(problem) => Err(problem),
    };
    match allowed {
        Ok(caller) => {
            request.extensions_mut().insert::<Caller>(caller);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

async fn health() -> Response {
    Json(serde_json::json!({"status": "up"})).into_response()
}

async fn metrics_text(State(api): State<Api>) -> Response {
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    let mut text = api.metrics.render();
    match api.plant.status().await {
        Ok(status) => text.push_str(&crate::gauges::render(&status)),
        // Without the database there is no status; what is counted in memory is told all the same.
        Err(failure) => tracing::debug!(%failure, "metrics without the status"),
    }
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

async fn status(State(api): State<Api>) -> Result<Json<Status>, Problem> {
    Ok(Json(api.plant.status().await?))
}

async fn tail(State(api): State<Api>) -> Result<Response, Problem> {
    let permit = reader(&api)?;
    let watch = Watch { events: api.plant.tail(), shutdown: api.shutdown, _permit: permit };
    let lines = stream::unfold(Some(watch), |watch| async move {
        let mut watch = watch?;
        let line = watch.next().await;
        let rest = matches!(line, TailLine::Event(_)).then_some(watch);
        Some((Ok::<_, Infallible>(encode(&line)), rest))
    });
    let kind = [(header::CONTENT_TYPE, "application/x-ndjson"), (header::CACHE_CONTROL, "no-store")];
    Ok((kind, Body::from_stream(lines)).into_response())
}

/// The right to watch a stream.
fn reader(api: &Api) -> Result<OwnedSemaphorePermit, Problem> {
    Arc::clone(&api.readers).try_acquire_owned().map_err(|_| {
        let detail = "as many readers as tail-readers-max allows are watching; end one of them";
        Problem::new(Code::Busy, detail)
    })
}

/// One reader of the stream. It pulls: an event leaves the channel only when the connection has room,
/// and a channel that runs over is what "too slow" means.
struct Watch {
    events: broadcast::Receiver<TailEvent>,
    shutdown: CancellationToken,
    _permit: OwnedSemaphorePermit,
}

impl Watch {
    async fn next(&mut self) -> TailLine {
        let received = tokio::select! {
            received = self.events.recv() => received,
            () = self.shutdown.cancelled() => Err(RecvError::Closed),
        };
        let end = |reason: &str, missed| TailLine::End(End { reason: reason.to_owned(), missed });
        match received {
            Ok(event) => TailLine::Event(event),
            Err(RecvError::Lagged(missed)) => end("events came faster than they were read", missed),
            Err(RecvError::Closed) => end("the server is shutting down", 0),
        }
    }
}

fn encode(line: &TailLine) -> Bytes {
    let mut text = serde_json::to_vec(line).expect("a line of texts, numbers and checked JSON");
    // An event stands here as its client wrote it, perhaps over many lines. In JSON a line break is white space.
    text.iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b' ');
    text.push(b'\n');
    text.into()
}

#[cfg(test)]
mod tests;
