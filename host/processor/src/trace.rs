//! What the processor writes down of events that somebody follows: which code was called with what, and what it made
//! of it.

use crate::batch;
use crate::given::Given;
use crate::spec::Running;
use bytes::Bytes;
use pintle_events::Position;
use pintle_router::Scribe;
use pintle_router::trace::{Subject, not_again};
use pintle_runtime::transformation::{Context, Handler, Reply, Transformation};
use pintle_runtime::{CallFailure, record};
use pintle_store::traces::Kind;
use serde_json::{Value, json};
use std::ops::Range;

/// Which code a transformation is, in full: what it takes to run the same again.
#[must_use]
pub(crate) fn code(id: &str, running: &Running, given: &Given, transformation: &Transformation) -> Value {
    let language = running.code.language;
    let is_script = transformation.loaded_at_ms().is_some();
    let libraries = given.libraries.iter().filter(|(_, code)| is_script && code.language == language);
    let libraries = libraries.map(|(name, code)| (name.clone(), code.digest.clone().into()));
    json!({
        "transformation": id,
        "name": running.name,
        "version": running.version(),
        "digest": running.code.digest,
        "form": running.code.form,
        "language": language,
        // A component runs by itself, a script on an engine.
        "component": transformation.component_digest(),
        "loaded_at_ms": transformation.loaded_at_ms(),
        "libraries": libraries.collect::<serde_json::Map<String, Value>>(),
        "hosts": running.hosts,
    })
}

/// An event on its way through a chain.
pub(crate) struct Flow<'a> {
    pub(crate) subject: Subject<'a>,
    pub(crate) members: &'a Bytes,
    pub(crate) position: Position,
    /// Its number among those that came of the same event.
    pub(crate) ordinal: usize,
}

/// One call of a transformation, of which some events are followed.
pub(crate) struct Call<'a> {
    scribe: &'a Scribe,
    /// The places of those in the call.
    places: Vec<usize>,
    /// The whole batch, where the code got all of it at once.
    batch: Option<Vec<u8>>,
}

impl<'a> Call<'a> {
    /// Nothing when none of the events is followed, which is nearly always.
    pub(crate) fn of<'e>(
        scribe: Option<&'a Scribe>,
        transformation: &Transformation,
        encoded: &[u8],
        range: &Range<usize>,
        event: impl Fn(usize) -> Flow<'e>,
    ) -> Option<Call<'a>> {
        let scribe = scribe.filter(|scribe| scribe.is_active())?;
        let places = range.clone().filter(|at| scribe.follows(&event(*at).subject)).map(|at| at - range.start);
        let places: Vec<usize> = places.collect();
        if places.is_empty() {
            return None;
        }
        let batch = (transformation.handler() == Handler::Batch).then(|| encoded.to_vec());
        Some(Call { scribe, places, batch })
    }

    /// Writes what came of it.
    pub(crate) fn record<'e>(
        &self,
        code: &Value,
        context: &Context,
        range: &Range<usize>,
        event: impl Fn(usize) -> Flow<'e>,
        result: &Result<Reply, CallFailure>,
    ) {
        for place in &self.places {
            let flow = event(range.start + place);
            let own = || batch::encode(std::iter::once((flow.members, flow.position, flow.ordinal)));
            let alone = self.scribe.written(&own());
            let whole = self.batch.as_ref().map(|batch| self.scribe.written_batch(batch));
            let output = match result {
                Ok(reply) => record::reply(reply, *place),
                Err(failure) => record::failure(failure),
            };
            let output = self.scribe.written(output.as_bytes());
            let logs = result.as_ref().map(|reply| reply.logs.as_slice()).unwrap_or_default();
            let logs = logs
                .iter()
                .map(|line| json!({"level": line.level, "message": self.scribe.written(line.message.as_bytes()).text}));
            let mut body = code.clone();
            let may_fetch = code["hosts"].as_array().is_some_and(|hosts| !hosts.is_empty());
            let fetches = "it may fetch, and what it was answered is not recorded";
            let again = not_again(whole.as_ref().unwrap_or(&alone), &output).or(may_fetch.then_some(fetches));
            body["rerun"] = again.into();
            body["revision"] = self.scribe.revision().into();
            body["now_ms"] = context.now_ms.into();
            body["seed"] = context.random_seed.to_string().into();
            body["events"] = range.len().into();
            body["logs"] = logs.collect();
            body["output"] = output.text.into();
            // One that was too much to be recorded is of no use: the event itself says more.
            match whole.filter(|whole| !whole.cut) {
                Some(whole) => {
                    body["place"] = (*place).into();
                    body["input"] = whole.text.into();
                }
                None => {
                    body["place"] = 0.into();
                    body["input"] = alone.text.into();
                }
            }
            self.scribe.record(&flow.subject, Kind::Transformation, body);
        }
    }
}
