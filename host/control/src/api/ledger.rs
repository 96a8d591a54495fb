//! Whether the books balance.

use super::{Api, body};
use crate::problem::{Code, Problem};
use crate::views::ledger::{By, LedgerQuery, LedgerView};
use axum::Json;
use axum::extract::{Request, State};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    source: Option<String>,
    destination: Option<String>,
    since_ms: Option<i64>,
    until_ms: Option<i64>,
    by: Option<String>,
    #[serde(default)]
    all: bool,
}

/// GET /ledger
pub(super) async fn show(State(api): State<Api>, request: Request) -> Result<Json<LedgerView>, Problem> {
    let Which { source, destination, since_ms, until_ms, by, all } =
        body::query(request.uri(), "source, destination, since_ms, until_ms, by and all")?;
    let by = by.as_deref().map_or(Ok(By::default()), By::parse).map_err(|other| {
        Problem::new(Code::BadRequest, format!("by: {other:?} is none of hour, source and destination"))
    })?;
    let query = LedgerQuery { source, destination, since_ms, until_ms, by, all };
    let editor = &api.office()?.editor;
    let view = LedgerView::gather(editor.store(), &query, Some(&editor.current())).await?;
    let max = api.config.ledger_rows_max;
    if view.rows.len() > max {
        let detail = format!(
            "there are {} rows, and an answer holds {max} (ledger-rows-max); name a source, a destination or a time \
             (since_ms, until_ms), or ask for sums (by)",
            view.rows.len()
        );
        return Err(Problem::new(Code::BadRequest, detail));
    }
    Ok(Json(view))
}
