//! Every path there is, with what it needs and what it answers: the router and the OpenAPI document are made
//! from this one list.

use super::{
    Api, audit, catalog, code, dead_letters, export, figures, keep_out, ledger, logs, openapi, plugins, replays,
    revisions, things, tokens, traces, trials,
};
use crate::access::Role;
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter, on};
use pintle_catalog::{Connection, Credential, Destination, Library, Source, Transformation};

/// One method of one path.
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: &'static str,
    /// What it needs; nothing at all when absent.
    pub(super) role: Option<Role>,
    pub(super) summary: &'static str,
    /// Parameters behind the `?`, each with what it means.
    pub(super) query: &'static [(&'static str, &'static str)],
    pub(super) body: Sent,
    /// The schema of the answer.
    pub(super) answer: &'static str,
    pub(super) handler: MethodRouter<Api>,
}

/// What a request carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    Nothing,
    /// JSON of this schema.
    Json(&'static str),
    /// JSON of this schema, which may be left out.
    Optional(&'static str),
    /// Code or a component as it is.
    Bytes,
}

/// No body.
pub(super) const EMPTY: &str = "";
/// Text, bytes or lines.
pub(super) const RAW: &str = "raw";

impl Route {
    fn new<H, T>(method: Method, path: &'static str, role: Option<Role>, handler: H) -> Route
    where
        H: Handler<T, Api>,
        T: 'static,
    {
        let filter = MethodFilter::try_from(method.clone()).expect("these are methods that axum knows");
        let (summary, query, body, answer): (_, &'static [_], _, _) = ("", &[], Sent::Nothing, EMPTY);
        Route { method, path, role, summary, query, body, answer, handler: on(filter, handler) }
    }

    fn says(self, summary: &'static str, answer: &'static str) -> Route {
        Route { summary, answer, ..self }
    }

    fn takes(self, body: Sent) -> Route {
        Route { body, ..self }
    }

    fn asks(self, query: &'static [(&'static str, &'static str)]) -> Route {
        Route { query, ..self }
    }
}

fn get<H: Handler<T, Api>, T: 'static>(path: &'static str, handler: H) -> Route {
    Route::new(Method::GET, path, Some(Role::Viewer), handler)
}

fn put<H: Handler<T, Api>, T: 'static>(path: &'static str, handler: H) -> Route {
    Route::new(Method::PUT, path, Some(Role::Editor), handler)
}

fn post<H: Handler<T, Api>, T: 'static>(path: &'static str, handler: H) -> Route {
    Route::new(Method::POST, path, Some(Role::Editor), handler)
}

fn delete<H: Handler<T, Api>, T: 'static>(path: &'static str, handler: H) -> Route {
    Route::new(Method::DELETE, path, Some(Role::Editor), handler)
}

impl Route {
    fn admin(self) -> Route {
        Route { role: Some(Role::Admin), ..self }
    }
}

const PAGE: &[(&str, &str)] =
    &[("limit", "things on a page, at most page-items-max"), ("after", "`next` of the page before")];
const BEFORE: &[(&str, &str)] =
    &[("limit", "things on a page, at most page-items-max"), ("before", "`next` of the page before")];
const DEAD_LETTERS: &[(&str, &str)] = &[
    ("destination", "only of this destination"),
    ("source", "only from this source"),
    ("connection", "only of this connection"),
    ("stage", "only those that died in a `transformation`, or in `delivery`"),
    ("type", "only events of this type"),
    ("message_id", "only the event with this messageId"),
    ("reason", "only those with this text in their reason"),
    ("since_ms", "only those that died then or later"),
    ("until_ms", "only those that died before that"),
    ("limit", "letters on a page, at most page-items-max"),
    ("before", "`next_before` of the page before"),
    ("after", "only newer ones than this id"),
];
const VERSION: &[(&str, &str)] = &[("version", "`draft`, `live` or a number; default: the draft, else the live one")];

