//! A recorded request as a plugin would have described it.

use pintle_runtime::destination::{Body, Method, Request};
use serde_json::{Map, Value};

/// Reads a recorded request.
pub fn request(recorded: &Value) -> Request {
    Request {
        method: method(recorded["method"].as_str().unwrap_or_default()),
        url: recorded["endpoint"].as_str().unwrap_or_default().to_owned(),
        query: pairs(&recorded["params"]),
        headers: pairs(&recorded["headers"]),
        body: body(recorded["body"].as_object()),
        gzip: recorded["body"]["GZIP"].as_object().is_some_and(|gzip| !gzip.is_empty()),
    }
}

/// The kind of body that holds something; of several that do, the first.
fn body(kinds: Option<&Map<String, Value>>) -> Body {
    let filled = |body: &Value| match body {
        Value::Object(members) => !members.is_empty(),
        Value::Array(entries) => !entries.is_empty(),
        _ => false,
    };
    let Some((kind, body)) = kinds.into_iter().flatten().find(|(_, body)| filled(body)) else { return Body::None };
    match kind.as_str() {
        "JSON" => Body::Json(body.to_string().into()),
        "JSON_ARRAY" => Body::Json(text(&body["batch"]).into()),
        "GZIP" => Body::Json(text(&body["payload"]).into()),
        "FORM" => Body::Form(body.as_object().into_iter().flatten().map(|(name, value)| field(name, value)).collect()),
        "XML" => Body::Xml(text(&body["payload"])),
        _ => Body::Raw(text(&body["payload"]).into()),
    }
}

/// Lists are written `[a,b]`, in whatever way their entries write themselves.
fn field(name: &str, value: &Value) -> (String, String) {
    let value = match value {
        Value::Array(entries) => format!("[{}]", entries.iter().map(text).collect::<Vec<_>>().join(",")),
        value => text(value),
    };
    (name.to_owned(), value)
}

/// Parameters and headers without a value are not sent.
fn pairs(members: &Value) -> Vec<(String, String)> {
    let members = members.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    members.map(|(name, value)| (name.clone(), text(value))).collect()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A method by its name; POST when there is none of that name.
pub fn method(name: &str) -> Method {
    match name.to_ascii_uppercase().as_str() {
        "GET" => Method::Get,
        "PUT" => Method::Put,
        "PATCH" => Method::Patch,
        "DELETE" => Method::Delete,
        _ => Method::Post,
    }
}
