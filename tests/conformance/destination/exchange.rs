//! What is delivered in one shape, whether it was recorded or described by a plugin.

use super::asked;
use pintle_runtime::destination::{Body, Delivery, Method, Request};
use serde_json::{Map, Value, json};

/// What a plugin described.
pub fn delivered(delivery: &Delivery) -> Value {
    match delivery {
        Delivery::Request(request) => found(request),
        Delivery::Record(record) => kept(parsed(&record.body)),
    }
}

/// A request that a plugin described.
pub fn found(request: &Request) -> Value {
    let texts = |pairs: &[(String, String)]| -> Map<String, Value> {
        pairs.iter().map(|(name, value)| (name.clone(), document(value))).collect()
    };
    let headers = request.headers.iter().map(|(name, value)| (name.to_lowercase(), value.clone().into()));
    let (kind, body) = match &request.body {
        Body::None => ("none", Value::Null),
        Body::Json(json) => ("JSON", parsed(json)),
        Body::Form(pairs) => ("FORM", texts(pairs).into()),
        Body::Xml(xml) => ("XML", xml.clone().into()),
        Body::Raw(raw) => ("raw", String::from_utf8_lossy(raw).into()),
    };
    let mut params = Map::new();
    let endpoint = with_query(&request.url, &mut params);
    params.extend(texts(&request.query));
    shape(method(request.method), endpoint, headers.collect(), params, kind, body)
}

/// What was recorded: a request, or an event that is kept as it is, alone or with the name of a topic.
pub fn recorded(output: &Value) -> Value {
    match (output.get("endpoint"), output.get("message")) {
        (Some(_), _) => found(&asked::request(output)),
        (None, Some(message)) => kept(message.clone()),
        (None, None) => kept(output.clone()),
    }
}

/// An event that is kept. The recorder writes a `userId` of its own into it.
fn kept(mut event: Value) -> Value {
    if let Value::Object(members) = &mut event {
        members.remove("userId");
    }
    json!({ "kept": event })
}

/// As HTTP writes it.
pub fn method(method: Method) -> &'static str {
    match method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Patch => "PATCH",
        Method::Delete => "DELETE",
    }
}

fn shape(
    method: &str,
    endpoint: String,
    mut headers: Map<String, Value>,
    params: Map<String, Value>,
    kind: &str,
    body: Value,
) -> Value {
    // The host adds it when it sends.
    let added = match kind {
        "JSON" => Some("application/json"),
        "FORM" => Some("application/x-www-form-urlencoded"),
        _ => None,
    };
    if let Some(added) = added {
        headers.entry("content-type").or_insert_with(|| added.into());
    }
    // The host's own, whatever the recorder's was.
    headers.remove("user-agent");
    // The host adds this one too, where it says what the address says.
    if headers.get("host").and_then(Value::as_str).is_some_and(|host| host.eq_ignore_ascii_case(authority(&endpoint))) {
        headers.remove("host");
    }
    json!({"method": method, "endpoint": endpoint, "headers": headers, "params": params, "body": {kind: body}})
}

fn authority(endpoint: &str) -> &str {
    let rest = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default()
}

fn parsed(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|_| String::from_utf8_lossy(bytes).into())
}

/// A text that is a JSON document is compared as one: the order of its keys is free too.
fn document(text: &str) -> Value {
    let is_one = text.starts_with(['{', '[']);
    is_one.then(|| serde_json::from_str(text).ok()).flatten().unwrap_or_else(|| text.into())
}

/// The address without its query, which joins the other parameters.
pub fn with_query(url: &str, params: &mut Map<String, Value>) -> String {
    let (endpoint, query) = url.split_once('?').unwrap_or((url, ""));
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        params.insert(decoded(name), document(&decoded(value)));
    }
    endpoint.trim_end_matches('/').to_owned()
}

/// A part of a query or a form as it was before it was encoded.
pub fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = (*first == b'%').then(|| tail.get(..2)).flatten();
        let escaped = escaped.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        rest = if escaped.is_some() { &tail[2..] } else { tail };
        bytes.push(escaped.unwrap_or(if *first == b'+' { b' ' } else { *first }));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