/// Every path there is.
pub(super) fn all() -> Vec<Route> {
    let mut routes = vec![
        Route::new(Method::GET, "/health", None, super::health).says("Whether the process is up", "Health"),
        get("/metrics", super::metrics_text).says("Metrics in Prometheus' text form", RAW),
        Route::new(Method::GET, "/admin/v1/openapi.json", None, openapi::show).says("This document", "Any"),
        get("/admin/v1/status", super::status).says("How everything is", "Status"),
        get("/admin/v1/dead-letters", dead_letters::list)
            .says("Events that could not be delivered, newest first", "DeadLetterPage")
            .asks(DEAD_LETTERS),
        get("/admin/v1/dead-letters/{id}", dead_letters::show).says("One of them, whole", "DeadLetterDetail"),
        post("/admin/v1/dead-letters/{id}/retry", dead_letters::retry)
            .says("Deliver it again, with another event in its place if one is sent along", "RetryOutcome")
            .takes(Sent::Optional("RetryBody")),
        post("/admin/v1/dead-letters/{id}/dry-run", dead_letters::dry_run)
            .says("What a retry would send now, secrets masked; nothing is sent", "DryRun")
            .takes(Sent::Optional("RetryBody")),
        delete("/admin/v1/dead-letters/{id}", dead_letters::discard)
            .says("Give it up; wants a reason (pintle-reason)", EMPTY),
        post("/admin/v1/dead-letters/retry", dead_letters::retry_many)
            .says("Deliver many again, oldest first", "RetriedBatch")
            .takes(Sent::Json("DeadLetterBatch")),
        post("/admin/v1/dead-letters/discard", dead_letters::discard_many)
            .says("Give many up, oldest first; wants a reason (pintle-reason)", "DiscardedBatch")
            .takes(Sent::Json("DeadLetterBatch")),
        get("/admin/v1/replays", replays::list)
            .says("Events of the past that go to one destination again, newest first", "ReplayList")
            .asks(&[("limit", "replays in the answer, at most page-items-max")]),
        get("/admin/v1/replays/{id}", replays::show).says("One of them, and how far it is", "Replay"),
        post("/admin/v1/replays", replays::start)
            .says("Send events of the past to a destination again", "Replay")
            .takes(Sent::Json("ReplayBody")),
        post("/admin/v1/replays/dry-run", replays::dry_run)
            .says("Count what a replay would take; nothing is sent", "ReplayCount")
            .takes(Sent::Json("ReplayBody")),
        post("/admin/v1/replays/{id}/cancel", replays::cancel)
            .says("Let it go no further; what it has parked becomes dead letters", "Replay"),
        get("/admin/v1/ledger", ledger::show)
            .says("What was accepted, and what became of it, per source, hour and destination", "Ledger")
            .asks(&[
                ("source", "only of this source"),
                ("destination", "only of this destination"),
                ("since_ms", "only events received in this hour or later"),
                ("until_ms", "only events received before this hour"),
                ("by", "`hour`, `source` or `destination`: sums over the others, or several with commas; default: all"),
                ("all", "`true` for sources without a connection to the destination as well"),
            ]),
        get("/admin/v1/audit", audit::list).says("What people did by hand, newest first", "ActionPage").asks(BEFORE),
        get("/admin/v1/rejected-events", keep_out::rejected)
            .says("Events that the gateway did not take, newest first", "RejectedPage")
            .asks(&[
                ("source", "only of this source"),
                ("reason", "only for this reason"),
                ("limit", "records on a page, at most page-items-max"),
                ("before", "`next` of the page before"),
            ]),
        get("/admin/v1/suppressions", keep_out::list)
            .says("Users whose events are neither stored nor delivered", "SuppressionPage")
            .asks(PAGE),
        put("/admin/v1/suppressions/{user}", keep_out::suppress)
            .says("From now on, neither store nor deliver this user's events", EMPTY),
        delete("/admin/v1/suppressions/{user}", keep_out::allow).says("Take this user's events again", EMPTY),
        get("/admin/v1/traces", traces::list).says("What is traced, and was, newest first", "TracePage").asks(BEFORE),
        post("/admin/v1/traces", traces::switch_on)
            .says("Record the steps of a user's, a connection's or a source's next events", "Trace")
            .takes(Sent::Json("TraceBody")),
        delete("/admin/v1/traces/{id}", traces::switch_off)
            .says("Trace no more of them; what was recorded stays", EMPTY),
        get("/admin/v1/events/by-message-id/{id}", traces::why)
            .says("Where an event is, what became of it, and every recorded step", "Why")
            .asks(&[
                ("source", "only of this source; default: all that there are"),
                ("since_ms", "not received before that"),
                ("until_ms", "not received after that"),
            ]),
        get("/admin/v1/events/tail", super::tail).says("Events as they are accepted, one a line", RAW),
        get("/admin/v1/catalog", catalog::show).says("Everything that is configured, without secrets", "Any"),
        get("/admin/v1/revisions", revisions::list).says("Revisions, newest first", "RevisionPage").asks(BEFORE),
        get("/admin/v1/revisions/{revision}", revisions::show)
            .says("A revision with the catalog as it was", "RevisionDetail"),
        get("/admin/v1/revisions/{revision}/diff", revisions::difference)
            .says("What differs from another revision", "Diff")
            .asks(&[("from", "the other revision; default: the one before")]),
        post("/admin/v1/revisions/{revision}/rollback", revisions::rollback)
            .says("Apply an older revision again, as a new one", "RolledBack"),
        get("/admin/v1/export", export::show).says("The catalog in file form, without secrets", "Export"),
        get("/admin/v1/artifacts/{digest}", export::bytes).says("Code or a component by its digest", RAW),
    ];
    routes.extend(simple());
    routes.extend(coded());
    routes.extend([
        get("/admin/v1/plugins", plugins::list).says("Destination plugins, bundled and uploaded", "PluginPage"),
        get("/admin/v1/plugins/{id}", plugins::show)
            .says("A plugin with the JSON Schema of its configuration", "Plugin"),
        get("/admin/v1/plugins/{id}/versions", plugins::versions).says("Its versions, newest first", "VersionPage"),
        get("/admin/v1/plugins/{id}/figures", figures::plugin)
            .says("What it has done since the server started", "Figures"),
        post("/admin/v1/plugins", plugins::upload)
            .says("Upload a component of the destination world; it is live at once", "Plugin")
            .takes(Sent::Bytes),
        post("/admin/v1/plugins/{id}/rollback", plugins::rollback)
            .says("Make an older version live again", "Plugin")
            .takes(Sent::Optional("RollbackBody")),
        delete("/admin/v1/plugins/{id}", plugins::delete).says("Delete an uploaded plugin", EMPTY),
        get("/admin/v1/tokens", tokens::list).says("Tokens, without their secrets", "TokenPage").admin(),
        post("/admin/v1/tokens", tokens::create)
            .says("Make a token; its secret is in this answer and nowhere else", "NewToken")
            .takes(Sent::Json("TokenBody"))
            .admin(),
        delete("/admin/v1/tokens/{id}", tokens::revoke).says("Revoke a token", EMPTY).admin(),
        post("/admin/v1/secrets/rotate", tokens::rotate).says("Seal everything with a new key", "Rotation").admin(),
    ]);
    routes
}

