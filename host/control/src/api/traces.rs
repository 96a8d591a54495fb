//! Traces, and what is known of one event.

use super::{Api, body};
use crate::access::Caller;
use crate::plant::Question;
use crate::problem::{Code, Problem};
use crate::views::Page;
use crate::views::traces::{TraceBody, TraceView, WhyView};
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use pintle_events::times::now_ms;
use pintle_store::traces::switches::{self, Refused, Wanted};
use std::time::Duration;

/// How many events are traced when nobody says.
const EVENTS: u64 = 100;
/// For how long, in seconds.
const SECONDS: u64 = 3_600;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    limit: Option<u32>,
    before: Option<i64>,
}

/// GET /traces: newest first.
pub(super) async fn list(State(api): State<Api>, request: Request) -> Result<Json<Page<TraceView>>, Problem> {
    let which: Which = body::query(request.uri(), "limit and before")?;
    let limit = api.limit(which.limit)?;
    let office = api.office()?;
    let mut found = switches::list(office.editor.store(), which.before, limit + 1).await?;
    // What this process has counted is ahead of what is written.
    let taken = office.tracer.taken();
    for switch in &mut found {
        let here = taken.iter().find(|(id, _)| *id == switch.id).map_or(0, |(_, taken)| *taken);
        switch.events_taken = switch.events_taken.max(here);
    }
    let now = now_ms();
    Ok(Json(Page::of(found, limit, |last| last.id.to_string()).show(|switch| TraceView::of(switch, now))))
}

/// POST /traces: from now on, what it means is recorded step by step.
pub(super) async fn switch_on(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<(StatusCode, Json<TraceView>), Problem> {
    let office = api.office()?;
    let asked: TraceBody = body::json(&api, request.into_body()).await?;
    body::note(&asked.note)?;
    let catalog = office.editor.current();
    // One that is not there would trace nothing, and nobody would know why.
    let missing = |kind: &str, id: &str| Problem::new(Code::NotFound, format!("there is no {kind} {id:?}"));
    if let Some(id) = asked.connection.as_deref().filter(|id| !catalog.connections.contains_key(*id)) {
        return Err(missing("connection", id));
    }
    if let Some(id) = asked.source.as_deref().filter(|id| !catalog.sources.contains_key(*id)) {
        return Err(missing("source", id));
    }
    let wanted = Wanted {
        user_id: asked.user_id.map(|user| pintle_events::sanitize::id(&user).into_owned()),
        connection: asked.connection,
        source: asked.source,
        events_max: asked.events.unwrap_or(EVENTS),
        time: Duration::from_secs(asked.seconds.unwrap_or(SECONDS)),
        note: asked.note,
    };
    match office.tracer.add(office.editor.store(), wanted, &caller.name).await {
        Ok(switch) => Ok((StatusCode::CREATED, Json(TraceView::of(switch, now_ms())))),
        Err(Refused::Store(error)) => Err(error.into()),
        Err(refused @ Refused::TooMany { .. }) => Err(Problem::new(Code::Busy, refused.to_string())),
        Err(refused) => Err(Problem::new(Code::BadRequest, refused.to_string())),
    }
}

/// DELETE /traces/{id}: nothing new is traced; what was recorded stays.
pub(super) async fn switch_off(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let office = api.office()?;
    let ended = match id.parse() {
        Ok(id) => office.tracer.end(office.editor.store(), id, &caller.name).await?,
        Err(_) => None,
    };
    let missing = || Problem::new(Code::NotFound, format!("no trace {id:?} is on: it has ended, or never was"));
    ended.map(|_| StatusCode::NO_CONTENT).ok_or_else(missing)
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Within {
    source: Option<String>,
    since_ms: Option<i64>,
    until_ms: Option<i64>,
}

/// GET /events/by-message-id/{message}: where it is, and what became of it.
pub(super) async fn why(
    State(api): State<Api>,
    Path(message_id): Path<String>,
    request: Request,
) -> Result<Json<WhyView>, Problem> {
    let within: Within = body::query(request.uri(), "source, since_ms and until_ms")?;
    let Within { source, since_ms, until_ms } = within;
    let found = api.plant.why(Question { message_id, source, since_ms, until_ms }).await?;
    if found.events.is_empty() && found.rejected.is_empty() {
        return Err(Problem::new(Code::NotFound, not_found(&found)));
    }
    Ok(Json(found))
}

/// Where was looked, and what else may be.
fn not_found(found: &WhyView) -> String {
    let id = &found.message_id;
    let searched = &found.searched;
    if searched.sources.is_empty() {
        return format!("no event has messageId {id:?}: there is no source; name the one that it was of");
    }
    let mut detail = format!("no event of {} with messageId {id:?} is in the log", searched.sources.join(", "));
    match (searched.back_to_ms, searched.log_begins_ms) {
        (Some(back_to), _) => {
            let at = pintle_events::frame::timestamp(back_to);
            detail.push_str(&format!(
                " since {at}: more of it is not looked through for one question (trace: search-bytes-max); ask for an \
                 earlier time (until_ms, --until)"
            ));
        }
        (None, Some(begins)) => {
            detail.push_str(&format!(", which begins at {}", pintle_events::frame::timestamp(begins)));
        }
        (None, None) => {}
    }
    detail.push_str(
        ", and nothing was recorded of it. Events of suppressed users are never stored; of a source that was removed, \
         say its id",
    );
    detail
}
