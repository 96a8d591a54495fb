//! Tokens, and the key: what only an administrator may touch.

use super::{Api, body};
use crate::access::Caller;
use crate::keys;
use crate::problem::{Code, Problem};
use crate::views::{NewToken, Page, RotationView, TokenBody, TokenView};
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use pintle_store::tokens;

/// The longest name of a token, in bytes.
const NAME_BYTES_MAX: usize = 100;

/// GET /tokens: all of them, revoked ones included.
pub(super) async fn list(State(api): State<Api>) -> Result<Json<Page<TokenView>>, Problem> {
    let found = tokens::list(api.office()?.editor.store()).await?;
    // Made by hand: one page.
    Ok(Json(Page { items: found.into_iter().map(TokenView::from).collect(), next: None }))
}

/// POST /tokens: the only answer that ever holds the secret.
pub(super) async fn create(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let office = api.office()?;
    let wanted: TokenBody = body::json(&api, request.into_body()).await?;
    if wanted.name.trim().is_empty() || wanted.name.len() > NAME_BYTES_MAX {
        let detail = format!("give the token a name of 1 to {NAME_BYTES_MAX} bytes: who or what it is for");
        return Err(Problem::new(Code::BadRequest, detail));
    }
    let made = tokens::create(office.editor.store(), &wanted.name, wanted.role.as_str(), &caller.name);
    let (token, secret) = made.await?;
    tracing::info!(id = token.id, name = token.name, role = token.role, by = caller.name, "token made");
    Ok((StatusCode::CREATED, Json(NewToken { token: token.into(), secret })).into_response())
}

/// DELETE /tokens/{id}: worth nothing from now on.
pub(super) async fn revoke(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    if !tokens::revoke(api.office()?.editor.store(), &id).await? {
        let detail = format!("there is no token {id:?}; GET /admin/v1/tokens lists those there are");
        return Err(Problem::new(Code::NotFound, detail));
    }
    tracing::info!(id, by = caller.name, "token revoked");
    Ok(StatusCode::NO_CONTENT)
}

/// POST /secrets/rotate: everything is sealed with a new key.
pub(super) async fn rotate(State(api): State<Api>) -> Result<Json<RotationView>, Problem> {
    let office = api.office()?;
    keys::rotate(&office.editor, &office.keys).await.map(Json)
}
