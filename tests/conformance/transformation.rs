//! User transformations: source and events in, events or errors out.

mod case;
mod outcome;

use crate::cases::Group;
use crate::compare::{Leeway, difference, short};
use crate::replay::{Replay, Switch};
use crate::report::Verdict;
use anyhow::Context as _;
use case::{Case, Code, Subject};
use outcome::{Expected, Found};
use pintle_runtime::build::{Error as BuildError, Toolchain};
use pintle_runtime::transformation::{Context, Language, ScriptEngine, Transformation};
use pintle_runtime::{Config, Runtime};
use pintle_tests::folder::project_dir;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What runs a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The engine that Pintle ships.
    Engine,
    /// A stand-alone component of its own.
    Component,
}

/// The engines, and the network that they see.
pub struct Scripts {
    runtime: Runtime,
    engine: Arc<ScriptEngine>,
    net_engine: Arc<ScriptEngine>,
    network: Arc<Switch>,
    config: Config,
    form: Form,
    toolchain: Toolchain,
    components: PathBuf,
}

/// When a batch runs: the clock of a case without one.
const NOW_MS: u64 = 1_786_010_400_000;
/// When it runs again, to see what depends on the time.
const LATER_MS: u64 = NOW_MS + 86_461_001;

impl Scripts {
    /// Loads the engines from the folder of built components.
    pub async fn start(config: Config, plugins: &Path, form: Form) -> anyhow::Result<Scripts> {
        let network = Arc::new(Switch::default());
        let runtime = Runtime::with_network(config.clone(), network.clone())?;
        let load = async |name: &str| {
            let file = plugins.join(name);
            let bytes =
                std::fs::read(&file).with_context(|| format!("{}: run scripts/build-plugins", file.display()))?;
            anyhow::Ok(runtime.script_engine(&bytes).await?)
        };
        let engine = load("javascript-engine.wasm").await?;
        let net_engine = load("javascript-net-engine.wasm").await?;
        let toolchain = Toolchain::in_clone(&project_dir(), Language::JavaScript, "node");
        let components = crate::target_dir().join("conformance-components");
        Ok(Scripts { engine, net_engine, runtime, network, config, form, toolchain, components })
    }

    /// Runs a case.
    pub async fn run(&self, group: &Group, index: usize) -> Verdict {
        let case = match Case::read(group, index) {
            Ok(case) => case,
            Err(reason) => return Verdict::LeftOut(reason),
        };
        match &case.subject {
            Subject::Address(address) => self.address(address, &case.expected).await,
            Subject::Load(code) => match self.load(code).await {
                Ok(_) => Verdict::Passed,
                Err(NotLoaded::Refused { message, .. }) => Verdict::Failed(message),
                Err(NotLoaded::LeftOut(reason)) => Verdict::LeftOut(reason),
            },
            Subject::Batch(code) => self.batch(&case, code).await,
        }
    }

    async fn batch(&self, case: &Case, code: &Code) -> Verdict {
        let found = match self.attempt(case, code, NOW_MS).await {
            Ok(found) => found,
            Err(reason) => return Verdict::LeftOut(reason),
        };
        let mut leeway = Leeway { again: None, words: &case.words };
        let Some(first) = judge(case, &found, &leeway) else { return Verdict::Passed };
        let again = self.attempt(case, code, LATER_MS).await.unwrap_or_default();
        leeway.again = Some(&again.outputs);
        match judge(case, &found, &leeway) {
            None => Verdict::Passed,
            Some(_) if case.asks_places => {
                Verdict::LeftOut("it asks a service for places, whose answer was not recorded".to_owned())
            }
            Some(_) => Verdict::Failed(first),
        }
    }

