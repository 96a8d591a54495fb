//! Many requests as one: `POST /v2/batch` takes changes of people and of objects in one list, in order.

use crate::activity::Activity;
use crate::config::{Config, EU, US};
use crate::device::described;
use crate::merge::{Identifier, Merge};
use pintle_plugin_sdk::encode::from_path_segment;
use pintle_plugin_sdk::json::Members;
use pintle_plugin_sdk::{Body, Combined, Method, Request};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Bytes of a batch, at most; the API takes less than 500 KB.
const BYTES_MAX: usize = 480_000;

/// What stands around the entries of a batch, and between two of them.
const START: &[u8] = br#"{"batch":["#;
const END: &[u8] = b"]}";

/// The batches that carry these requests. A request that is none of ours, or too large, is in none of them.
#[must_use]
pub fn combine(config: &Config, requests: &[Request]) -> Vec<Combined> {
    let mut batches: Vec<(Vec<u8>, Vec<u32>)> = Vec::new();
    for (place, request) in (0_u32..).zip(requests) {
        let Some(entry) = entry(request).filter(|entry| entry.len() < BYTES_MAX - 32) else { continue };
        match batches.last_mut().filter(|(bytes, _)| bytes.len() + entry.len() + END.len() < BYTES_MAX) {
            Some((bytes, members)) => {
                bytes.push(b',');
                bytes.extend_from_slice(&entry);
                members.push(place);
            }
            None => batches.push(([START, &entry].concat(), vec![place])),
        }
    }
    let sent = |mut bytes: Vec<u8>| {
        bytes.extend_from_slice(END);
        let request = config.request(Method::Post, "v2/batch").header("content-type", "application/json");
        Request { body: Body::Json(bytes), ..request }
    };
    batches.into_iter().map(|(bytes, members)| Combined { request: sent(bytes), members }).collect()
}

/// How many entries a batch has; 1 for any other request.
pub(crate) fn entries(request: &Request) -> usize {
    #[derive(Deserialize)]
    struct Batch<'a> {
        #[serde(borrow)]
        batch: Vec<&'a RawValue>,
    }
    let Body::Json(body) = &request.body else { return 1 };
    serde_json::from_slice::<Batch<'_>>(body).map_or(1, |batch| batch.batch.len())
}

/// A v1 request as an entry of the v2 API, as JSON.
fn entry(request: &Request) -> Option<Vec<u8>> {
    let path = [US, EU].iter().find_map(|api| request.url.strip_prefix(api))?;
    let body: &[u8] = match &request.body {
        Body::Json(body) => body,
        _ => b"{}",
    };
    let steps: Vec<&str> = path.split('/').collect();
    match (request.method, steps.as_slice()) {
        (Method::Post, ["v2", "batch"]) => Some(body.to_vec()),
        (Method::Post, ["v1", "merge_customers"]) => {
            let Merge { primary, secondary } = serde_json::from_slice(body).ok()?;
            json(&Person { primary: Some(primary), secondary: Some(secondary), ..Person::new("merge") })
        }
        (Method::Post, ["v1", "events"]) => happened(None, body),
        (Method::Post, ["v1", "customers", id, "events"]) => happened(Some(id), body),
        (Method::Put, ["v1", "customers", id]) => {
            let attributes: &RawValue = serde_json::from_slice(body).ok()?;
            let attributes = Some(attributes).filter(|attributes| attributes.get() != "{}");
            json(&Person { identifiers: Some(named(id)?), attributes, ..Person::new("identify") })
        }
        (Method::Put, ["v1", "customers", id, "devices"]) => {
            let device = Some(registered(request, body)?);
            json(&Person { identifiers: Some(named(id)?), device, ..Person::new("add_device") })
        }
        (Method::Delete, ["v1", "customers", id, "devices", token]) => {
            let device = Some(Device { token: from_path_segment(token)?.into(), ..Device::default() });
            json(&Person { identifiers: Some(named(id)?), device, ..Person::new("delete_device") })
        }
        _ => None,
    }
}

/// An entry about a person.
#[derive(Serialize)]
struct Person<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    identifiers: Option<Identifiers<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    primary: Option<Identifier<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secondary: Option<Identifier<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attributes: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<Device<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<i64>,
}

impl Person<'_> {
    fn new(action: &'static str) -> Self {
        Person {
            kind: "person",
            action,
            identifiers: None,
            primary: None,
            secondary: None,
            name: None,
            attributes: None,
            device: None,
            timestamp: None,
        }
    }
}

/// Who an entry is about.
#[derive(Serialize)]
#[serde(untagged)]
enum Identifiers<'a> {
    Known(Identifier<'a>),
    Unknown { anonymous_id: &'a RawValue },
}

#[derive(Default, Serialize)]
struct Device<'a> {
    token: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<Cow<'a, str>, Attribute<'a>>,
}

/// An attribute of a device.
#[derive(Serialize)]
#[serde(untagged)]
enum Attribute<'a> {
    Sent(&'a RawValue),
    Told(String),
}

fn json(entry: &impl Serialize) -> Option<Vec<u8>> {
    serde_json::to_vec(entry).ok()
}

/// The person that a path names.
fn named(segment: &str) -> Option<Identifiers<'static>> {
    Some(Identifiers::Known(Identifier::of(Cow::Owned(from_path_segment(segment)?))))
}

fn happened(segment: Option<&str>, body: &[u8]) -> Option<Vec<u8>> {
    let activity: Activity<'_> = serde_json::from_slice(body).ok()?;
    let identifiers = match segment {
        Some(segment) => named(segment)?,
        None => Identifiers::Unknown { anonymous_id: activity.anonymous_id? },
    };
    let action = match activity.kind.as_ref() {
        "page" => "page",
        _ if activity.is_screen() => "screen",
        _ => "event",
    };
    let Activity { name, data: attributes, timestamp, .. } = activity;
    json(&Person { identifiers: Some(identifiers), name, attributes, timestamp, ..Person::new(action) })
}

/// In v2 what is not one of the device's own fields stands among its attributes, and so does what the device is.
fn registered<'a>(request: &'a Request, body: &'a [u8]) -> Option<Device<'a>> {
    let body: &RawValue = serde_json::from_slice(body).ok()?;
    let mut device = Device::default();
    for (name, value) in described(request) {
        device.attributes.insert(name.into(), Attribute::Told(value));
    }
    for (name, value) in Members::of(Members::of(body)?.get("device")?)?.distinct()? {
        match name.as_ref() {
            "id" => device.token = serde_json::from_str(value.get()).ok()?,
            "platform" => device.platform = Some(value),
            "last_used" => device.last_used = Some(value),
            _ => _ = device.attributes.insert(name, Attribute::Sent(value)),
        }
    }
    Some(device)
}

#[cfg(test)]
mod tests;