/// Kinds without code.
fn simple() -> Vec<Route> {
    macro_rules! kind {
        ($thing:ty, $path:literal, $one:literal, $view:literal, $page:literal, $body:literal) => {
            [
                get(concat!("/admin/v1/", $path), things::list::<$thing>)
                    .says(concat!("List ", $path, ", by id"), $page)
                    .asks(PAGE),
                get(concat!("/admin/v1/", $path, "/{id}"), things::show::<$thing>)
                    .says(concat!("Show a ", $one), $view),
                put(concat!("/admin/v1/", $path, "/{id}"), things::put::<$thing>)
                    .says(concat!("Make or replace a ", $one), $view)
                    .takes(Sent::Json($body)),
                delete(concat!("/admin/v1/", $path, "/{id}"), things::delete::<$thing>)
                    .says(concat!("Delete a ", $one), EMPTY),
            ]
        };
    }
    let mut routes = Vec::new();
    routes.extend(kind!(Source, "sources", "source", "Source", "SourcePage", "SourceBody"));
    routes.extend(kind!(
        Destination,
        "destinations",
        "destination",
        "Destination",
        "DestinationPage",
        "DestinationBody"
    ));
    routes.extend(kind!(Connection, "connections", "connection", "Connection", "ConnectionPage", "ConnectionBody"));
    routes.extend(kind!(Credential, "credentials", "credential", "Credential", "CredentialPage", "CredentialBody"));
    routes
}

