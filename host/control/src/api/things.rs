//! Reading and changing things of the catalog, whatever kind they are.

use super::body;
use super::tag::{self, Precondition};
use super::{Api, catalog, code, importers};
use crate::access::Caller;
use crate::office::{Office, Schemas};
use crate::problem::{Code, Problem};
use crate::refusal::Refusal;
use crate::views::Page;
use crate::views::things::{ConnectionBody, CredentialBody, DestinationBody, SourceBody};
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use pintle_catalog::{Catalog, Connection, Credential, Destination, DestinationState, Kind, Source, masking};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A kind of thing that can be put into the catalog.
pub(super) trait Thing: Clone + PartialEq + Serialize + Send + Sync + 'static {
    /// Which.
    const KIND: Kind;
    /// What clients send.
    type Body: DeserializeOwned + Send + Sync + 'static;

    fn all(catalog: &Catalog) -> &BTreeMap<String, Self>;
    fn all_mut(catalog: &mut Catalog) -> &mut BTreeMap<String, Self>;
    /// The thing that a body asks for, made from the one that is there.
    fn made(old: Option<&Self>, id: &str, body: &Self::Body, schemas: &Schemas) -> Result<Self, Refusal>;
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Paging {
    pub(super) limit: Option<u32>,
    pub(super) after: Option<String>,
}

pub(super) async fn list<T: Thing>(State(api): State<Api>, request: Request) -> Result<Json<Page<Value>>, Problem> {
    let office = api.office()?;
    let paging: Paging = body::query(request.uri(), "limit and after")?;
    let limit = api.limit(paging.limit)?;
    let catalog = office.editor.current();
    let schemas = schemas_for::<T>(office, &catalog, None).await?;
    let after = |id: &&String| paging.after.as_ref().is_none_or(|after| *id > after);
    let ids: Vec<&String> = T::all(&catalog).keys().filter(after).take(limit as usize + 1).collect();
    let Page { items, next } = Page::of(ids, limit, |last| (*last).clone());
    let items = items.into_iter().filter_map(|id| catalog::view(office, &catalog, &schemas, T::KIND, id)).collect();
    Ok(Json(Page { items, next }))
}

pub(super) async fn show<T: Thing>(State(api): State<Api>, Path(id): Path<String>) -> Result<Response, Problem> {
    let office = api.office()?;
    let catalog = office.editor.current();
    answer::<T>(office, &catalog, &id, StatusCode::OK).await
}

pub(super) async fn put<T: Thing>(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let office = api.office()?;
    let (head, sent) = request.into_parts();
    let precondition = Precondition::of(&head.headers);
    let reason = body::reason(&head.headers, || format!("{} {id} was put", T::KIND))?;
    let sent: Value = body::json(&api, sent).await?;
    let plugin = sent.get("plugin").and_then(Value::as_str).map(str::to_owned);
    let schemas = schemas_for::<T>(office, &office.editor.current(), plugin.as_deref()).await?;
    if T::KIND == Kind::Destination {
        takes_config(office, &id, &sent, &schemas).await?;
    }
    if T::KIND == Kind::Transformation {
        code::takes_hosts(office, &id, &sent).await?;
    }
    let wanted: T::Body = serde_json::from_value(sent)
        .map_err(|error| Problem::new(Code::BadRequest, format!("the body is not a {}: {error}", T::KIND)))?;
    let changed = office.editor.change(&caller.name, &reason, |catalog| {
        let things = T::all_mut(catalog);
        let old = things.get(&id);
        precondition.check(old)?;
        let is_new = old.is_none();
        let made = T::made(old, &id, &wanted, &schemas)?;
        things.insert(id.clone(), made);
        Ok(is_new)
    });
    let changed = changed.await?;
    let status = if changed.value { StatusCode::CREATED } else { StatusCode::OK };
    answer::<T>(office, &changed.catalog, &id, status).await
}

