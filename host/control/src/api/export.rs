//! The catalog in file form, and the bytes that it names.

use super::Api;
use crate::office::Office;
use crate::problem::{Code, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use pintle_catalog::export::{Export, export};
use pintle_store::artifacts::Missing;

/// GET /export: a workspace file, and which files stand beside it.
pub(super) async fn show(State(api): State<Api>) -> Result<Json<Export>, Problem> {
    let office = api.office()?;
    let catalog = office.editor.current();
    let schemas = office.schemas(&catalog, None).await?;
    export(&catalog, &schemas).map(Json).map_err(|error| {
        tracing::error!(%error, "the catalog cannot be exported");
        Problem::new(Code::Internal, "the log of the server says what happened")
    })
}

/// GET /artifacts/{digest}: code or a component.
pub(super) async fn bytes(State(api): State<Api>, Path(digest): Path<String>) -> Result<Response, Problem> {
    let bytes = artifact(api.office()?, &digest).await?;
    let headers =
        [(header::CONTENT_TYPE, "application/octet-stream".to_owned()), (header::ETAG, format!("\"{digest}\""))];
    Ok((headers, bytes).into_response())
}

pub(super) async fn artifact(office: &Office, digest: &str) -> Result<Bytes, Problem> {
    office.editor.artifacts().get(digest).await.map_err(|missing| match missing {
        Missing::Gone(digest) => Problem::new(Code::NotFound, format!("no code is stored under digest {digest:?}")),
        Missing::Store(error) => {
            tracing::warn!(%error, "code cannot be read");
            Problem::new(Code::Unavailable, "the database does not answer; try again")
        }
    })
}