/// Kinds with code.
fn coded() -> Vec<Route> {
    macro_rules! kind {
        ($thing:ty, $path:literal, $one:literal) => {
            [
                get(concat!("/admin/v1/", $path), things::list::<$thing>)
                    .says(concat!("List ", $path, ", by id"), "CodePage")
                    .asks(PAGE),
                get(concat!("/admin/v1/", $path, "/{id}"), things::show::<$thing>)
                    .says(concat!("Show a ", $one), "CodeThing"),
                put(concat!("/admin/v1/", $path, "/{id}"), things::put::<$thing>)
                    .says(concat!("Make a ", $one, ", or change what is said of it"), "CodeThing")
                    .takes(Sent::Json("CodeBody")),
                delete(concat!("/admin/v1/", $path, "/{id}"), things::delete::<$thing>)
                    .says(concat!("Delete a ", $one, " with all its versions"), EMPTY),
                put(concat!("/admin/v1/", $path, "/{id}/draft"), code::save::<$thing>)
                    .says("Save code as the draft, when it would run", "CodeThing")
                    .takes(Sent::Bytes)
                    .asks(&[("language", "`javascript` or `python`; default: as before, else javascript")]),
                delete(concat!("/admin/v1/", $path, "/{id}/draft"), code::discard::<$thing>)
                    .says("Forget the draft", EMPTY),
                get(concat!("/admin/v1/", $path, "/{id}/code"), code::read::<$thing>)
                    .says("The code as it was sent", RAW)
                    .asks(VERSION),
                get(concat!("/admin/v1/", $path, "/{id}/versions"), code::versions::<$thing>)
                    .says("What was published, newest first", "VersionPage"),
                post(concat!("/admin/v1/", $path, "/{id}/publish"), code::publish::<$thing>)
                    .says("Make the draft the next version, and live", "Published")
                    .takes(Sent::Optional("PublishBody")),
                post(concat!("/admin/v1/", $path, "/{id}/rollback"), code::rollback::<$thing>)
                    .says("Make an older version live again", "Published")
                    .takes(Sent::Optional("RollbackBody")),
            ]
        };
    }
    let mut routes = Vec::new();
    routes.extend(kind!(Transformation, "transformations", "transformation"));
    routes.extend(kind!(Library, "libraries", "library"));
    routes.extend([
        post("/admin/v1/transformations/{id}/test", trials::test)
            .says("Run it over these events; nothing is delivered", "Trial")
            .takes(Sent::Json("TrialBody")),
        post("/admin/v1/transformations/{id}/shadow", trials::shadow)
            .says("Compare a version with the live one over the last events of a connection", "Shadow")
            .takes(Sent::Json("ShadowBody"))
            .asks(&[("format", "`json`, `text` or `markdown`")]),
        get("/admin/v1/transformations/{id}/figures", figures::transformation)
            .says("What it has done since the server started", "Figures"),
        get("/admin/v1/transformations/{id}/logs", logs::show)
            .says("What it logged last; with `follow`, one line each as they come", "LogPage")
            .asks(&[
                ("limit", "lines, at most page-items-max"),
                ("after", "only lines after this one"),
                ("follow", "`true` to go on with what comes"),
            ]),
    ]);
    routes
}
