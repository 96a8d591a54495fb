//! Events of the past that go to one destination again.

use super::{Api, body};
use crate::access::Caller;
use crate::plant::Order;
use crate::problem::{Code, Problem};
use crate::replays::{ReplayBody, ReplayCount, ReplayList, ReplayView};
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::{Extension, Json};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    limit: Option<u32>,
}

/// GET /replays: newest first.
pub(super) async fn list(State(api): State<Api>, request: Request) -> Result<Json<ReplayList>, Problem> {
    let which: Which = body::query(request.uri(), "limit")?;
    let items = api.plant.replays(None, api.limit(which.limit)?).await?;
    Ok(Json(ReplayList { items }))
}

/// GET /replays/{id}
pub(super) async fn show(State(api): State<Api>, Path(id): Path<String>) -> Result<Json<ReplayView>, Problem> {
    let found = api.plant.replays(Some(id.clone()), 1).await?.pop();
    found.map(Json).ok_or_else(|| missing(&id))
}

/// POST /replays/dry-run: counts, and sends nothing.
pub(super) async fn dry_run(State(api): State<Api>, request: Request) -> Result<Json<ReplayCount>, Problem> {
    let asked: ReplayBody = body::json(&api, request.into_body()).await?;
    let count = api.plant.count_replay(asked).await?;
    count.map(Json).map_err(|refused| Problem::new(Code::Conflict, refused))
}

/// POST /replays
pub(super) async fn start(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<(StatusCode, Json<ReplayView>), Problem> {
    let reason = body::reason(request.headers(), String::new)?;
    let asked: ReplayBody = body::json(&api, request.into_body()).await?;
    let by = Order { author: caller.name.clone(), subject: asked.destination.clone(), reason };
    match api.plant.start_replay(asked, by).await? {
        Ok(replay) => Ok((StatusCode::CREATED, Json(replay))),
        Err(refused) => Err(Problem::new(Code::Conflict, refused)),
    }
}

/// POST /replays/{id}/cancel: it goes no further; what it has parked becomes dead letters.
pub(super) async fn cancel(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<ReplayView>, Problem> {
    let reason = body::reason(request.headers(), String::new)?;
    let by = Order { author: caller.name.clone(), subject: id.clone(), reason };
    let is_new = api.plant.cancel_replay(id.clone(), by).await?;
    let view = api.plant.replays(Some(id.clone()), 1).await?.pop().ok_or_else(|| missing(&id))?;
    if is_new {
        Ok(Json(view))
    } else {
        Err(Problem::new(Code::Conflict, format!("replay {id} is over: {}", view.state)))
    }
}

fn missing(id: &str) -> Problem {
    Problem::new(Code::NotFound, format!("there is no replay {id:?}"))
}
