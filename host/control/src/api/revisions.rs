//! Revisions: looking back, comparing, going back.

use super::tag::Precondition;
use super::{Api, body, catalog};
use crate::access::Caller;
use crate::office::Office;
use crate::problem::{Code, Problem};
use crate::restore::restored;
use crate::views::Page;
use crate::views::revisions::{DiffView, RevisionDetail, RevisionView, RolledBack};
use axum::extract::{Path, Request, State};
use axum::{Extension, Json};
use pintle_catalog::{Catalog, diff};
use pintle_store::revisions::{self, Revision};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Paging {
    limit: Option<u32>,
    before: Option<i64>,
}

/// GET /revisions: newest first.
pub(super) async fn list(State(api): State<Api>, request: Request) -> Result<Json<Page<RevisionView>>, Problem> {
    let office = api.office()?;
    let paging: Paging = body::query(request.uri(), "limit and before")?;
    let limit = api.limit(paging.limit)?;
    let found = revisions::list(office.editor.store(), paging.before, limit + 1).await?;
    Ok(Json(Page::of(found, limit, |last| last.id.to_string()).show(RevisionView::from)))
}

/// GET /revisions/{revision}: with the catalog as it was.
pub(super) async fn show(State(api): State<Api>, Path(id): Path<String>) -> Result<Json<RevisionDetail>, Problem> {
    let office = api.office()?;
    let (found, revision) = load(office, &id).await?;
    let catalog = catalog::whole(office, &found).await?;
    Ok(Json(RevisionDetail { revision: revision.into(), catalog }))
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Against {
    from: Option<String>,
}

/// GET /revisions/{revision}/diff: against another, or against the one before.
pub(super) async fn difference(
    State(api): State<Api>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<DiffView>, Problem> {
    let office = api.office()?;
    let against: Against = body::query(request.uri(), "from (a revision)")?;
    let (to, _) = load(office, &id).await?;
    let from = match against.from.as_deref() {
        // Before the first there was nothing.
        Some("0") => Catalog::default(),
        Some(from) => load(office, from).await?.0,
        None => {
            let before = revisions::list(office.editor.store(), Some(to.revision), 1).await?;
            match before.first() {
                Some(before) => load(office, &before.id.to_string()).await?.0,
                None => Catalog::default(),
            }
        }
    };
    let changes = diff(&from, &to);
    let lines = changes.iter().map(ToString::to_string).collect();
    Ok(Json(DiffView { from: from.revision, to: to.revision, changes, lines }))
}

/// POST /revisions/{revision}/rollback: what it held, as a new revision.
pub(super) async fn rollback(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<RolledBack>, Problem> {
    let office = api.office()?;
    let (old, _) = load(office, &id).await?;
    let reason = body::reason(request.headers(), || format!("back to revision {}", old.revision))?;
    let precondition = Precondition::of(request.headers());
    let has_file = office.editor.file().is_some();
    let changed = office.editor.change(&caller.name, &reason, |catalog| {
        precondition.check_revision(catalog.revision)?;
        let (restored, kept) = restored(catalog, &old, has_file);
        *catalog = restored;
        Ok(kept)
    });
    let changed = changed.await?;
    Ok(Json(RolledBack {
        revision: changed.catalog.revision,
        changes: changed.changes.iter().map(ToString::to_string).collect(),
        kept: changed.value,
    }))
}

async fn load(office: &Office, id: &str) -> Result<(Catalog, Revision), Problem> {
    let missing = || {
        Problem::new(
            Code::NotFound,
            format!("there is no revision {id:?}; GET /admin/v1/revisions lists those there are"),
        )
    };
    let number: i64 = id.parse().map_err(|_| missing())?;
    let found = revisions::get(office.editor.store(), &office.editor.vault().key(), number).await?;
    found.ok_or_else(missing)
}
