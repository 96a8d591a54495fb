//! What components have done so far.

use super::Api;
use super::things::missing;
use crate::figures;
use crate::problem::Problem;
use crate::views::figures::FiguresView;
use axum::Json;
use axum::extract::{Path, State};
use pintle_catalog::Kind;

/// GET /transformations/{id}/figures
pub(super) async fn transformation(
    State(api): State<Api>,
    Path(id): Path<String>,
) -> Result<Json<FiguresView>, Problem> {
    if !api.office()?.editor.current().transformations.contains_key(&id) {
        return Err(missing(Kind::Transformation, &id).into());
    }
    Ok(Json(figures::of(&api.metrics.render(), "transformation", &id)))
}

/// GET /plugins/{id}/figures
pub(super) async fn plugin(State(api): State<Api>, Path(id): Path<String>) -> Result<Json<FiguresView>, Problem> {
    let editor = &api.office()?.editor;
    if !editor.current().plugins.contains_key(&id) && !editor.bundled().contains(&id) {
        return Err(missing(Kind::Plugin, &id).into());
    }
    Ok(Json(figures::of(&api.metrics.render(), "plugin", &id)))
}
