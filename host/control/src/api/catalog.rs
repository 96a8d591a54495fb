//! Things as they are shown: without their secrets.

use super::Api;
use super::body;
use crate::office::{Office, Schemas};
use crate::problem::Problem;
use crate::views::code::{CodeView, DraftView, PluginView, VersionView};
use crate::views::things::{ConnectionView, CredentialView, DestinationView, SourceView, shown};
use axum::Json;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use pintle_catalog::{Catalog, History, Kind, PluginVersion, masking};
use serde::Serialize;
use serde_json::{Map, Value};

/// GET /catalog: everything.
pub(super) async fn show(State(api): State<Api>, request: Request) -> Result<Response, Problem> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Nothing {}
    let Nothing {} = body::query(request.uri(), "none")?;
    let office = api.office()?;
    let catalog = office.editor.current();
    let mut response = Json(whole(office, &catalog).await?).into_response();
    let tag = super::tag::value(&super::tag::of_revision(catalog.revision));
    response.headers_mut().insert(header::ETAG, tag);
    Ok(response)
}

/// Everything in a catalog, by kind and id.
pub(super) async fn whole(office: &Office, catalog: &Catalog) -> Result<Value, Problem> {
    let schemas = office.schemas(catalog, None).await?;
    let mut document = Map::new();
    document.insert("revision".to_owned(), catalog.revision.into());
    for kind in Kind::ALL {
        let ids: Vec<&String> = match kind {
            Kind::Source => catalog.sources.keys().collect(),
            Kind::Destination => catalog.destinations.keys().collect(),
            Kind::Connection => catalog.connections.keys().collect(),
            Kind::Transformation => catalog.transformations.keys().collect(),
            Kind::Library => catalog.libraries.keys().collect(),
            Kind::Plugin => catalog.plugins.keys().collect(),
            Kind::Credential => catalog.credentials.keys().collect(),
        };
        let views = ids.into_iter().filter_map(|id| Some((id.clone(), view(office, catalog, &schemas, kind, id)?)));
        document.insert(kind.plural().to_owned(), views.collect::<Map<_, _>>().into());
    }
    Ok(document.into())
}

/// One thing; none when it is not there.
pub(super) fn view(office: &Office, catalog: &Catalog, schemas: &Schemas, kind: Kind, id: &str) -> Option<Value> {
    let file = office.editor.file().filter(|_| catalog.is_owned(kind, id)).map(|file| file.display().to_string());
    let id = id.to_owned();
    Some(match kind {
        Kind::Source => {
            let source = catalog.sources.get(&id)?.clone();
            json(SourceView {
                id,
                name: source.name,
                write_key: source.write_key,
                enabled: source.enabled,
                transformations: source.transformations,
                events_per_second_max: source.events_per_second_max,
                anonymize_ip: source.anonymize_ip,
                file,
            })
        }
        Kind::Destination => {
            let destination = catalog.destinations.get(&id)?.clone();
            let known: Vec<&Value> = schemas.get(&destination.plugin).into_iter().flatten().collect();
            json(DestinationView {
                id,
                name: destination.name,
                config: masking::hide(&known, &destination.config),
                plugin: destination.plugin,
                state: destination.state,
                message_types: destination.message_types,
                integration: destination.integration,
                delivery: destination.delivery,
                file,
            })
        }
        Kind::Connection => {
            let connection = catalog.connections.get(&id)?.clone();
            json(ConnectionView {
                id,
                source: connection.source,
                destination: connection.destination,
                enabled: connection.enabled,
                transformations: connection.transformations,
                filter: connection.filter,
                off_because: connection.off_because,
                file,
            })
        }
        Kind::Credential => {
            let credential = catalog.credentials.get(&id)?;
            let description = credential.description.clone();
            json(CredentialView { id, description, value: shown(&credential.value), file })
        }
        Kind::Transformation => {
            let thing = catalog.transformations.get(&id)?;
            let uses = |names: &[String]| names.contains(&id);
            let connections = catalog.connections.iter().filter(|(_, c)| uses(&c.transformations));
            let sources = catalog.sources.iter().filter(|(_, s)| uses(&s.transformations));
            json(CodeView {
                name: thing.name.clone(),
                description: thing.description.clone(),
                hosts: Some(thing.hosts.clone()),
                live: live(&thing.history),
                draft: thing.history.draft.as_ref().map(DraftView::of),
                versions: thing.history.versions.len(),
                connections: connections.map(|(id, _)| id.clone()).collect(),
                sources: sources.map(|(id, _)| id.clone()).collect(),
                file,
                id: id.clone(),
            })
        }
        Kind::Library => {
            let thing = catalog.libraries.get(&id)?;
            json(CodeView {
                id,
                name: thing.name.clone(),
                description: thing.description.clone(),
                hosts: None,
                live: live(&thing.history),
                draft: thing.history.draft.as_ref().map(DraftView::of),
                versions: thing.history.versions.len(),
                connections: Vec::new(),
                sources: Vec::new(),
                file,
            })
        }
        Kind::Plugin => {
            let plugin = catalog.plugins.get(&id)?;
            let live = plugin.live()?;
            json(PluginView {
                origin: "uploaded".to_owned(),
                manifest: live.manifest.clone(),
                live: Some(plugin_version(live, true)),
                versions: plugin.versions.len(),
                destinations: users(catalog, &id),
                id,
            })
        }
    })
}

/// The destinations that use a plugin.
pub(super) fn users(catalog: &Catalog, plugin: &str) -> Vec<String> {
    let users = catalog.destinations.iter().filter(|(_, destination)| destination.plugin == plugin);
    users.map(|(id, _)| id.clone()).collect()
}

pub(super) fn plugin_version(version: &PluginVersion, live: bool) -> VersionView {
    VersionView {
        number: version.number,
        live,
        digest: version.code.digest.clone(),
        bytes: version.code.bytes,
        form: version.code.form,
        language: None,
        author: version.published.author.clone(),
        at_ms: version.published.at_ms,
        note: String::new(),
    }
}

fn live(history: &History) -> Option<VersionView> {
    history.live().map(|version| VersionView::of(version, true))
}

fn json(view: impl Serialize) -> Value {
    serde_json::to_value(view).expect("views have text keys only")
}
