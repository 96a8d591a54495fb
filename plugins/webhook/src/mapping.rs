//! What becomes of an event.

use crate::config::{Config, has_body};
use crate::query;
use pintle_plugin_sdk::http::{check_header_name, check_header_value, check_url, set_header};
use pintle_plugin_sdk::json::{Members, text};
use pintle_plugin_sdk::{Body, Request};
use serde_json::value::RawValue;

/// Members that steer the request. They are taken out of the body.
const FULL_PATH: &str = "fullPath";
const APPEND_PATH: &str = "appendPath";
const HEADER: &str = "header";

/// The request that carries an event.
///
/// # Errors
/// Why there is none.
pub fn request(config: &Config, event: &RawValue) -> Result<Request, String> {
    let members = Members::of(event).ok_or("the event is not a JSON object")?;
    let own_headers = members.get(HEADER).filter(|value| is_object_or_null(value));
    let url = url(config, &members)?;
    let headers = headers(config, own_headers)?;
    let (query, body) = if has_body(config.method) {
        (Vec::new(), Body::Json(body(event, &members, own_headers.is_some())))
    } else {
        (query(&members)?, Body::None)
    };
    Ok(Request { method: config.method, url, query, headers, body, gzip: false })
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
    if has_body(config.method) {
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
    }
    for (name, value) in &config.headers {
        set_header(&mut headers, name, value.clone());
    }
    let Some(own) = own.and_then(Members::of) else { return Ok(headers) };
    for (name, value) in own.distinct().ok_or("the event's header holds text that is not Unicode")? {
        if name.is_empty() {
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
