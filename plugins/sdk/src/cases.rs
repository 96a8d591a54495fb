//! Test cases as data: `cases/*.json`, each file a list of cases.
//!
//! ```json
//! [{
//!   "name": "an order becomes a sale",
//!   "config": {"token": "t"},
//!   "event": {"type": "track", "event": "Order Completed"},
//!   "requests": [{"method": "POST", "url": "https://api.example.com/sales", "json": {"kind": "sale"}}]
//! }]
//! ```
//! Instead of `requests` a case may have `filtered` or `rejected` (part of the reason), or `invalid` (for a
//! configuration that is refused: a list of pointer and part of the message). A request's body is written as
//! `json` (compared as a value), `body` (JSON, compared byte by byte as it stands in the file), `form` (pairs; a
//! value that is a JSON document is compared as one) or `text`; without any of them there must be none. For a
//! destination that gives records there is `records` instead, each with `stream`, `key`, and the body as above.
//!
//! The same cases run natively ([`assert_all`]) and through the built component (`pintle plugin test`).

mod difference;
mod manifest;

use crate::configured::Configured;
use crate::{Body, Context, Delivery, Destination, Event, Mistake, Outcome, Reject, Request};
pub use difference::{differences, values};
pub use manifest::assert_manifest;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A case's file, at most.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// One configuration and one event, and what must become of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What it shows, as a sentence.
    pub name: String,
    /// The configuration.
    pub config: Box<RawValue>,
    /// The event; absent when the configuration is what is tested.
    pub event: Option<Box<RawValue>>,
    /// What comes with the event; `{}` when absent.
    pub metadata: Option<Box<RawValue>>,
    /// The clock of the call.
    #[serde(default)]
    pub now_ms: u64,
    /// What must be sent.
    pub requests: Option<Vec<Expected>>,
    /// What must be written.
    pub records: Option<Vec<ExpectedRecord>>,
    /// It must be filtered, with this in the reason.
    pub filtered: Option<String>,
    /// It must be rejected, with this in the reason.
    pub rejected: Option<String>,
    /// The configuration must be refused: for each mistake its pointer and a part of its message.
    pub invalid: Option<Vec<(String, String)>>,
}

/// A request that must be sent.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// The method.
    pub method: String,
    /// The URL without the query parameters below.
    pub url: String,
    /// Query parameters in their order.
    #[serde(default)]
    pub query: Vec<(String, String)>,
    /// All headers, names in lower case; not compared when absent.
    pub headers: Option<BTreeMap<String, String>>,
    /// A JSON body, compared as a value.
    pub json: Option<Value>,
    /// A JSON body, compared byte by byte.
    pub body: Option<Box<RawValue>>,
    /// The pairs of a form.
    pub form: Option<Vec<(String, String)>>,
    /// Any other body.
    pub text: Option<String>,
    /// Whether the host is asked to compress.
    #[serde(default)]
    pub gzip: bool,
}

/// A record that must be written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedRecord {
    /// The stream.
    pub stream: String,
    /// The key.
    #[serde(default)]
    pub key: String,
    /// All headers; not compared when absent.
    pub headers: Option<BTreeMap<String, String>>,
    /// A JSON body, compared as a value.
    pub json: Option<Value>,
    /// A JSON body, compared byte by byte.
    pub body: Option<Box<RawValue>>,
    /// Any other body.
    pub text: Option<String>,
}

/// What a case came to.
#[derive(Clone, Debug)]
pub enum Found {
    /// The configuration was refused.
    Invalid(Vec<Mistake>),
    /// The event was handled.
    Handled(Outcome),
    /// The event was rejected.
    Rejected(String),
}

impl Case {
    /// The call's batch, with this event alone; nothing when the configuration is what is tested.
    #[must_use]
    pub fn batch(&self) -> Option<String> {
        let event = self.event.as_ref()?;
        let metadata = self.metadata.as_ref().map_or("{}", |metadata| metadata.get());
        Some(format!(r#"[{{"message":{},"metadata":{metadata}}}]"#, event.get()))
    }
}

/// The cases of a folder's `*.json`, each with its file's name, in the order of the names.
///
/// # Errors
/// When a file cannot be read or is no list of cases, in words.
pub fn read(folder: &Path) -> Result<Vec<(String, Case)>, String> {
    let listed = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut files: Vec<PathBuf> = listed.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        let wrong = |why: String| format!("{}: {why}", file.display());
        let bytes = std::fs::metadata(&file).map_err(|error| wrong(error.to_string()))?.len();
        if bytes > FILE_BYTES_MAX {
            return Err(wrong(format!("has {bytes} bytes, more than {FILE_BYTES_MAX}")));
        }
        let text = std::fs::read_to_string(&file).map_err(|error| wrong(error.to_string()))?;
        let read: Vec<Case> =
            serde_json::from_str(&text).map_err(|error| wrong(format!("is no list of cases: {error}")))?;
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        cases.extend(read.into_iter().map(|case| (name.clone(), case)));
    }
    Ok(cases)
}

/// Runs a case natively, against the destination itself.
///
/// # Errors
/// When the case itself makes no sense.
pub fn run<D: Destination>(case: &Case) -> Result<Found, String> {
    let config: Value = serde_json::from_str(case.config.get()).map_err(|error| error.to_string())?;
    let destination = match Configured::<D>::new(&config) {
        Ok(destination) => destination,
        Err(mistakes) => return Ok(Found::Invalid(mistakes.0)),
    };
    let Some(batch) = case.batch() else { return Ok(Found::Handled(Outcome::Deliver(Vec::new()))) };
    let events = Event::batch(batch.as_bytes()).map_err(|error| error.to_string())?;
    let context = Context { now_ms: case.now_ms, random_seed: 0, attempt: 1 };
    Ok(match destination.transform(&events[0], &context) {
        Ok(outcome) => Found::Handled(outcome),
        Err(Reject(reason)) => Found::Rejected(reason),
    })
}

/// Runs every case of a folder natively, and returns how many there were.
///
/// What the manifest's schema refuses is the host's business and not seen here: of a case with `invalid` only
/// the mistakes that the destination finds itself are compared.
///
/// # Panics
/// When one does not come out as its file says.
#[must_use]
pub fn assert_all<D: Destination>(folder: &Path) -> usize {
    let cases = read(folder).unwrap_or_else(|wrong| panic!("{wrong}"));
    for (file, case) in &cases {
        let found = run::<D>(case).unwrap_or_else(|wrong| panic!("{file}: {}: {wrong}", case.name));
        let different = match (&found, &case.invalid) {
            (Found::Invalid(mistakes), Some(expected)) => difference::mistakes(mistakes, expected, false),
            (_, Some(_)) => Vec::new(),
            _ => differences(case, &found),
        };
        assert!(different.is_empty(), "{file}: {}:\n{}", case.name, different.join("\n"));
    }
    cases.len()
}

/// The requests of an outcome.
fn requests(deliveries: &[Delivery]) -> Result<Vec<&Request>, String> {
    deliveries.iter().map(request).collect()
}

/// A delivery's request; a record is named as what it is.
fn request(delivery: &Delivery) -> Result<&Request, String> {
    match delivery {
        Delivery::Request(request) => Ok(request),
        Delivery::Record(record) => {
            Err(format!("it gave a record for {}, and cases know requests only", record.stream))
        }
    }
}

fn body_text(body: &Body) -> String {
    match body {
        Body::None => "none".to_owned(),
        Body::Json(bytes) | Body::Raw(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Body::Xml(text) => text.clone(),
        Body::Form(pairs) => format!("{pairs:?}"),
    }
}
