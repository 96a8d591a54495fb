//! The glue between [`Destination`] and the `destination-plugin` world. Used by [`crate::destination!`] alone.

use crate::configured::Configured;
use crate::{Context, Destination, Event, Mistakes, Reject, outcome};
use serde_json::Value;

wit_bindgen::generate!({ world: "destination-plugin", path: "wit", pub_export_macro: true });

pub use exports::pintle::plugin::destination as bindings;

/// Reads the configuration.
pub fn configure<D: Destination>(config: &str) -> Result<Configured<D>, Vec<bindings::ConfigError>> {
    let parsed: Result<Value, Mistakes> = serde_json::from_str(config).map_err(|error| {
        let mut mistakes = Mistakes::default();
        mistakes.add("", format!("the configuration is not JSON: {error}"));
        mistakes
    });
    parsed.and_then(|config| Configured::new(&config)).map_err(|Mistakes(mistakes)| {
        let each = mistakes.into_iter();
        each.map(|mistake| bindings::ConfigError { path: mistake.path, message: mistake.message }).collect()
    })
}

/// One outcome per event of the batch.
pub fn transform<D: Destination>(
    configured: Option<&Configured<D>>,
    ctx: bindings::BatchContext,
    batch: &[u8],
) -> Vec<bindings::Outcome> {
    let destination = expected(configured);
    let context = Context { now_ms: ctx.now_ms, random_seed: ctx.random_seed, attempt: ctx.attempt };
    let events = Event::batch(batch).expect("the host hands in a JSON array of events");
    events.iter().map(|event| outcome(destination.transform(event, &context))).collect()
}

/// Bulk requests of prepared ones.
pub fn combine<D: Destination>(
    configured: Option<&Configured<D>>,
    requests: Vec<bindings::Request>,
) -> Vec<bindings::Combined> {
    let combined = expected(configured).combine(requests.into_iter().map(Into::into).collect());
    let each = combined.into_iter();
    each.map(|combined| bindings::Combined { request: combined.request.into(), members: combined.members }).collect()
}

/// Verdicts on an answer.
pub fn conclude<D: Destination>(
    configured: Option<&Configured<D>>,
    request: bindings::Request,
    response: bindings::Response,
) -> Vec<bindings::Verdict> {
    let bindings::Response { status, headers, body } = response;
    let verdicts = expected(configured).conclude(&request.into(), &outcome::Response { status, headers, body });
    verdicts.into_iter().map(Into::into).collect()
}

/// The request that gets a token.
pub fn authenticate<D: Destination>(configured: Option<&Configured<D>>) -> Option<bindings::Request> {
    expected(configured).authenticate().map(Into::into)
}

fn expected<D>(configured: Option<&Configured<D>>) -> &Configured<D> {
    configured.expect("the host calls configure before anything else")
}

fn outcome(outcome: Result<outcome::Outcome, Reject>) -> bindings::Outcome {
    match outcome {
        Ok(outcome::Outcome::Deliver(deliveries)) => {
            bindings::Outcome::Deliver(deliveries.into_iter().map(Into::into).collect())
        }
        Ok(outcome::Outcome::Filter(reason)) => bindings::Outcome::Filter(reason),
        Err(Reject(reason)) => bindings::Outcome::Reject(reason),
    }
}

impl From<outcome::Delivery> for bindings::Delivery {
    fn from(delivery: outcome::Delivery) -> Self {
        match delivery {
            outcome::Delivery::Request(request) => Self::Request(request.into()),
            outcome::Delivery::Record(outcome::Record { stream, key, body, headers }) => {
                Self::Record(bindings::Record { stream, key, body, headers })
            }
        }
    }
}

impl From<outcome::Request> for bindings::Request {
    fn from(outcome::Request { method, url, query, headers, body, gzip }: outcome::Request) -> Self {
        let method = match method {
            outcome::Method::Get => bindings::Method::Get,
            outcome::Method::Post => bindings::Method::Post,
            outcome::Method::Put => bindings::Method::Put,
            outcome::Method::Patch => bindings::Method::Patch,
            outcome::Method::Delete => bindings::Method::Delete,
        };
        let body = match body {
            outcome::Body::None => bindings::Body::None,
            outcome::Body::Json(bytes) => bindings::Body::Json(bytes),
            outcome::Body::Form(pairs) => bindings::Body::Form(pairs),
            outcome::Body::Xml(text) => bindings::Body::Xml(text),
            outcome::Body::Raw(bytes) => bindings::Body::Raw(bytes),
        };
        Self { method, url, query, headers, body, gzip }
    }
}

impl From<bindings::Request> for outcome::Request {
    fn from(bindings::Request { method, url, query, headers, body, gzip }: bindings::Request) -> Self {
        let method = match method {
            bindings::Method::Get => outcome::Method::Get,
            bindings::Method::Post => outcome::Method::Post,
            bindings::Method::Put => outcome::Method::Put,
            bindings::Method::Patch => outcome::Method::Patch,
            bindings::Method::Delete => outcome::Method::Delete,
        };
        let body = match body {
            bindings::Body::None => outcome::Body::None,
            bindings::Body::Json(bytes) => outcome::Body::Json(bytes),
            bindings::Body::Form(pairs) => outcome::Body::Form(pairs),
            bindings::Body::Xml(text) => outcome::Body::Xml(text),
            bindings::Body::Raw(bytes) => outcome::Body::Raw(bytes),
        };
        Self { method, url, query, headers, body, gzip }
    }
}

impl From<outcome::Verdict> for bindings::Verdict {
    fn from(verdict: outcome::Verdict) -> Self {
        match verdict {
            outcome::Verdict::Delivered => Self::Delivered,
            outcome::Verdict::Retry(after_ms) => Self::Retry(after_ms),
            outcome::Verdict::Reject(reason) => Self::Reject(reason),
            outcome::Verdict::RenewAuth => Self::RenewAuth,
        }
    }
}