    /// One run over all events.
    async fn attempt(&self, case: &Case, code: &Code, now_ms: u64) -> Result<Found, String> {
        let replay = Arc::new(Replay::new(&case.fetches));
        self.network.set(&replay, &case.allowed);
        let transformation = match self.load(code).await {
            Ok(transformation) => transformation,
            Err(NotLoaded::Refused { message, place }) => return Ok(Found::refused(message, place)),
            Err(NotLoaded::LeftOut(reason)) => return Err(reason),
        };
        let context = Context {
            now_ms,
            random_seed: now_ms,
            transformation_id: "conformance".to_owned(),
            version_id: code.version.clone(),
        };
        let reply = transformation.transform(&context, case.batch.clone(), case.events).await;
        let mut found = match reply {
            Ok(reply) => Found::of(&reply, case.events),
            Err(failure) => Found::refused(failure.to_string(), None),
        };
        found.handler = Some(transformation.handler());
        found.protests = replay.protests();
        Ok(found)
    }

    async fn load(&self, code: &Code) -> Result<Arc<Transformation>, NotLoaded> {
        let source = code.source();
        let refused = |error: pintle_runtime::transformation::ScriptError| NotLoaded::Refused {
            message: error.to_string(),
            place: Some((error.line, error.column, error.excerpt.clone())),
        };
        if self.form == Form::Engine {
            let engine = if code.network { &self.net_engine } else { &self.engine };
            return engine.load(source).await.map_err(refused);
        }
        let built = self.toolchain.build(&source, &self.config, Some(&self.components)).await;
        let bytes = built.map_err(|error| match error {
            BuildError::Granted(what) => NotLoaded::LeftOut(format!("a component cannot be given {what}")),
            BuildError::Script(error) => refused(error),
            error => NotLoaded::Refused { message: error.to_string(), place: None },
        })?;
        let loaded = self.runtime.transformation_component(&bytes, &source.hosts).await;
        loaded.map_err(|error| NotLoaded::Refused { message: error.to_string(), place: None })
    }

    /// Whether `geolocation` takes an address for one.
    async fn address(&self, address: &serde_json::Value, expected: &Expected) -> Verdict {
        let code = "export async function transformEvent({ ip }) {
            try { await geolocation(ip); } catch (error) { return { message: error.message }; }
        }";
        let case = Case::of_one(&serde_json::json!({ "ip": address }));
        let found = match self.attempt(&case, &Code::plain(code), NOW_MS).await {
            Ok(found) => found,
            Err(reason) => return Verdict::LeftOut(reason),
        };
        let said = found.outputs[0]["message"].as_str().unwrap_or_default();
        let refused = ["ip address is required", "invalid ip address"].contains(&said);
        match expected {
            Expected::Refused(_) if refused => Verdict::Passed,
            Expected::Events { .. } if !refused => Verdict::Passed,
            _ => Verdict::Failed(format!("it said {said:?}")),
        }
    }
}

enum NotLoaded {
    Refused { message: String, place: Option<(u32, u32, String)> },
    LeftOut(String),
}

/// The difference between what was recorded and what was found.
fn judge(case: &Case, found: &Found, leeway: &Leeway<'_>) -> Option<String> {
    if let Some(protest) = found.protests.first() {
        return Some(protest.clone());
    }
    match &case.expected {
        Expected::Refused(place) => {
            if !found.outputs.as_array().is_some_and(Vec::is_empty) || found.errors.is_empty() {
                return Some(format!("not refused: {}", short(&found.outputs)));
            }
            let wrong = place.as_ref().filter(|place| found.place.as_ref() != Some(*place));
            wrong.map(|place| format!("refused at {:?} instead of {place:?}: {}", found.place, found.errors[0]))
        }
        Expected::Events { outputs, errors, logs } => {
            if let Some(difference) = difference(outputs, &found.outputs, leeway) {
                let first = found.errors.first().map(|error| format!(" ({error})")).unwrap_or_default();
                return Some(format!("{difference}{first}"));
            }
            // A batch that fails as a whole is one error there and one per event here.
            let same = match found.handler {
                Some(pintle_runtime::transformation::Handler::PerEvent) => *errors == found.errors.len(),
                _ => (*errors > 0) != found.errors.is_empty(),
            };
            if !same {
                return Some(format!("{} errors instead of {errors}: {:?}", found.errors.len(), found.errors));
            }
            let logs = logs.as_ref().filter(|logs| **logs != found.logs);
            logs.map(|logs| format!("logged {:?} instead of {logs:?}", found.logs))
        }
    }
}
