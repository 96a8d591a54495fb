//! The paths of the API.
//!
//! | method, path | answer |
//! |---|---|
//! | GET `/health` | `{"status":"up"}` |
//! | GET `/metrics` | Prometheus text |
//! | GET `/admin/v1/status` | [`Status`] |
//! | GET `/admin/v1/dead-letters?destination=&limit=&before=` | [`DeadLetterPage`] |
//! | GET `/admin/v1/dead-letters/{id}` | [`DeadLetterDetail`] |
//! | POST `/admin/v1/dead-letters/{id}/retry` | 202 and [`RetryOutcome`] |
//! | GET `/admin/v1/events/tail` | one [`TailLine`] a line, until the reader goes or is too slow |
//!
//! Everything else, and everything that fails, is a [`Problem`].

use crate::dead_letters::{DeadLetterDetail, DeadLetterFilter, DeadLetterPage, RetryOutcome};
use crate::guard::{self, Hosts};
use crate::plant::Plant;
use crate::problem::{Code, Problem};
use crate::service::Config;
use crate::status::Status;
use crate::tail::{End, TailEvent, TailLine};
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use futures_util::stream;
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Deserialize;
use std::convert::Infallible;
use std::sync::Arc;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// How many dead letters a page holds when the client does not say.
const PAGE_ITEMS: u32 = 50;

#[derive(Clone)]
struct Api {
    plant: Arc<dyn Plant>,
    metrics: PrometheusHandle,
    readers: Arc<Semaphore>,
    page_items_max: u32,
    shutdown: CancellationToken,
}

pub(crate) fn router(
    config: Config,
    plant: Arc<dyn Plant>,
    metrics: PrometheusHandle,
    hosts: Hosts,
    shutdown: CancellationToken,
) -> Router {
    let api = Api {
        plant,
        metrics,
        readers: Arc::new(Semaphore::new(config.tail_readers_max)),
        page_items_max: config.page_items_max,
        shutdown,
    };
    Router::new()
        .route("/health", get(health))
        .route("/metrics", get(metrics_text))
        .route("/admin/v1/status", get(status))
        .route("/admin/v1/dead-letters", get(dead_letters))
        .route("/admin/v1/dead-letters/{id}", get(dead_letter))
        .route("/admin/v1/dead-letters/{id}/retry", post(retry))
        .route("/admin/v1/events/tail", get(tail))
        .fallback(|| async { Problem::new(Code::NotFound, "there is no such path") })
        .method_not_allowed_fallback(|| async {
            Problem::new(Code::MethodNotAllowed, "the path exists, but not with this method")
        })
        .layer(axum::middleware::from_fn_with_state(hosts, guard::check))
        .with_state(api)
}

async fn health() -> Response {
    Json(serde_json::json!({"status": "up"})).into_response()
}

async fn metrics_text(State(api): State<Api>) -> Response {
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], api.metrics.render()).into_response()
}

async fn status(State(api): State<Api>) -> Result<Json<Status>, Problem> {
    Ok(Json(api.plant.status().await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    destination: Option<String>,
    limit: Option<u32>,
    before: Option<String>,
}

async fn dead_letters(
    State(api): State<Api>,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<DeadLetterPage>, Problem> {
    let Query(page) =
        page.map_err(|error| Problem::new(Code::BadRequest, format!("{error}; use destination, limit and before")))?;
    let limit = page.limit.unwrap_or(PAGE_ITEMS.min(api.page_items_max));
    if limit == 0 || limit > api.page_items_max {
        let detail = format!("limit is {limit}; use 1 to {} (page-items-max)", api.page_items_max);
        return Err(Problem::new(Code::BadRequest, detail));
    }
    let filter = DeadLetterFilter { destination: page.destination, limit, before: page.before };
    let dead_letters = api.plant.dead_letters(filter).await?;
    let full = dead_letters.len() >= limit as usize;
    let next_before = dead_letters.last().filter(|_| full).map(|last| last.id.clone());
    Ok(Json(DeadLetterPage { dead_letters, next_before }))
}

async fn dead_letter(State(api): State<Api>, Path(id): Path<String>) -> Result<Json<DeadLetterDetail>, Problem> {
    let found = api.plant.dead_letter(id.clone()).await?;
    found.map(Json).ok_or_else(|| no_dead_letter(&id))
}

async fn retry(State(api): State<Api>, Path(id): Path<String>) -> Result<Response, Problem> {
    match api.plant.retry(id.clone()).await? {
        outcome @ RetryOutcome::Queued => Ok((StatusCode::ACCEPTED, Json(outcome)).into_response()),
        RetryOutcome::NotFound => Err(no_dead_letter(&id)),
        RetryOutcome::Refused { reason } => Err(Problem::new(Code::Conflict, reason)),
    }
}

fn no_dead_letter(id: &str) -> Problem {
    let detail = format!("there is no dead letter {id:?}: it was delivered again, has expired, or never was");
    Problem::new(Code::NotFound, detail)
}

async fn tail(State(api): State<Api>) -> Result<Response, Problem> {
    let Ok(permit) = Arc::clone(&api.readers).try_acquire_owned() else {
        let detail = "as many readers as tail-readers-max allows are watching; end one of them";
        return Err(Problem::new(Code::Busy, detail));
    };
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
    text.push(b'\n');
    text.into()
}

#[cfg(test)]
mod tests;
