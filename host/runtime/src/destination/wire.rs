//! Between the generated types of the boundary and ours.

use super::{Body, Combined, ConfigError, Delivery, Method, Outcome, Record, Request, Response, Verdict};
use crate::bindings::destination as wit;
use std::time::Duration;

/// How many bytes of text and bodies an outcome brought.
pub(super) fn size(outcome: &wit::Outcome) -> usize {
    match outcome {
        wit::Outcome::Deliver(deliveries) => deliveries.iter().map(delivery_size).sum(),
        wit::Outcome::Filter(reason) | wit::Outcome::Reject(reason) => reason.len(),
    }
}

fn delivery_size(delivery: &wit::Delivery) -> usize {
    match delivery {
        wit::Delivery::Request(request) => request_size(request),
        wit::Delivery::Record(record) => record.key.len() + record.body.len() + pairs_size(&record.headers),
    }
}

pub(super) fn request_size(request: &wit::Request) -> usize {
    let body = match &request.body {
        wit::Body::None => 0,
        wit::Body::Json(bytes) | wit::Body::Raw(bytes) => bytes.len(),
        wit::Body::Form(pairs) => pairs_size(pairs),
        wit::Body::Xml(text) => text.len(),
    };
    request.url.len() + pairs_size(&request.query) + pairs_size(&request.headers) + body
}

fn pairs_size(pairs: &[(String, String)]) -> usize {
    pairs.iter().map(|(name, value)| name.len() + value.len()).sum()
}

impl From<wit::Outcome> for Outcome {
    fn from(outcome: wit::Outcome) -> Outcome {
        match outcome {
            wit::Outcome::Deliver(deliveries) => Outcome::Deliver(deliveries.into_iter().map(Into::into).collect()),
            wit::Outcome::Filter(reason) => Outcome::Filter(reason),
            wit::Outcome::Reject(reason) => Outcome::Reject(reason),
        }
    }
}

impl From<wit::Delivery> for Delivery {
    fn from(delivery: wit::Delivery) -> Delivery {
        match delivery {
            wit::Delivery::Request(request) => Delivery::Request(request.into()),
            wit::Delivery::Record(record) => Delivery::Record(Record {
                stream: record.stream,
                key: record.key,
                body: record.body.into(),
                headers: record.headers,
            }),
        }
    }
}

impl From<wit::Request> for Request {
    fn from(request: wit::Request) -> Request {
        Request {
            method: match request.method {
                wit::Method::Get => Method::Get,
                wit::Method::Post => Method::Post,
                wit::Method::Put => Method::Put,
                wit::Method::Patch => Method::Patch,
                wit::Method::Delete => Method::Delete,
            },
            url: request.url,
            query: request.query,
            headers: request.headers,
            body: match request.body {
                wit::Body::None => Body::None,
                wit::Body::Json(bytes) => Body::Json(bytes.into()),
                wit::Body::Form(pairs) => Body::Form(pairs),
                wit::Body::Xml(text) => Body::Xml(text),
                wit::Body::Raw(bytes) => Body::Raw(bytes.into()),
            },
            gzip: request.gzip,
        }
    }
}

impl From<&Request> for wit::Request {
    fn from(request: &Request) -> wit::Request {
        wit::Request {
            method: match request.method {
                Method::Get => wit::Method::Get,
                Method::Post => wit::Method::Post,
                Method::Put => wit::Method::Put,
                Method::Patch => wit::Method::Patch,
                Method::Delete => wit::Method::Delete,
            },
            url: request.url.clone(),
            query: request.query.clone(),
            headers: request.headers.clone(),
            body: match &request.body {
                Body::None => wit::Body::None,
                Body::Json(bytes) => wit::Body::Json(bytes.to_vec()),
                Body::Form(pairs) => wit::Body::Form(pairs.clone()),
                Body::Xml(text) => wit::Body::Xml(text.clone()),
                Body::Raw(bytes) => wit::Body::Raw(bytes.to_vec()),
            },
            gzip: request.gzip,
        }
    }
}

impl From<&Response> for wit::Response {
    fn from(response: &Response) -> wit::Response {
        wit::Response { status: response.status, headers: response.headers.clone(), body: response.body.to_vec() }
    }
}

impl From<wit::Combined> for Combined {
    fn from(combined: wit::Combined) -> Combined {
        let members = combined.members.into_iter().map(|member| member as usize).collect();
        Combined { request: combined.request.into(), members }
    }
}

impl From<wit::Verdict> for Verdict {
    fn from(verdict: wit::Verdict) -> Verdict {
        match verdict {
            wit::Verdict::Delivered => Verdict::Delivered,
            wit::Verdict::Retry(after_ms) => Verdict::Retry(after_ms.map(Duration::from_millis)),
            wit::Verdict::Reject(reason) => Verdict::Reject(reason),
            wit::Verdict::RenewAuth => Verdict::RenewAuth,
        }
    }
}

impl From<wit::ConfigError> for ConfigError {
    fn from(error: wit::ConfigError) -> ConfigError {
        ConfigError { path: error.path, message: error.message }
    }
}
