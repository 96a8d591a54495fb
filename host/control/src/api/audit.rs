//! What people did by hand.

use super::{Api, body};
use crate::problem::Problem;
use crate::views::Page;
use crate::views::audit::ActionView;
use axum::Json;
use axum::extract::{Request, State};
use pintle_store::audit;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    limit: Option<u32>,
    before: Option<i64>,
}

/// GET /audit: newest first.
pub(super) async fn list(State(api): State<Api>, request: Request) -> Result<Json<Page<ActionView>>, Problem> {
    let which: Which = body::query(request.uri(), "limit and before")?;
    let limit = api.limit(which.limit)?;
    let found = audit::list(api.office()?.editor.store(), which.before, limit + 1).await?;
    let view = |audit::Stored { id, at_ms, author, action, subject, reason, count }| ActionView {
        id: id.to_string(),
        at_ms,
        author,
        action,
        subject,
        reason,
        count,
    };
    Ok(Json(Page::of(found, limit, |last| last.id.to_string()).show(view)))
}
