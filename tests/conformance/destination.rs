//! Destinations: an event and a configuration in, requests out.

mod request;

use crate::compare::{Leeway, difference};
use crate::report::Verdict;
use anyhow::Context as _;
use pintle_runtime::destination::{Context, Delivery, DestinationPlugin, Outcome};
use pintle_runtime::{Config, Runtime};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Mutex;

/// Names of recorded destinations whose plugins are called otherwise.
const NAMES: [(&str, &str); 4] =
    [("am", "amplitude"), ("mp", "mixpanel"), ("ga4", "google-analytics-4"), ("hs", "hubspot")];

/// The destination components that are there.
pub struct Plugins {
    runtime: Runtime,
    folder: PathBuf,
    loaded: Mutex<BTreeMap<String, Option<Arc<DestinationPlugin>>>>,
}

impl Plugins {
    /// The components of a folder.
    pub fn new(config: Config, folder: &Path) -> anyhow::Result<Plugins> {
        let runtime = Runtime::new(config).context("the runtime does not start")?;
        Ok(Plugins { runtime, folder: folder.to_owned(), loaded: Mutex::default() })
    }

    /// Runs a case.
    pub async fn run(&self, case: &Value) -> Verdict {
        let recorded = case["name"].as_str().unwrap_or_default();
        let name = NAMES.iter().find(|(theirs, _)| *theirs == recorded).map_or(recorded, |(_, ours)| ours);
        let plugin = match self.plugin(name).await {
            Ok(Some(plugin)) => plugin,
            Ok(None) => return Verdict::LeftOut(format!("there is no plugin `{name}`")),
            Err(error) => return Verdict::Failed(error),
        };
        let body = &case["input"]["request"]["body"];
        let answered = &case["output"]["response"]["body"];
        let now_ms = now_ms(case);
        match case["feature"].as_str() {
            Some("processor") => processor(&plugin, body, answered, now_ms).await,
            Some("router") => router(&plugin, &body["input"], &answered["output"], now_ms).await,
            feature => Verdict::LeftOut(format!("cases of the kind {} are not run yet", feature.unwrap_or("none"))),
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
}

fn now_ms(case: &Value) -> u64 {
    let format = &time::format_description::well_known::Rfc3339;
    let now = case["clock"]["now"].as_str().and_then(|text| time::OffsetDateTime::parse(text, format).ok());
    now.and_then(|now| u64::try_from(now.unix_timestamp_nanos() / 1_000_000).ok()).unwrap_or_default()
}

/// What became of one event: the requests, or why there are none.
enum Fate {
    Sent(Vec<Value>),
    Filtered,
    Refused(String),
}

async fn fate(plugin: &Arc<DestinationPlugin>, input: &Value, now_ms: u64) -> Fate {
    let destination = match plugin.configure(&input["destination"]["Config"]).await {
        Ok(destination) => destination,
        Err(error) => return Fate::Refused(error.to_string()),
    };
    let metadata = if input["metadata"].is_object() { input["metadata"].clone() } else { json!({}) };
    let batch = json!([{"message": input["message"], "metadata": metadata}]).to_string();
    let context = Context { now_ms, random_seed: 1, attempt: 1 };
    match destination.transform(context, batch.into_bytes(), 1).await.map(|mut outcomes| outcomes.pop()) {
        Ok(Some(Outcome::Deliver(deliveries))) => Fate::Sent(
            deliveries
                .iter()
                .map(|delivery| match delivery {
                    Delivery::Request(request) => request::found(request),
                    Delivery::Record(record) => json!({"stream": record.stream, "key": record.key}),
                })
                .collect(),
        ),
        Ok(Some(Outcome::Filter(_))) => Fate::Filtered,
        Ok(Some(Outcome::Reject(reason))) => Fate::Refused(reason),
        Ok(None) => Fate::Refused("no outcome".to_owned()),
        Err(failure) => Fate::Refused(failure.to_string()),
    }
}

/// One event, N outputs.
async fn processor(plugin: &Arc<DestinationPlugin>, body: &Value, answered: &Value, now_ms: u64) -> Verdict {
    let mut found = Vec::new();
    for input in body.as_array().into_iter().flatten() {
        found.push(fate(plugin, input, now_ms).await);
    }
    let items = answered.as_array().cloned().unwrap_or_default();
    let expected = items.iter().map(|item| (status(item), item.get("output").map(request::recorded))).collect();
    judge(expected, found)
}

/// Several events; each is in one output, alone or with others.
async fn router(plugin: &Arc<DestinationPlugin>, inputs: &Value, outputs: &Value, now_ms: u64) -> Verdict {
    let mut found = Vec::new();
    let mut expected = Vec::new();
    for input in inputs.as_array().into_iter().flatten() {
        let job = &input["metadata"]["jobId"];
        let carries = |output: &&Value| {
            output["metadata"].as_array().is_some_and(|jobs| jobs.iter().any(|metadata| metadata["jobId"] == *job))
        };
        let Some(output) = outputs.as_array().into_iter().flatten().find(carries) else {
            return Verdict::LeftOut(format!("nothing was recorded for job {job}"));
        };
        if output["metadata"].as_array().is_some_and(|jobs| jobs.len() > 1) {
            return Verdict::LeftOut("bulk requests are not compared yet".to_owned());
        }
        let requests = match &output["batchedRequest"] {
            Value::Array(requests) => requests.clone(),
            request => vec![request.clone()],
        };
        let refused = status(output) != 200;
        expected
            .extend(requests.iter().map(|request| (status(output), (!refused).then(|| request::recorded(request)))));
        found.push(fate(plugin, input, now_ms).await);
    }
    judge(expected, found)
}

fn status(item: &Value) -> u64 {
    item["statusCode"].as_u64().or(item["output"]["statusCode"].as_u64()).unwrap_or(200)
}

fn judge(expected: Vec<(u64, Option<Value>)>, found: Vec<Fate>) -> Verdict {
    let mut requests = Vec::new();
    let (mut filtered, mut refused) = (0, Vec::new());
    for fate in found {
        match fate {
            Fate::Sent(sent) => requests.extend(sent),
            Fate::Filtered => filtered += 1,
            Fate::Refused(reason) => refused.push(reason),
        }
    }
    let count = |wanted: fn(u64) -> bool| expected.iter().filter(|(status, _)| wanted(*status)).count();
    let wanted: Vec<Value> =
        expected.iter().filter(|(status, _)| *status == 200).filter_map(|(_, request)| request.clone()).collect();
    let (to_filter, to_refuse) = (count(|status| status == 298), count(|status| status >= 400));
    if (filtered, refused.len()) != (to_filter, to_refuse) {
        return Verdict::Failed(format!(
            "{filtered} filtered and {} refused instead of {to_filter} and {to_refuse}: {refused:?}",
            refused.len()
        ));
    }
    match difference(&Value::Array(wanted), &Value::Array(requests), &Leeway::default()) {
        None => Verdict::Passed,
        Some(difference) => Verdict::Failed(difference),
    }
}