pub(super) async fn delete<T: Thing>(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let office = api.office()?;
    let precondition = Precondition::of(request.headers());
    let reason = body::reason(request.headers(), || format!("{} {id} was deleted", T::KIND))?;
    if T::KIND == Kind::Library {
        let catalog = office.editor.current();
        let mut after = Catalog::clone(&catalog);
        T::all_mut(&mut after).remove(&id);
        importers::still_run(office, &catalog, after, &id, "without it").await?;
    }
    let deleted = office.editor.change(&caller.name, &reason, |catalog| {
        let things = T::all_mut(catalog);
        precondition.check(things.get(&id))?;
        things.remove(&id).map(drop).ok_or_else(|| missing(T::KIND, &id))
    });
    match deleted.await {
        Ok(_) => Ok(StatusCode::NO_CONTENT.into_response()),
        // What would not be sound without it uses it.
        Err(Refusal::Invalid(problems)) => {
            let users: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
            let detail = format!("{} {id} is used by {}; change or delete that first", T::KIND, users.join(", "));
            Err(Problem::new(Code::Conflict, detail))
        }
        Err(refusal) => Err(refusal.into()),
    }
}

/// The thing as it is in this catalog, with its tag.
pub(super) async fn answer<T: Thing>(
    office: &Office,
    catalog: &Catalog,
    id: &str,
    status: StatusCode,
) -> Result<Response, Problem> {
    let schemas = schemas_for::<T>(office, catalog, None).await?;
    let view = catalog::view(office, catalog, &schemas, T::KIND, id).ok_or_else(|| missing(T::KIND, id))?;
    let tag = T::all(catalog).get(id).map(tag::of).unwrap_or_default();
    let mut response = (status, Json(view)).into_response();
    response.headers_mut().insert(header::ETAG, tag::value(&tag));
    response.headers_mut().insert("pintle-revision", catalog.revision.into());
    Ok(response)
}

pub(super) fn missing(kind: Kind, id: &str) -> Refusal {
    Refusal::NotFound(format!("there is no {kind} {id:?}; GET /admin/v1/{} lists those there are", kind.plural()))
}

async fn schemas_for<T: Thing>(office: &Office, catalog: &Catalog, also: Option<&str>) -> Result<Schemas, Problem> {
    match T::KIND {
        Kind::Destination => office.schemas(catalog, also).await,
        _ => Ok(Schemas::new()),
    }
}

/// Asks the plugin what it has against a configuration, before it is in force.
async fn takes_config(office: &Office, id: &str, sent: &Value, schemas: &Schemas) -> Result<(), Problem> {
    // A body that is no destination is refused where it is read.
    let Ok(body) = serde_json::from_value::<DestinationBody>(sent.clone()) else { return Ok(()) };
    let catalog = office.editor.current();
    let known = office.editor.bundled().contains(&body.plugin) || catalog.plugins.contains_key(&body.plugin);
    if body.state == DestinationState::Disabled || !known {
        return Ok(());
    }
    let wanted = Destination::made(catalog.destinations.get(id), id, &body, schemas)?;
    let uploaded = catalog.plugins.get(&body.plugin).and_then(|plugin| Some(plugin.live()?.code.clone()));
    let errors = office.workshop.configure(body.plugin.clone(), uploaded, wanted.config).await?;
    if errors.is_empty() {
        return Ok(());
    }
    let first = errors.first().map(|error| format!("config{}: {}", error.path, error.message)).unwrap_or_default();
    Err(Problem::new(Code::Invalid, format!("plugin {} does not take the configuration: {first}", body.plugin))
        .with(errors))
}

impl Thing for Source {
    const KIND: Kind = Kind::Source;
    type Body = SourceBody;

    fn all(catalog: &Catalog) -> &BTreeMap<String, Source> {
        &catalog.sources
    }

    fn all_mut(catalog: &mut Catalog) -> &mut BTreeMap<String, Source> {
        &mut catalog.sources
    }

    fn made(old: Option<&Source>, id: &str, body: &SourceBody, _: &Schemas) -> Result<Source, Refusal> {
        Ok(Source {
            name: named(&body.name, old.map(|old| &old.name), id),
            write_key: match (&body.write_key, old) {
                (Some(key), _) => key.clone(),
                (None, Some(old)) => old.write_key.clone(),
                (None, None) => new_write_key(),
            },
            enabled: body.enabled,
            transformations: body.transformations.clone(),
            events_per_second_max: body.events_per_second_max,
            anonymize_ip: body.anonymize_ip,
        })
    }
}

