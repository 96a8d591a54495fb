//! Cases that stand beside a plugin (`plugins/*/cases`), through its component. Natively its own tests run them.

use super::exchange;
use super::jobs::Fate;
use crate::cases::{Group, is_beside_a_plugin};
use crate::compare::{Leeway, difference};
use crate::report::Verdict;
use pintle_plugin_sdk::cases::{self, Case, Expected, ExpectedRecord};
use pintle_runtime::destination::{Body, Context, Delivery, DestinationPlugin, Record, Request};
use serde_json::{Value, json};
use std::sync::Arc;

/// Whether the cases of a group are such.
pub fn are_in(group: &Group) -> bool {
    is_beside_a_plugin(&group.folder)
}

/// The plugin that they stand beside.
pub fn plugin_of(group: &Group) -> Option<&str> {
    group.folder.parent()?.file_name()?.to_str()
}

/// Runs a case, with the event as it is written: as a tree it would lose the order of members.
pub async fn run(plugin: &Arc<DestinationPlugin>, group: &Group, index: usize) -> Verdict {
    let read = match cases::read(&group.folder) {
        Ok(read) => read,
        Err(wrong) => return Verdict::Failed(wrong),
    };
    let file = group.path.rsplit('/').next().unwrap_or_default();
    let mut own = read.into_iter().filter(|(name, _)| name.strip_suffix(".json") == Some(file)).map(|(_, case)| case);
    let Some(case) = own.nth(index) else { return Verdict::Failed("the case is gone".to_owned()) };
    match differs(plugin, &case).await {
        None => Verdict::Passed,
        Some(difference) => Verdict::Failed(difference),
    }
}

async fn differs(plugin: &Arc<DestinationPlugin>, case: &Case) -> Option<String> {
    let config: Value = match serde_json::from_str(case.config.get()) {
        Ok(config) => config,
        Err(error) => return Some(format!("the case's configuration: {error}")),
    };
    let destination = match (plugin.configure(&config).await, &case.invalid) {
        (Ok(_), Some(_)) => return Some("the configuration is taken".to_owned()),
        (Err(_), Some(_)) => return None,
        (Err(error), None) => return Some(format!("the configuration is refused: {error}")),
        (Ok(destination), None) => destination,
    };
    let context = Context { now_ms: case.now_ms, random_seed: 0, attempt: 1 };
    // Without an event the configuration is all that it is about.
    let batch = case.batch()?.into_bytes();
    let outcomes = destination.transform(context, batch, 1).await;
    let fate = match outcomes {
        Ok(mut outcomes) => Fate::from(outcomes.remove(0)),
        Err(failure) => return Some(format!("transform: {failure}")),
    };
    match (fate, &case.filtered, &case.rejected) {
        (Fate::Filtered, Some(_), _) => None,
        (Fate::Refused(reason), _, Some(part)) if reason.contains(part.as_str()) => None,
        (Fate::Sent(sent), None, None) => {
            let found: Vec<Value> = sent.iter().map(exchange::delivered).collect();
            let expected = expected(case, &found);
            difference(&Value::Array(expected), &Value::Array(found), &Leeway::default())
        }
        (Fate::Sent(_), ..) => Some("it is sent".to_owned()),
        (Fate::Filtered, ..) => Some("it is filtered".to_owned()),
        (Fate::Refused(reason), ..) => Some(format!("it is refused: {reason}")),
    }
}

fn expected(case: &Case, found: &[Value]) -> Vec<Value> {
    let record = |record: &ExpectedRecord| {
        let body = match (&record.json, &record.body) {
            (Some(json), _) => json.to_string(),
            (None, Some(body)) => body.get().to_owned(),
            (None, None) => record.text.clone().unwrap_or_default(),
        };
        let (stream, key) = (record.stream.clone(), record.key.clone());
        exchange::delivered(&Delivery::Record(Record { stream, key, body: body.into(), headers: Vec::new() }))
    };
    if let Some(records) = &case.records {
        return records.iter().map(record).collect();
    }
    let requests = case.requests.iter().flatten().enumerate();
    requests.map(|(place, request)| shape(request, found.get(place))).collect()
}

/// In the shape of what was found; headers that the case does not name are those.
fn shape(expected: &Expected, found: Option<&Value>) -> Value {
    let body = match expected {
        Expected { json: Some(json), .. } => Body::Json(json.to_string().into()),
        Expected { body: Some(body), .. } => Body::Json(body.get().to_owned().into()),
        Expected { form: Some(pairs), .. } => Body::Form(pairs.clone()),
        Expected { text: Some(text), .. } => Body::Xml(text.clone()),
        _ => Body::None,
    };
    let request = Request {
        method: super::asked::method(&expected.method),
        url: expected.url.clone(),
        query: expected.query.clone(),
        headers: expected.headers.iter().flatten().map(|(name, value)| (name.clone(), value.clone())).collect(),
        body,
        gzip: expected.gzip,
    };
    let mut shape = exchange::found(&request);
    if let (None, Some(found)) = (&expected.headers, found) {
        shape["headers"] = found["headers"].clone();
    }
    // A text may be XML or anything else: the case does not say.
    if let Some(text) = expected.text.as_ref().filter(|_| found.is_some_and(|found| found["body"].get("raw").is_some()))
    {
        shape["body"] = json!({ "raw": text });
    }
    shape
}
