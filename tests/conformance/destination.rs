//! Destinations: events and a configuration in, requests out; an answer in, a verdict out.
//!
//! ```text
//!  processor ── jobs ────────────────────────────────┐
//!  router ───── jobs ── parcels (combine) ───────────┼─ exchange: both in one shape ── difference
//!  dataDelivery ── answer ── judgement (conclude) ───┴─ classes of statuses
//! ```

mod answer;
mod asked;
mod delivery;
mod exchange;
mod itself;
mod jobs;
mod neighbours;
mod outputs;
mod parcels;
mod plugins_own;
mod processor;
mod router;

use crate::cases::Group;
use crate::report::Verdict;
use anyhow::Context as _;
use neighbours::Neighbours;
use pintle_runtime::destination::DestinationPlugin;
use pintle_runtime::{Config, Runtime};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Mutex;

/// Names of recorded destinations whose plugins are called otherwise. Elsewhere only dashes take the place of
/// underscores.
const NAMES: [(&str, &str); 6] = [
    ("am", "amplitude"),
    ("mp", "mixpanel"),
    ("ga4", "google-analytics-4"),
    ("hs", "hubspot"),
    ("salesforce_oauth", "salesforce"),
    ("salesforce_oauth_sandbox", "salesforce"),
];

/// The clock of a case that has none: 2026-08-06T10:00:00Z.
const NOW_MS: u64 = 1_786_010_400_000;

/// The destination components that are there.
pub struct Plugins {
    runtime: Runtime,
    folder: PathBuf,
    loaded: Mutex<BTreeMap<String, Option<Arc<DestinationPlugin>>>>,
    neighbours: Mutex<BTreeMap<PathBuf, Arc<Neighbours>>>,
}

impl Plugins {
    /// The components of a folder.
    pub fn new(config: Config, folder: &Path) -> anyhow::Result<Plugins> {
        let runtime = Runtime::new(config).context("the runtime does not start")?;
        Ok(Plugins { runtime, folder: folder.to_owned(), loaded: Mutex::default(), neighbours: Mutex::default() })
    }

    /// Whether the cases of a group are for a destination.
    pub fn takes(group: &Group, case: &Value) -> bool {
        plugins_own::are_in(group) || (case["feature"].is_string() && case["module"] == "destination")
    }

    /// Runs a case.
    pub async fn run(&self, group: &Group, index: usize) -> Verdict {
        let case = &group.cases[index];
        let of_folder = || group.folder.file_name().and_then(|name| name.to_str());
        let recorded = case["name"].as_str().or_else(of_folder).unwrap_or_default();
        let ours = NAMES.iter().find(|(theirs, _)| *theirs == recorded).map(|(_, ours)| (*ours).to_owned());
        let beside = plugins_own::plugin_of(group).filter(|_| plugins_own::are_in(group)).map(str::to_owned);
        let name = beside.or(ours).unwrap_or_else(|| recorded.replace('_', "-"));
        let plugin = match self.plugin(&name).await {
            Ok(Some(plugin)) => plugin,
            Ok(None) => return Verdict::LeftOut(format!("there is no plugin `{name}`")),
            Err(error) => return Verdict::Failed(error),
        };
        if plugins_own::are_in(group) {
            return plugins_own::run(&plugin, group, index).await;
        }
        let case = without_volatile(case);
        match case["feature"].as_str() {
            Some("processor") => looked_up(&case, processor::run(&plugin, &case).await),
            Some("router") => looked_up(&case, router::run(&plugin, &case).await),
            Some("dataDelivery") => match self.neighbours(&group.folder).await {
                Ok(neighbours) => delivery::run(&plugin, &case, &neighbours).await,
                Err(error) => Verdict::Failed(format!("{error:#}")),
            },
            feature => Verdict::LeftOut(format!("cases of the kind {} are not run", feature.unwrap_or("none"))),
        }
    }

    async fn plugin(&self, name: &str) -> Result<Option<Arc<DestinationPlugin>>, String> {
        let mut loaded = self.loaded.lock().await;
        if let Some(known) = loaded.get(name) {
            return Ok(known.clone());
        }
        let plugin = match std::fs::read(self.folder.join(format!("{name}.wasm"))) {
            Ok(bytes) => Some(self.runtime.destination(&bytes).await.map_err(|error| error.to_string())?),
            Err(_) => None,
        };
        loaded.insert(name.to_owned(), plugin.clone());
        Ok(plugin)
    }

    async fn neighbours(&self, folder: &Path) -> anyhow::Result<Arc<Neighbours>> {
        let mut read = self.neighbours.lock().await;
        if let Some(known) = read.get(folder) {
            return Ok(known.clone());
        }
        let neighbours = Arc::new(Neighbours::read(folder)?);
        read.insert(folder.to_owned(), neighbours.clone());
        Ok(neighbours)
    }
}

/// What the recorder's transform asked a service for cannot be known here: only a case that needs none of it
/// can come out the same.
fn looked_up(case: &Value, verdict: Verdict) -> Verdict {
    let asked = case["networkCalls"].as_array().is_some_and(|calls| !calls.is_empty());
    match verdict {
        Verdict::Failed(difference) if asked => Verdict::LeftOut(format!("needs a look-up ({difference})")),
        verdict => verdict,
    }
}

/// The case, with anything at all expected in the places that were not the same twice.
fn without_volatile(case: &Value) -> Value {
    let mut case = case.clone();
    let paths: Vec<String> =
        case["volatile"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    for path in paths.iter().filter(|path| path.starts_with("output/")) {
        if let Some(value) = case.pointer_mut(&format!("/{path}")) {
            *value = serde_json::json!({"$asymmetric": "anything"});
        }
    }
    case
}

fn now_ms(case: &Value) -> u64 {
    let format = &time::format_description::well_known::Rfc3339;
    let now = case["clock"]["now"].as_str().and_then(|text| time::OffsetDateTime::parse(text, format).ok());
    now.and_then(|now| u64::try_from(now.unix_timestamp_nanos() / 1_000_000).ok()).unwrap_or(NOW_MS)
}

/// What a recorded output says about its event.
fn status(output: &Value) -> u64 {
    output["statusCode"].as_u64().or(output["output"]["statusCode"].as_u64()).unwrap_or(200)
}
