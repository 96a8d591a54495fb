//! Where code is tried for the admin API: on the component runtime, beside the deliveries and without them.

use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt, StreamExt};
use pintle_catalog::{Catalog, Code, secrets};
use pintle_control::comparison::Side;
use pintle_control::problem::{Detail, Place};
use pintle_control::views::trials::{ErrorView, KeptLine, LogLineView, ResultView, ShadowBody, ShadowView, TrialView};
use pintle_control::{Answer, Candidate, Failure, Rejected, Workshop};
use pintle_processor::journal::Line;
use pintle_processor::plugins::Stamp;
use pintle_processor::shadow::{Refused, Request};
use pintle_processor::spec::Running;
use pintle_processor::trial::{Event, Outcome, Trial};
use pintle_processor::{Given, Handle, Plugins, Unloadable};
use pintle_router::Mask;
use pintle_runtime::destination::{ConfigureError, Manifest};
use pintle_store::artifacts::Missing;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::broadcast::error::RecvError;

/// The longest message of a plugin about its configuration, in bytes.
const MESSAGE_BYTES_MAX: usize = 1_000;

/// The runtime, for those who try code.
pub struct Bench {
    processor: Handle,
    plugins: Plugins,
    manifests: Mutex<BTreeMap<String, Said>>,
}

/// What a plugin that is a file said of itself.
struct Said {
    /// What the file was like then.
    file: Option<Stamp>,
    manifest: Arc<Value>,
}

impl Bench {
    /// A bench over these.
    pub fn new(processor: Handle, plugins: Plugins) -> Bench {
        Bench { processor, plugins, manifests: Mutex::default() }
    }

    async fn bundled_manifest(&self, plugin: &str) -> Option<Arc<Value>> {
        let file = self.plugins.files().stamp(plugin);
        if let Some(said) = self.manifests.lock().unwrap_or_else(PoisonError::into_inner).get(plugin)
            && said.file == file
        {
            return Some(said.manifest.clone());
        }
        let loaded = match self.plugins.destination(plugin, None).await {
            Ok(loaded) => loaded,
            Err(error) => {
                tracing::warn!(plugin, %error, "a bundled plugin cannot be asked for its manifest");
                return None;
            }
        };
        let manifest = Arc::new(manifest(loaded.manifest()));
        let said = Said { file, manifest: manifest.clone() };
        self.manifests.lock().unwrap_or_else(PoisonError::into_inner).insert(plugin.to_owned(), said);
        Some(manifest)
    }
}

