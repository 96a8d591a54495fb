//! What transformations log.

use super::things::missing;
use super::{Api, body, reader};
use crate::problem::Problem;
use crate::tail::End;
use crate::views::Page;
use crate::views::trials::KeptLine;
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use pintle_catalog::Kind;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::convert::Infallible;
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    limit: Option<u32>,
    after: Option<u64>,
    #[serde(default)]
    follow: bool,
}

/// One line of the stream.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogsLine {
    /// A logged line.
    Line(KeptLine),
    /// The last line: why the stream ends here.
    End(End),
}

/// GET /transformations/{id}/logs: the last lines; with `follow`, those that come as well.
pub(super) async fn show(
    State(api): State<Api>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let office = api.office()?;
    let wanted: Wanted = body::query(request.uri(), "limit, after and follow")?;
    let limit = api.limit(wanted.limit)? as usize;
    if !office.editor.current().transformations.contains_key(&id) {
        return Err(missing(Kind::Transformation, &id).into());
    }
    if !wanted.follow {
        let (items, _) = office.workshop.logs(&id, wanted.after, limit);
        let next = items.last().filter(|_| items.len() == limit).map(|line| line.seq.to_string());
        return Ok(Json(Page { items, next }).into_response());
    }
    let permit = reader(&api)?;
    let (kept, coming) = office.workshop.logs(&id, wanted.after, limit);
    let watch = Watch { kept: kept.into(), coming, shutdown: api.shutdown.clone(), _permit: permit };
    let lines = stream::unfold(Some(watch), |watch| async move {
        let mut watch = watch?;
        let line = watch.next().await;
        let rest = matches!(line, LogsLine::Line(_)).then_some(watch);
        Some((Ok::<_, Infallible>(encode(&line)), rest))
    });
    let kind = [(header::CONTENT_TYPE, "application/x-ndjson"), (header::CACHE_CONTROL, "no-store")];
    Ok((kind, Body::from_stream(lines)).into_response())
}

struct Watch {
    kept: VecDeque<KeptLine>,
    coming: BoxStream<'static, Result<KeptLine, u64>>,
    shutdown: CancellationToken,
    _permit: OwnedSemaphorePermit,
}

impl Watch {
    async fn next(&mut self) -> LogsLine {
        if let Some(line) = self.kept.pop_front() {
            return LogsLine::Line(line);
        }
        let received = tokio::select! {
            received = self.coming.next() => received,
            () = self.shutdown.cancelled() => None,
        };
        let end = |reason: &str, missed| LogsLine::End(End { reason: reason.to_owned(), missed });
        match received {
            Some(Ok(line)) => LogsLine::Line(line),
            Some(Err(missed)) => end("lines came faster than they were read", missed),
            None => end("the transformation is gone, or the server is shutting down", 0),
        }
    }
}

fn encode(line: &LogsLine) -> Bytes {
    let mut text = serde_json::to_vec(line).expect("a line of texts and numbers");
    text.push(b'\n');
    text.into()
}