impl Thing for Destination {
    const KIND: Kind = Kind::Destination;
    type Body = DestinationBody;

    fn all(catalog: &Catalog) -> &BTreeMap<String, Destination> {
        &catalog.destinations
    }

    fn all_mut(catalog: &mut Catalog) -> &mut BTreeMap<String, Destination> {
        &mut catalog.destinations
    }

    fn made(
        old: Option<&Destination>,
        id: &str,
        body: &DestinationBody,
        schemas: &Schemas,
    ) -> Result<Destination, Refusal> {
        let config = if body.config.is_null() { json!({}) } else { body.config.clone() };
        // A secret of one plugin is none of another's business.
        let stored = old.filter(|old| old.plugin == body.plugin).map(|old| &old.config);
        let known: Vec<&Value> = schemas.get(&body.plugin).into_iter().flatten().collect();
        let config = masking::reveal(&known, &config, stored).map_err(|path| {
            Refusal::BadRequest(format!(
                "config{path} is the placeholder of a secret that is not stored there; write the secret, or a reference such as ${{env:NAME}}"
            ))
        })?;
        Ok(Destination {
            name: named(&body.name, old.map(|old| &old.name), id),
            plugin: body.plugin.clone(),
            config,
            state: body.state,
            message_types: body.message_types.clone(),
            integration: body.integration.clone(),
            // Settings that say nothing are none, as in a file.
            delivery: body.delivery.clone().filter(|delivery| !delivery.is_blank()),
        })
    }
}

impl Thing for Connection {
    const KIND: Kind = Kind::Connection;
    type Body = ConnectionBody;

    fn all(catalog: &Catalog) -> &BTreeMap<String, Connection> {
        &catalog.connections
    }

    fn all_mut(catalog: &mut Catalog) -> &mut BTreeMap<String, Connection> {
        &mut catalog.connections
    }

    fn made(_: Option<&Connection>, _: &str, body: &ConnectionBody, _: &Schemas) -> Result<Connection, Refusal> {
        Ok(Connection {
            source: body.source.clone(),
            destination: body.destination.clone(),
            enabled: body.enabled,
            transformations: body.transformations.clone(),
            // One that says nothing is none, as in a file.
            filter: body.filter.clone().filter(|filter| !filter.is_blank()),
            off_because: None,
        })
    }
}

impl Thing for Credential {
    const KIND: Kind = Kind::Credential;
    type Body = CredentialBody;

    fn all(catalog: &Catalog) -> &BTreeMap<String, Credential> {
        &catalog.credentials
    }

    fn all_mut(catalog: &mut Catalog) -> &mut BTreeMap<String, Credential> {
        &mut catalog.credentials
    }

    fn made(old: Option<&Credential>, _: &str, body: &CredentialBody, _: &Schemas) -> Result<Credential, Refusal> {
        let value = match (&body.value, old) {
            (Some(value), _) if !value.is_empty() && !value.starts_with(masking::PLACEHOLDER) => value.clone(),
            (Some(value), Some(old)) if *value == crate::views::things::shown(&old.value) => old.value.clone(),
            (None, Some(old)) => old.value.clone(),
            _ => return Err(Refusal::BadRequest("write the secret as `value`".to_owned())),
        };
        Ok(Credential { description: body.description.clone(), value })
    }
}

pub(super) fn named(new: &Option<String>, old: Option<&String>, id: &str) -> String {
    new.clone().or_else(|| old.cloned()).unwrap_or_else(|| id.to_owned())
}

/// As many random bits as nobody guesses, in the form that RudderStack's keys have.
fn new_write_key() -> String {
    use rand::RngExt;
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let mut random = rand::rng();
    (0..27).map(|_| LETTERS[random.random_range(0..LETTERS.len())] as char).collect()
}
