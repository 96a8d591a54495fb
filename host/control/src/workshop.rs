//! Where code is tried: what the API needs from those who can run it.

use crate::plant::Answer;
use crate::problem::{Code, Detail, Place, Problem};
use crate::views::trials::{KeptLine, ShadowBody, ShadowView, TrialView};
use bytes::Bytes;
use futures_util::stream::BoxStream;
use pintle_catalog::Catalog;
use serde_json::Value;
use serde_json::value::RawValue;
use std::sync::Arc;

/// Loads, runs and compares code. The server implements it over the component runtime.
pub trait Workshop: Send + Sync + 'static {
    /// Whether this code would run, with what the catalog gives to it.
    fn check(&self, catalog: Arc<Catalog>, candidate: Candidate, bytes: Bytes) -> Answer<'_, Result<(), Rejected>>;

    /// What a destination component says of itself: name, version, event types, schema.
    fn describe(&self, component: Bytes) -> Answer<'_, Result<Value, Rejected>>;

    /// What a plugin that comes with Pintle says of itself; none when there is no such one.
    fn bundled(&self, plugin: String) -> Answer<'_, Option<Arc<Value>>>;

    /// Whether a plugin takes a configuration; what it says against it. `component` is one that is not in
    /// the catalog (yet).
    fn configure(
        &self,
        plugin: String,
        component: Option<pintle_catalog::Code>,
        config: Value,
    ) -> Answer<'_, Vec<Detail>>;

    /// Runs stored code over events.
    fn trial(
        &self,
        catalog: Arc<Catalog>,
        candidate: Candidate,
        events: Vec<(Box<RawValue>, Box<RawValue>)>,
    ) -> Answer<'_, Result<TrialView, Rejected>>;

    /// Runs stored code beside the live version.
    fn shadow(
        &self,
        catalog: Arc<Catalog>,
        candidate: Candidate,
        request: ShadowBody,
    ) -> Answer<'_, Result<ShadowView, Rejected>>;

    /// The last lines that a transformation logged, or the first after this one, and all from then on. An
    /// error says how many lines were missed by reading too slowly.
    fn logs(
        &self,
        transformation: &str,
        after: Option<u64>,
        limit: usize,
    ) -> (Vec<KeptLine>, BoxStream<'static, Result<KeptLine, u64>>);
}

/// Code that is to be tried.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The id of the transformation or library.
    pub id: String,
    /// Its name: the file in stack traces.
    pub name: String,
    /// `draft`, or a version's number.
    pub version: String,
    /// The code.
    pub code: pintle_catalog::Code,
    /// The hosts that it may fetch from.
    pub hosts: Vec<String>,
    /// Whether it is a library: it need not have a handler.
    pub is_library: bool,
}

/// Why code or a component is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejected {
    /// A script that does not load.
    Script(Place),
    /// A component that does not fit, or another mistake of the sender, in words.
    Component(String),
    /// There is no such thing to run it with or on.
    NotFound(String),
}

impl From<Rejected> for Problem {
    fn from(rejected: Rejected) -> Problem {
        match rejected {
            Rejected::Script(place) => {
                let at = match place.line {
                    0 => place.file.clone(),
                    line => format!("{}:{line}:{}", place.file, place.column),
                };
                let mut problem = Problem::new(Code::Invalid, format!("{at}: {}", place.message));
                problem.script = Some(Box::new(place));
                problem
            }
            Rejected::Component(why) => Problem::new(Code::Invalid, why),
            Rejected::NotFound(what) => Problem::new(Code::NotFound, what),
        }
    }
}