impl Workshop for Bench {
    fn check(&self, catalog: Arc<Catalog>, candidate: Candidate, bytes: Bytes) -> Answer<'_, Result<(), Rejected>> {
        async move {
            let (id, given) = (&candidate.id, given(&catalog, &candidate));
            let loads = match candidate.is_library {
                true => self.plugins.library_of(id, &candidate.code, &given, &bytes).await,
                false => self.plugins.transformation_of(id, &running(&candidate), &given, &bytes).await.map(drop),
            };
            match loads {
                Ok(()) => Ok(Ok(())),
                Err(error) => rejected(error).map(Err),
            }
        }
        .boxed()
    }

    fn describe(&self, component: Bytes) -> Answer<'_, Result<Value, Rejected>> {
        async move {
            Ok(match self.plugins.candidate(&component).await {
                Ok(plugin) => Ok(manifest(plugin.manifest())),
                Err(error) => Err(Rejected::Component(error.to_string())),
            })
        }
        .boxed()
    }

    fn bundled(&self, plugin: String) -> Answer<'_, Option<Arc<Value>>> {
        async move { Ok(self.bundled_manifest(&plugin).await) }.boxed()
    }

    fn configure(&self, plugin: String, component: Option<Code>, config: Value) -> Answer<'_, Vec<Detail>> {
        async move {
            let one = |path: &str, message: String, fix: &str| {
                vec![Detail { path: path.to_owned(), message, fix: fix.to_owned() }]
            };
            let loaded = match self.plugins.destination(&plugin, component.as_ref()).await {
                Ok(loaded) => loaded,
                Err(error) => return Ok(one("", error.to_string(), "name a plugin that can be loaded")),
            };
            let resolved = match secrets::resolve(&config) {
                Ok(resolved) => resolved,
                Err(error) => return Ok(one(&error.path, error.error.problem(), error.error.fix())),
            };
            // A plugin may quote the value that it does not like.
            let mask = Mask::of_config(&loaded.manifest().config, &resolved);
            let shown = |text: &str| mask.excerpt(text, MESSAGE_BYTES_MAX);
            Ok(match loaded.configure(&resolved).await {
                Ok(_) => Vec::new(),
                Err(ConfigureError::Invalid(errors)) => errors
                    .into_iter()
                    .map(|error| Detail {
                        path: error.path,
                        message: shown(&error.message),
                        fix: "see the schema in GET /admin/v1/plugins/…".to_owned(),
                    })
                    .collect(),
                Err(ConfigureError::Failed(failure)) => {
                    one("", shown(&failure.to_string()), "the plugin cannot check configurations now; try again")
                }
            })
        }
        .boxed()
    }

    fn trial(
        &self,
        catalog: Arc<Catalog>,
        candidate: Candidate,
        events: Vec<(Box<RawValue>, Box<RawValue>)>,
    ) -> Answer<'_, Result<TrialView, Rejected>> {
        async move {
            let events: Vec<Event> = events
                .iter()
                .zip(0..)
                .map(|((message, metadata), number)| Event::new(message.get(), metadata.get(), number))
                .collect();
            match self.processor.trial(&candidate.id, &running(&candidate), &given(&catalog, &candidate), &events).await
            {
                Ok(trial) => Ok(Ok(view(candidate.version, trial))),
                Err(error) => rejected(error).map(Err),
            }
        }
        .boxed()
    }

    fn shadow(
        &self,
        catalog: Arc<Catalog>,
        candidate: Candidate,
        asked: ShadowBody,
    ) -> Answer<'_, Result<ShadowView, Rejected>> {
        async move {
            let request = Request {
                connection: asked.connection.clone(),
                transformation: candidate.id.clone(),
                candidate: running(&candidate),
                events: asked.events,
            };
            let shadow = match self.processor.shadow(&catalog, &request).await {
                Ok(shadow) => shadow,
                Err(Refused::Store(error)) => return Err(Failure::Unavailable(error.to_string())),
                Err(Refused::Unloadable { error, .. }) => return rejected(error).map(Err),
                Err(refused @ Refused::NotAttached { .. }) => return Ok(Err(Rejected::Component(refused.to_string()))),
                Err(refused) => return Ok(Err(Rejected::NotFound(refused.to_string()))),
            };
            let live = catalog.transformations.get(&candidate.id).and_then(|thing| thing.history.live);
            let mut view = ShadowView {
                transformation: candidate.id,
                connection: asked.connection,
                live: live.unwrap_or_default().to_string(),
                candidate: candidate.version,
                live_ms: shadow.live.took.as_secs_f64() * 1000.0,
                candidate_ms: shadow.candidate.took.as_secs_f64() * 1000.0,
                ..ShadowView::default()
            };
            let mut fields = BTreeMap::new();
            let sides = shadow.live.results.iter().zip(&shadow.candidate.results);
            for (message_id, (live, candidate)) in shadow.message_ids.iter().zip(sides) {
                view.add(message_id, &side(live), &side(candidate), &mut fields);
            }
            view.finish(fields);
            Ok(Ok(view))
        }
        .boxed()
    }

    fn logs(
        &self,
        transformation: &str,
        after: Option<u64>,
        limit: usize,
    ) -> (Vec<KeptLine>, BoxStream<'static, Result<KeptLine, u64>>) {
        let book = self.processor.journal().book(transformation);
        let (lines, coming) = book.follow(usize::MAX);
        let fresh = lines.into_iter().filter(|line| after.is_none_or(|after| line.seq > after));
        let mut lines: Vec<KeptLine> = fresh.map(kept).collect();
        match after {
            // Who reads on wants the next ones; who begins wants the last ones.
            Some(_) => lines.truncate(limit),
            None => _ = lines.drain(..lines.len().saturating_sub(limit)),
        }
        let coming = stream::unfold(coming, |mut coming| async move {
            match coming.recv().await {
                Ok(line) => Some((Ok(kept(line)), coming)),
                Err(RecvError::Lagged(missed)) => Some((Err(missed), coming)),
                Err(RecvError::Closed) => None,
            }
        });
        (lines, coming.boxed())
    }
}

