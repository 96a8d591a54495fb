//! What becomes of an event.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    config::{Config, Method, check_header_name, check_header_value, check_url, set_header},
    json::{Members, text},
    query,
};

/// What becomes of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Send this.
    Deliver(Request),
    /// It can never be sent, for this reason.
    Reject(String),
}

/// One HTTP request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The URL, without the parameters below.
    pub url: String,
    /// Query parameters, not yet encoded.
    pub query: Vec<(String, String)>,
    /// Headers, names in lower case, each once.
    pub headers: Vec<(String, String)>,
    /// The JSON body, if the method has one.
    pub body: Option<Vec<u8>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    message: &'a RawValue,
}

/// One outcome per entry of a batch, a JSON array of `{"message", "metadata"}`.
pub fn transform(config: &Config, batch: &[u8]) -> serde_json::Result<Vec<Outcome>> {
    let entries: Vec<Entry<'_>> = serde_json::from_slice(batch)?;
    Ok(entries.iter().map(|entry| outcome(config, entry.message)).collect())
}

/// What becomes of one event.
pub fn outcome(config: &Config, event: &RawValue) -> Outcome {
    request(config, event).map_or_else(Outcome::Reject, Outcome::Deliver)
}

/// Members that steer the request. They are taken out of the body.
const FULL_PATH: &str = "fullPath";
const APPEND_PATH: &str = "appendPath";
const HEADER: &str = "header";

fn request(config: &Config, event: &RawValue) -> Result<Request, String> {
    let members = Members::of(event).ok_or("the event is not a JSON object")?;
    let own_headers = members.get(HEADER).filter(|value| is_object_or_null(value));
    let url = url(config, &members)?;
    let headers = headers(config, own_headers)?;
    let (query, body) = if config.method.has_body() {
        (Vec::new(), Some(body(event, &members, own_headers.is_some())))
    } else {
        (query(&members)?, None)
    };
    Ok(Request { method: config.method, url, query, headers, body })
}

fn url(config: &Config, members: &Members<'_>) -> Result<String, String> {
    let own = path(members, FULL_PATH)?;
    let mut url = own.unwrap_or_else(|| config.url.clone());
    if let Some(end) = path(members, APPEND_PATH)? {
        url.push_str(&end);
    }
    check_url(&url).map_err(|wrong| format!("the URL made of the event's {FULL_PATH} and {APPEND_PATH} {wrong}"))?;
    Ok(url)
}

/// A path that the event gives, if it gives one; the empty text is none.
fn path(members: &Members<'_>, name: &str) -> Result<Option<String>, String> {
    match members.get(name) {
        None => Ok(None),
        Some(value) if value.get() == "null" => Ok(None),
        Some(value) => match text(value) {
            Some(path) if path.is_empty() => Ok(None),
            Some(path) => Ok(Some(path.into_owned())),
            None => Err(format!("the event's {name} is not a string")),
        },
    }
}

fn headers(config: &Config, own: Option<&RawValue>) -> Result<Vec<(String, String)>, String> {
    let mut headers = Vec::with_capacity(config.headers.len() + 1);
    if config.method.has_body() {
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
    }
    for (name, value) in &config.headers {
        set_header(&mut headers, name, value.clone());
    }
    let Some(own) = own.and_then(Members::of) else { return Ok(headers) };
    for (name, value) in own.distinct().ok_or("the event's header holds text that is not Unicode")? {
        if name.is_empty() || value.get() == "null" {
            continue;
        }
        let value = match value.get().as_bytes().first() {
            Some(b'"') => text(value).ok_or("the event's header holds text that is not Unicode")?.into_owned(),
            _ => value.get().to_owned(),
        };
        check_header_name(&name).map_err(|wrong| format!("the event's header {name:?} {wrong}"))?;
        check_header_value(&value).map_err(|wrong| format!("the value of the event's header {name:?} {wrong}"))?;
        set_header(&mut headers, &name, value);
    }
    Ok(headers)
}

/// The event's own bytes, or all members but the steering ones.
fn body(event: &RawValue, members: &Members<'_>, has_header: bool) -> Vec<u8> {
    let mut unwanted = vec![FULL_PATH, APPEND_PATH];
    if has_header {
        unwanted.push(HEADER);
    }
    if unwanted.iter().all(|key| members.get(key).is_none()) {
        return event.get().as_bytes().to_vec();
    }
    members.without(&unwanted)
}

/// An identify's traits, any other event's properties.
fn query(members: &Members<'_>) -> Result<Vec<(String, String)>, String> {
    let is_identify = members.get("type").and_then(text).is_some_and(|kind| kind.eq_ignore_ascii_case("identify"));
    let (name, source) = if is_identify {
        let of_context = || members.get("context").and_then(Members::of).and_then(|context| context.get("traits"));
        ("traits", members.get("traits").or_else(of_context))
    } else {
        ("properties", members.get("properties"))
    };
    match source {
        Some(source) if source.get().starts_with('{') => {
            query::parameters(source).map_err(|wrong| format!("the event's {name} {wrong}"))
        }
        _ => Ok(Vec::new()),
    }
}

fn is_object_or_null(value: &RawValue) -> bool {
    value.get().starts_with('{') || value.get() == "null"
}

#[cfg(test)]
mod tests;
