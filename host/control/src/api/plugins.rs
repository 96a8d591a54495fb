//! Destination plugins: bundled ones, and those that were uploaded.

use super::code::earlier;
use super::tag::{self, Precondition};
use super::things::missing;
use super::{Api, body, catalog};
use crate::access::Caller;
use crate::office::Office;
use crate::problem::{Code as ProblemCode, Detail, Problem};
use crate::refusal::Refusal;
use crate::views::Page;
use crate::views::code::{PluginView, RollbackBody, VersionView};
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use pintle_catalog::history::VERSIONS_MAX;
use pintle_catalog::{Catalog, Code, DestinationState, Kind, Plugin, PluginVersion, Stamp};
use pintle_events::times::now_ms;
use serde_json::Value;

/// GET /plugins: all of them.
pub(super) async fn list(State(api): State<Api>) -> Result<Json<Page<PluginView>>, Problem> {
    let office = api.office()?;
    let catalog = office.editor.current();
    let mut ids = office.editor.bundled();
    ids.extend(catalog.plugins.keys().cloned());
    let mut items = Vec::with_capacity(ids.len());
    for id in &ids {
        items.extend(view(office, &catalog, id).await?);
    }
    // As many as there are files and uploads: one page.
    Ok(Json(Page { items, next: None }))
}

/// GET /plugins/{id}: with the JSON Schema of its configuration, for a form to be drawn from.
pub(super) async fn show(State(api): State<Api>, Path(id): Path<String>) -> Result<Response, Problem> {
    let office = api.office()?;
    answer(office, &office.editor.current(), &id, StatusCode::OK).await
}

/// The plugin as it is in this catalog; an uploaded one with its tag.
async fn answer(office: &Office, catalog: &Catalog, id: &str, status: StatusCode) -> Result<Response, Problem> {
    let view = view(office, catalog, id).await?.ok_or_else(|| missing(Kind::Plugin, id))?;
    let mut response = (status, Json(view)).into_response();
    if let Some(plugin) = catalog.plugins.get(id) {
        response.headers_mut().insert(header::ETAG, tag::value(&tag::of(plugin)));
    }
    response.headers_mut().insert("pintle-revision", catalog.revision.into());
    Ok(response)
}

async fn view(office: &Office, catalog: &Catalog, id: &str) -> Result<Option<PluginView>, Problem> {
    if let Some(plugin) = catalog.plugins.get(id)
        && let Some(live) = plugin.live()
    {
        return Ok(Some(PluginView {
            id: id.to_owned(),
            origin: "uploaded".to_owned(),
            manifest: live.manifest.clone(),
            live: Some(catalog::plugin_version(live, true)),
            versions: plugin.versions.len(),
            destinations: catalog::users(catalog, id),
        }));
    }
    if !office.editor.bundled().contains(id) {
        return Ok(None);
    }
    let Some(manifest) = office.workshop.bundled(id.to_owned()).await? else { return Ok(None) };
    Ok(Some(PluginView {
        id: id.to_owned(),
        origin: "bundled".to_owned(),
        manifest: Value::clone(&manifest),
        live: None,
        versions: 0,
        destinations: catalog::users(catalog, id),
    }))
}

/// GET /plugins/{id}/versions: newest first.
pub(super) async fn versions(
    State(api): State<Api>,
    Path(id): Path<String>,
) -> Result<Json<Page<VersionView>>, Problem> {
    let catalog = api.office()?.editor.current();
    let plugin = catalog.plugins.get(&id).ok_or_else(|| missing(Kind::Plugin, &id))?;
    let versions = plugin.versions.iter().rev();
    let items = versions.map(|version| catalog::plugin_version(version, version.number == plugin.live)).collect();
    Ok(Json(Page { items, next: None }))
}

/// POST /plugins: a component, which is live at once under the name that it gives itself.
pub(super) async fn upload(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let office = api.office()?;
    let (head, sent) = request.into_parts();
    let precondition = Precondition::of(&head.headers);
    let bytes = body::upload(&api, sent).await?;
    let manifest = office.workshop.describe(bytes.clone()).await?.map_err(Problem::from)?;
    let id = manifest["name"].as_str().unwrap_or_default().to_owned();
    let reason = body::reason(&head.headers, || format!("plugin {id} was uploaded"))?;
    let code = Code::component(&bytes);
    office.editor.artifacts().put(&bytes).await?;
    takes_all(office, &id, &code, &manifest).await?;
    let stamp = Stamp { author: caller.name.clone(), at_ms: now_ms() };
    let changed = office.editor.change(&caller.name, &reason, |catalog| {
        precondition.check(catalog.plugins.get(&id))?;
        let is_new = !catalog.plugins.contains_key(&id);
        let plugin = catalog.plugins.entry(id.clone()).or_insert_with(Plugin::default);
        // The same bytes again are the same version: a repeated upload changes nothing.
        if plugin.live().is_none_or(|live| live.code != code) {
            let number = plugin.versions.last().map_or(1, |last| last.number + 1);
            let (code, published, manifest) = (code.clone(), stamp.clone(), manifest.clone());
            plugin.versions.push(PluginVersion { number, code, published, manifest });
            plugin.live = number;
            if plugin.versions.len() > VERSIONS_MAX {
                plugin.versions.remove(0);
            }
        }
        Ok(is_new)
    });
    let changed = changed.await?;
    let status = if changed.value { StatusCode::CREATED } else { StatusCode::OK };
    answer(office, &changed.catalog, &id, status).await
}

