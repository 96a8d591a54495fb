//! Drafts, publications and rollbacks of transformations and libraries.

use super::tag::Precondition;
use super::things::{self, Thing, missing, named};
use super::{Api, body, importers};
use crate::access::Caller;
use crate::office::{Office, Schemas};
use crate::problem::{Code as ProblemCode, Problem};
use crate::refusal::Refusal;
use crate::views::Page;
use crate::views::code::{CodeBody, PublishBody, RollbackBody, VersionView};
use crate::workshop::Candidate;
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use pintle_catalog::{Catalog, Code, Draft, Form, History, Kind, Language, Library, Stamp, Transformation};
use pintle_events::times::now_ms;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A thing that has code in versions.
pub(super) trait Coded: Thing {
    fn history(&self) -> &History;
    fn history_mut(&mut self) -> &mut History;
    fn name(&self) -> &str;
    fn hosts(&self) -> Vec<String>;
    /// One without any code yet.
    fn blank(id: &str) -> Self;
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Upload {
    language: Option<Language>,
}

/// PUT …/draft: saves code that would run. The thing is made when it is not there.
pub(super) async fn save<T: Coded>(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let office = api.office()?;
    let (head, sent) = request.into_parts();
    let precondition = Precondition::of(&head.headers);
    let reason = body::reason(&head.headers, || format!("draft of {} {id} was saved", T::KIND))?;
    let upload: Upload = body::query(&head.uri, "language")?;
    let bytes = body::upload(&api, sent).await?;
    let catalog = office.editor.current();
    let there = T::all(&catalog).get(&id);
    let code = code_of::<T>(&bytes, upload.language, there.map(Coded::history))?;
    let blank = T::blank(&id);
    let thing = there.unwrap_or(&blank);
    let candidate = Candidate { version: "draft".to_owned(), ..of(thing, &id, code.clone(), thing.hosts()) };
    office.workshop.check(catalog, candidate, bytes.clone()).await?.map_err(Problem::from)?;
    office.editor.artifacts().put(&bytes).await?;
    let stamp = Stamp { author: caller.name.clone(), at_ms: now_ms() };
    let changed = office.editor.change(&caller.name, &reason, |catalog| {
        let things = T::all_mut(catalog);
        precondition.check(things.get(&id))?;
        let is_new = !things.contains_key(&id);
        let history = things.entry(id.clone()).or_insert_with(|| T::blank(&id)).history_mut();
        let known = history.draft.as_ref().map(|draft| &draft.code);
        // Sending the same code again changes nothing, also when it is live by now.
        if known != Some(&code) && !(known.is_none() && history.live().is_some_and(|live| live.code == code)) {
            history.draft = Some(Draft { code: code.clone(), saved: stamp.clone() });
        }
        Ok(is_new)
    });
    let changed = changed.await?;
    let status = if changed.value { StatusCode::CREATED } else { StatusCode::OK };
    things::answer::<T>(office, &changed.catalog, &id, status).await
}

/// What was sent: a component says so in its first bytes.
fn code_of<T: Coded>(bytes: &[u8], language: Option<Language>, history: Option<&History>) -> Result<Code, Problem> {
    if bytes.starts_with(b"\0asm") {
        if T::KIND == Kind::Library {
            let detail = "a library is source code: components have no way to import one another";
            return Err(Problem::new(ProblemCode::Invalid, detail));
        }
        return Ok(Code::component(bytes));
    }
    if let Err(error) = std::str::from_utf8(bytes) {
        let detail = format!("the code is not UTF-8 at byte {}", error.valid_up_to());
        return Err(Problem::new(ProblemCode::Invalid, detail));
    }
    let known = history.and_then(|history| {
        let draft = history.draft.as_ref().map(|draft| &draft.code);
        draft.or_else(|| history.live().map(|live| &live.code))?.language
    });
    Ok(Code::source(language.or(known).unwrap_or_default(), bytes))
}

/// DELETE …/draft: forgets it.
pub(super) async fn discard<T: Coded>(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    request: Request,
) -> Result<StatusCode, Problem> {
    let office = api.office()?;
    let precondition = Precondition::of(request.headers());
    let reason = body::reason(request.headers(), || format!("draft of {} {id} was discarded", T::KIND))?;
    let changed = office.editor.change(&caller.name, &reason, |catalog| {
        let thing = T::all_mut(catalog).get_mut(&id).ok_or_else(|| missing(T::KIND, &id))?;
        precondition.check(Some(&*thing))?;
        thing.history_mut().draft = None;
        Ok(())
    });
    changed.await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    version: Option<String>,
}

/// GET …/code: the code as it was sent.
pub(super) async fn read<T: Coded>(
    State(api): State<Api>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let office = api.office()?;
    let which: Which = body::query(request.uri(), "version (draft, live or a number)")?;
    let catalog = office.editor.current();
    let thing = T::all(&catalog).get(&id).ok_or_else(|| missing(T::KIND, &id))?;
    let (_, code) = pick(thing.history(), which.version.as_deref(), &id)?;
    let bytes = super::export::artifact(office, &code.digest).await?;
    let kind = match code.form {
        Form::Component => "application/wasm",
        Form::Source => "text/plain; charset=utf-8",
    };
    let headers = [(header::CONTENT_TYPE, kind.to_owned()), (header::ETAG, format!("\"{}\"", code.digest))];
    Ok((headers, bytes).into_response())
}

/// A version by what a client calls it; by default the draft, else the live version.
pub(super) fn pick(history: &History, which: Option<&str>, id: &str) -> Result<(String, Code), Refusal> {
    let draft = || history.draft.as_ref().map(|draft| ("draft".to_owned(), draft.code.clone()));
    let live = || history.live().map(|live| (live.number.to_string(), live.code.clone()));
    let found = match which {
        None => draft().or_else(live),
        Some("draft") => draft(),
        Some("live") => live(),
        Some(number) => {
            let number: u32 = number.parse().map_err(|_| {
                Refusal::BadRequest(format!("{number:?} is not a version; use draft, live or a number"))
            })?;
            history.version(number).map(|version| (number.to_string(), version.code.clone()))
        }
    };
    let wanted = which.unwrap_or("version");
    found.ok_or_else(|| Refusal::NotFound(format!("{id} has no {wanted}; GET …/versions lists what was published")))
}

/// GET …/versions: newest first.
pub(super) async fn versions<T: Coded>(
    State(api): State<Api>,
    Path(id): Path<String>,
) -> Result<Json<Page<VersionView>>, Problem> {
    let catalog = api.office()?.editor.current();
    let thing = T::all(&catalog).get(&id).ok_or_else(|| missing(T::KIND, &id))?;
    // There are at most VERSIONS_MAX: one page.
    Ok(Json(Page { items: VersionView::all(thing.history()), next: None }))
}

/// POST …/publish: the draft becomes the next version, and live.
pub(super) async fn publish<T: Coded>(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<Value>, Problem> {
    let office = api.office()?;
    let (head, sent) = request.into_parts();
    let precondition = Precondition::of(&head.headers);
    let wanted: PublishBody = body::json_or_default(&api, sent).await?;
    body::note(&wanted.note)?;
    let reason = body::reason(&head.headers, || match wanted.note.as_str() {
        "" => format!("{} {id} was published", T::KIND),
        note => note.to_owned(),
    })?;
    let catalog = office.editor.current();
    if let Some(thing) = T::all(&catalog).get(&id)
        && let Some(draft) = &thing.history().draft
    {
        may_go_live(office, &catalog, &id, thing, &draft.code).await?;
    }
    let stamp = Stamp { author: caller.name.clone(), at_ms: now_ms() };
    let changed = office.editor.change(&caller.name, &reason, |catalog| {
        let thing = T::all_mut(catalog).get_mut(&id).ok_or_else(|| missing(T::KIND, &id))?;
        precondition.check(Some(&*thing))?;
        let history = thing.history_mut();
        let means = |code: &Code| wanted.digest.as_ref().is_none_or(|digest| code.digest == *digest);
        if history.draft.as_ref().is_some_and(|draft| means(&draft.code)) {
            let draft = history.draft.take().expect("it was just looked at");
            return Ok(history.publish(draft.code, stamp.clone(), wanted.note.clone()));
        }
        match (history.live(), &history.draft) {
            // Published before: a repeated request is answered as the first one was.
            (Some(live), _) if wanted.digest.is_some() && means(&live.code) => Ok(live.number),
            (Some(live), None) if wanted.digest.is_none() => Ok(live.number),
            (_, Some(draft)) => Err(Refusal::Conflict(format!(
                "the draft is {} by now, and not the code that was meant; look at it, and publish again",
                draft.code.digest
            ))),
            (_, None) => Err(Refusal::Conflict(format!("{id} has no such draft; save the code first: PUT …/draft"))),
        }
    });
    let changed = changed.await?;
    answer::<T>(&changed.catalog, &id, changed.value, !changed.changes.is_empty())
}

/// Refuses code that would not run, and a library's with which those that import it would not run any more.
async fn may_go_live<T: Coded>(
    office: &Office,
    catalog: &Arc<Catalog>,
    id: &str,
    thing: &T,
    code: &Code,
) -> Result<(), Problem> {
    must_run(office, catalog, id, thing, code, thing.hosts()).await?;
    if T::KIND != Kind::Library {
        return Ok(());
    }
    let mut after = Catalog::clone(catalog);
    if let Some(thing) = T::all_mut(&mut after).get_mut(id) {
        let nobody = Stamp { author: String::new(), at_ms: 0 };
        thing.history_mut().publish(code.clone(), nobody, String::new());
    }
    importers::still_run(office, catalog, after, id, "with this version of it").await
}

/// Refuses stored code that would not run with what is published now and these hosts.
pub(super) async fn must_run<T: Coded>(
    office: &Office,
    catalog: &Arc<Catalog>,
    id: &str,
    thing: &T,
    code: &Code,
    hosts: Vec<String>,
) -> Result<(), Problem> {
    let bytes = super::export::artifact(office, &code.digest).await?;
    let candidate = of(thing, id, code.clone(), hosts);
    office.workshop.check(catalog.clone(), candidate, bytes).await?.map_err(Problem::from)
}

/// Code of a thing, as it would be once it is live.
fn of<T: Coded>(thing: &T, id: &str, code: Code, hosts: Vec<String>) -> Candidate {
    let (id, name, version) = (id.to_owned(), thing.name().to_owned(), "live".to_owned());
    Candidate { id, name, version, code, hosts, is_library: T::KIND == Kind::Library }
}

/// Refuses hosts with which the live code would not run any more: not every engine has a network.
pub(super) async fn takes_hosts(office: &Office, id: &str, sent: &Value) -> Result<(), Problem> {
    // A body that is none is refused where it is read.
    let Ok(CodeBody { hosts: Some(hosts), .. }) = serde_json::from_value(sent.clone()) else { return Ok(()) };
    let catalog = office.editor.current();
    match catalog.transformations.get(id) {
        Some(thing) if thing.hosts != hosts => match thing.history.live() {
            Some(live) => must_run(office, &catalog, id, thing, &live.code, hosts).await,
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

/// POST …/rollback: an older version is live again.
pub(super) async fn rollback<T: Coded>(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<Value>, Problem> {
    let office = api.office()?;
    let (head, sent) = request.into_parts();
    let precondition = Precondition::of(&head.headers);
    let wanted: RollbackBody = body::json_or_default(&api, sent).await?;
    let reason = body::reason(&head.headers, || format!("{} {id} was rolled back", T::KIND))?;
    let catalog = office.editor.current();
    if let Some(thing) = T::all(&catalog).get(&id)
        && let Ok(to) = target(thing.history(), wanted.to, &id)
        && let Some(version) = thing.history().version(to)
    {
        // Hosts, credentials and libraries may have changed since it ran last.
        may_go_live(office, &catalog, &id, thing, &version.code).await?;
    }
    let changed = office.editor.change(&caller.name, &reason, |catalog| {
        let thing = T::all_mut(catalog).get_mut(&id).ok_or_else(|| missing(T::KIND, &id))?;
        precondition.check(Some(&*thing))?;
        let history = thing.history_mut();
        let to = target(history, wanted.to, &id)?;
        history.live = Some(to);
        Ok(to)
    });
    let changed = changed.await?;
    answer::<T>(&changed.catalog, &id, changed.value, !changed.changes.is_empty())
}

fn target(history: &History, to: Option<u32>, id: &str) -> Result<u32, Refusal> {
    let numbers: Vec<u32> = history.versions.iter().map(|version| version.number).collect();
    earlier(history.live, to, &numbers, id)
}

/// The version that a rollback goes to.
pub(super) fn earlier(live: Option<u32>, to: Option<u32>, numbers: &[u32], id: &str) -> Result<u32, Refusal> {
    match to {
        Some(to) if numbers.contains(&to) => Ok(to),
        Some(to) => Err(Refusal::NotFound(format!("{id} has no version {to}; GET …/versions lists those there are"))),
        None => {
            let before = numbers.iter().copied().filter(|number| live.is_some_and(|live| *number < live)).max();
            before.ok_or_else(|| Refusal::Conflict(format!("{id} has no version before the live one")))
        }
    }
}

fn answer<T: Coded>(catalog: &Catalog, id: &str, number: u32, changed: bool) -> Result<Json<Value>, Problem> {
    let thing = T::all(catalog).get(id).ok_or_else(|| missing(T::KIND, id))?;
    let version =
        thing.history().version(number).map(|version| VersionView::of(version, thing.history().live == Some(number)));
    Ok(Json(json!({"version": version, "changed": changed, "revision": catalog.revision})))
}

impl Thing for Transformation {
    const KIND: Kind = Kind::Transformation;
    type Body = CodeBody;

    fn all(catalog: &Catalog) -> &BTreeMap<String, Transformation> {
        &catalog.transformations
    }

    fn all_mut(catalog: &mut Catalog) -> &mut BTreeMap<String, Transformation> {
        &mut catalog.transformations
    }

    fn made(old: Option<&Transformation>, id: &str, body: &CodeBody, _: &Schemas) -> Result<Transformation, Refusal> {
        let mut thing = old.cloned().unwrap_or_else(|| Transformation::blank(id));
        thing.name = named(&body.name, Some(&thing.name), id);
        thing.description = body.description.clone().unwrap_or(thing.description);
        thing.hosts = body.hosts.clone().unwrap_or(thing.hosts);
        Ok(thing)
    }
}

impl Coded for Transformation {
    fn history(&self) -> &History {
        &self.history
    }

    fn history_mut(&mut self) -> &mut History {
        &mut self.history
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn hosts(&self) -> Vec<String> {
        self.hosts.clone()
    }

    fn blank(id: &str) -> Transformation {
        let (name, description) = (id.to_owned(), String::new());
        Transformation { name, description, hosts: Vec::new(), history: History::default() }
    }
}

impl Thing for Library {
    const KIND: Kind = Kind::Library;
    type Body = CodeBody;

    fn all(catalog: &Catalog) -> &BTreeMap<String, Library> {
        &catalog.libraries
    }

    fn all_mut(catalog: &mut Catalog) -> &mut BTreeMap<String, Library> {
        &mut catalog.libraries
    }

    fn made(old: Option<&Library>, id: &str, body: &CodeBody, _: &Schemas) -> Result<Library, Refusal> {
        if body.hosts.is_some() {
            let why = "a library has no hosts of its own: they are granted to the transformations that import it";
            return Err(Refusal::BadRequest(why.to_owned()));
        }
        let mut thing = old.cloned().unwrap_or_else(|| Library::blank(id));
        thing.name = named(&body.name, Some(&thing.name), id);
        thing.description = body.description.clone().unwrap_or(thing.description);
        Ok(thing)
    }
}

impl Coded for Library {
    fn history(&self) -> &History {
        &self.history
    }

    fn history_mut(&mut self) -> &mut History {
        &mut self.history
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn hosts(&self) -> Vec<String> {
        Vec::new()
    }

    fn blank(id: &str) -> Library {
        Library { name: id.to_owned(), description: String::new(), history: History::default() }
    }
}

/// The candidate that a version of a transformation is.
pub(super) fn candidate(office: &Office, id: &str, which: Option<&str>) -> Result<(Arc<Catalog>, Candidate), Problem> {
    let catalog = office.editor.current();
    let thing = catalog.transformations.get(id).ok_or_else(|| missing(Kind::Transformation, id))?;
    let (version, code) = pick(&thing.history, which, id)?;
    let candidate = Candidate { version, ..of(thing, id, code, thing.hosts.clone()) };
    Ok((catalog, candidate))
}