fn kept(line: Line) -> KeptLine {
    KeptLine {
        seq: line.seq,
        at_ms: line.at_ms,
        version: line.version.to_string(),
        level: line.level.to_string(),
        message: line.message.to_string(),
    }
}

fn given(catalog: &Catalog, candidate: &Candidate) -> Given {
    if candidate.version == "draft" { Given::with_drafts(catalog) } else { Given::of(catalog) }
}

fn running(candidate: &Candidate) -> Running {
    Running { name: candidate.name.clone(), code: candidate.code.clone(), hosts: candidate.hosts.clone() }
}

/// What the author can mend, apart from what is ours.
fn rejected(error: Unloadable) -> Result<Rejected, Failure> {
    Ok(match error {
        Unloadable::Script(error) => Rejected::Script(Place {
            file: error.module.clone(),
            message: error.message.clone(),
            line: error.line,
            column: error.column,
            excerpt: error.excerpt.clone(),
            stack: error.stack.clone(),
        }),
        Unloadable::Missing(Missing::Store(error)) => return Err(Failure::Unavailable(error.to_string())),
        error => Rejected::Component(error.to_string()),
    })
}

/// As the plugin wrote it, and with a schema also when it wrote none.
fn manifest(manifest: &Manifest) -> Value {
    let mut document = manifest.document.clone();
    document["config"] = manifest.config.clone();
    document
}

fn view(version: String, trial: Trial) -> TrialView {
    let results = trial.results.into_iter().enumerate().map(|(index, outcome)| ResultView {
        index,
        dropped: outcome.outputs.is_empty() && outcome.errors.is_empty(),
        error: first_error(&outcome),
        outputs: outcome.outputs,
    });
    TrialView {
        version,
        results: results.collect(),
        logs: trial.logs.into_iter().map(|line| LogLineView { level: line.level, message: line.message }).collect(),
        took_ms: trial.took.as_secs_f64() * 1000.0,
        memory_bytes: trial.memory_bytes.map(|bytes| bytes as u64),
    }
}

fn side(outcome: &Outcome) -> Side {
    let outputs = outcome.outputs.iter().map(|output| serde_json::from_str(output.get()).unwrap_or_default());
    Side { outputs: outputs.collect(), error: first_error(outcome) }
}

fn first_error(outcome: &Outcome) -> Option<ErrorView> {
    let (message, stack) = outcome.errors.first()?;
    let place = stack.as_deref().and_then(place);
    Some(ErrorView {
        message: message.clone(),
        stack: stack.clone(),
        line: place.map(|(line, _)| line),
        column: place.and_then(|(_, column)| column),
    })
}

/// Line and column of the first frame: `    at name (file:3:5)`, `at 3:5` or `file:3:5`.
fn place(stack: &str) -> Option<(u32, Option<u32>)> {
    stack.lines().find_map(|frame| {
        let frame = frame.trim().trim_end_matches(')');
        let mut parts = frame.rsplit([':', ' ', '(']);
        let (last, before) = (parts.next()?, parts.next()?);
        let column: u32 = last.parse().ok()?;
        Some(match before.parse() {
            Ok(line) => (line, Some(column)),
            Err(_) => (column, None),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_an_error_is_that_of_its_first_frame() {
        assert_eq!(place("    at transformEvent (tidy:3:5)\n    at x (tidy:9:1)"), Some((3, Some(5))));
        assert_eq!(place("at 3:5"), Some((3, Some(5))));
        assert_eq!(place("Error\n    at tidy.js:12:1"), Some((12, Some(1))));
        assert_eq!(place("    at transformEvent (tidy:7)"), Some((7, None)));
        assert_eq!(place("no frames"), None);
    }
}