/// POST /plugins/{id}/rollback: an older version is live again.
pub(super) async fn rollback(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let office = api.office()?;
    let (head, sent) = request.into_parts();
    let precondition = Precondition::of(&head.headers);
    let wanted: RollbackBody = body::json_or_default(&api, sent).await?;
    let reason = body::reason(&head.headers, || format!("plugin {id} was rolled back"))?;
    let target = |catalog: &Catalog| {
        let plugin = catalog.plugins.get(&id).ok_or_else(|| missing(Kind::Plugin, &id))?;
        let numbers: Vec<u32> = plugin.versions.iter().map(|version| version.number).collect();
        let to = earlier(Some(plugin.live), wanted.to, &numbers, &id)?;
        Ok::<_, Refusal>((to, plugin.versions.iter().find(|version| version.number == to).cloned()))
    };
    let (to, version) = target(&office.editor.current())?;
    if let Some(version) = version {
        takes_all(office, &id, &version.code, &version.manifest).await?;
    }
    let changed = office.editor.change(&caller.name, &reason, |catalog| {
        let plugin = catalog.plugins.get_mut(&id).ok_or_else(|| missing(Kind::Plugin, &id))?;
        precondition.check(Some(&*plugin))?;
        plugin.live = to;
        Ok(())
    });
    let changed = changed.await?;
    answer(office, &changed.catalog, &id, StatusCode::OK).await
}

/// DELETE /plugins/{id}: all its versions; a bundled one of the name takes its place.
pub(super) async fn delete(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    request: Request,
) -> Result<StatusCode, Problem> {
    let office = api.office()?;
    let precondition = Precondition::of(request.headers());
    let reason = body::reason(request.headers(), || format!("plugin {id} was deleted"))?;
    let is_bundled = office.editor.bundled().contains(&id);
    let deleted = office.editor.change(&caller.name, &reason, |catalog| {
        precondition.check(catalog.plugins.get(&id))?;
        let users = catalog::users(catalog, &id);
        if !is_bundled && !users.is_empty() {
            let users = users.join(", ");
            return Err(Refusal::Conflict(format!("plugin {id} is used by destinations {users}; delete those first")));
        }
        catalog.plugins.remove(&id).map(drop).ok_or_else(|| missing(Kind::Plugin, &id))
    });
    deleted.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Refuses a version that does not do for the destinations that use the plugin what the one before did: that
/// does not take their configurations, or no longer handles types of events that they are sent. What the one
/// before did not take either is no reason against it.
async fn takes_all(office: &Office, id: &str, code: &Code, manifest: &Value) -> Result<(), Problem> {
    let catalog = office.editor.current();
    let before = catalog.plugins.get(id).and_then(Plugin::live);
    let bundled = office.editor.bundled().contains(id);
    let handled = match before {
        Some(before) => types(&before.manifest),
        None if bundled => {
            office.workshop.bundled(id.to_owned()).await?.map(|manifest| types(&manifest)).unwrap_or_default()
        }
        None => Vec::new(),
    };
    let lost: Vec<String> = handled.into_iter().filter(|kind| !types(manifest).contains(kind)).collect();
    let mut errors = Vec::new();
    let uses = |state: DestinationState| state != DestinationState::Disabled;
    for (name, destination) in catalog.destinations.iter().filter(|(_, d)| d.plugin == id && uses(d.state)) {
        let takes = |kind: &&String| destination.message_types.as_ref().is_none_or(|types| types.contains(kind));
        let missed: Vec<&str> = lost.iter().filter(takes).map(String::as_str).collect();
        if !missed.is_empty() {
            errors.push(Detail {
                path: format!("destinations.{name}"),
                message: format!("it is sent {} events, which this version does not handle", missed.join(" and ")),
                fix: "set its message-types to those that the version handles".to_owned(),
            });
        }
        let asked = |code: Option<Code>| office.workshop.configure(id.to_owned(), code, destination.config.clone());
        let against = asked(Some(code.clone())).await?;
        if against.is_empty() || !asked(before.map(|before| before.code.clone())).await?.is_empty() {
            continue;
        }
        let path = |error: &Detail| format!("destinations.{name}.config{}", error.path);
        errors.extend(against.into_iter().map(|error| Detail { path: path(&error), ..error }));
    }
    let Some(first) = errors.first() else { return Ok(()) };
    let detail = format!(
        "this version of plugin {id} cannot take the place of the one before: {}: {}; change that first, or upload it \
         under another name",
        first.path, first.message
    );
    Err(Problem::new(ProblemCode::Invalid, detail).with(errors))
}

/// The types of events that a plugin handles.
fn types(manifest: &Value) -> Vec<String> {
    let types = manifest["messageTypes"].as_array().into_iter().flatten();
    types.filter_map(|kind| kind.as_str().map(str::to_owned)).collect()
}
