//! What the gateway keeps out: events that were not taken, and users who are not to be.

use super::things::Paging;
use super::{Api, body};
use crate::access::Caller;
use crate::problem::{Code, Problem};
use crate::views::Page;
use crate::views::gateway::{RejectedView, SuppressionView};
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use pintle_store::{rejected, suppressions};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    source: Option<String>,
    reason: Option<String>,
    limit: Option<u32>,
    before: Option<i64>,
}

/// GET /rejected-events: newest first.
pub(super) async fn rejected(State(api): State<Api>, request: Request) -> Result<Json<Page<RejectedView>>, Problem> {
    let which: Which = body::query(request.uri(), "source, reason, limit and before")?;
    let limit = api.limit(which.limit)?;
    let filter =
        rejected::Filter { source: which.source, reason: which.reason, before: which.before, limit: limit + 1 };
    let found = rejected::list(api.office()?.editor.store(), &filter).await?;
    Ok(Json(Page::of(found, limit, |last| last.id.to_string()).show(RejectedView::from)))
}

/// GET /suppressions: by user id.
pub(super) async fn list(State(api): State<Api>, request: Request) -> Result<Json<Page<SuppressionView>>, Problem> {
    let paging: Paging = body::query(request.uri(), "limit and after")?;
    let limit = api.limit(paging.limit)?;
    let found = suppressions::list(api.office()?.editor.store(), paging.after.as_deref(), limit + 1).await?;
    let view = |found: suppressions::Suppression| SuppressionView {
        user_id: found.user_id,
        at_ms: found.at_ms,
        author: found.author,
        reason: found.reason,
    };
    Ok(Json(Page::of(found, limit, |last| last.user_id.clone()).show(view)))
}

/// PUT /suppressions/{user}: from now on none of their events is stored or delivered. Repeating it changes
/// nothing.
pub(super) async fn suppress(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(user): Path<String>,
    request: Request,
) -> Result<StatusCode, Problem> {
    let office = api.office()?;
    let reason = body::reason(request.headers(), String::new)?;
    let user = user_id(&user)?;
    let is_new = office.suppressions.add(office.editor.store(), &user, &caller.name, &reason).await?;
    Ok(if is_new { StatusCode::CREATED } else { StatusCode::OK })
}

/// DELETE /suppressions/{user}: their events are taken again.
pub(super) async fn allow(State(api): State<Api>, Path(user): Path<String>) -> Result<StatusCode, Problem> {
    let office = api.office()?;
    let was_there = office.suppressions.remove(office.editor.store(), &user_id(&user)?).await?;
    let missing = || Problem::new(Code::NotFound, format!("user {user:?} is not suppressed"));
    was_there.then_some(StatusCode::NO_CONTENT).ok_or_else(missing)
}

/// A user id as the gateway reads it: without what cannot be seen.
fn user_id(user: &str) -> Result<String, Problem> {
    let user = pintle_events::sanitize::id(user);
    if user.is_empty() {
        return Err(Problem::new(Code::BadRequest, "the user id has nothing visible in it"));
    }
    Ok(user.into_owned())
}
