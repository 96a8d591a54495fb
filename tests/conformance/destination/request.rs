//! A request in one shape, whether it was recorded or described by a plugin.

use pintle_runtime::destination::{Body, Method, Request};
use serde_json::{Map, Value, json};

/// What a plugin describes.
pub fn found(request: &Request) -> Value {
    let method = match request.method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Patch => "PATCH",
        Method::Delete => "DELETE",
    };
    let headers: Map<String, Value> =
        request.headers.iter().map(|(name, value)| (name.to_lowercase(), value.clone().into())).collect();
    let parse = |bytes: &[u8]| serde_json::from_slice(bytes).unwrap_or_else(|_| String::from_utf8_lossy(bytes).into());
    let (kind, body) = match &request.body {
        Body::None => ("none", Value::Null),
        Body::Json(json) => ("JSON", parse(json)),
        Body::Form(pairs) => {
            let pairs: Map<String, Value> =
                pairs.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
            ("FORM", pairs.into())
        }
        Body::Xml(xml) => ("XML", xml.clone().into()),
        Body::Raw(raw) => ("raw", String::from_utf8_lossy(raw).into()),
    };
    let mut params: Map<String, Value> = Map::new();
    let endpoint = with_query(&request.url, &mut params);
    params.extend(request.query.iter().map(|(name, value)| (name.clone(), value.clone().into())));
    shape(method, endpoint, headers, params, kind, body)
}

/// What was recorded.
pub fn recorded(request: &Value) -> Value {
    let texts = |value: &Value| -> Map<String, Value> {
        value.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), text(value))).collect()
    };
    let headers = texts(&request["headers"]).into_iter().map(|(name, value)| (name.to_lowercase(), value));
    let headers: Map<String, Value> = headers.filter(|(name, _)| name != "user-agent").collect();
    let bodies = request["body"].as_object().into_iter().flatten();
    let filled = bodies.into_iter().find(|(_, body)| body.as_object().is_some_and(|body| !body.is_empty()));
    let (kind, body) = match filled {
        None => ("none", Value::Null),
        Some((kind, body)) => match kind.as_str() {
            "JSON" => ("JSON", body.clone()),
            "JSON_ARRAY" => {
                ("JSON", body["batch"].as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default())
            }
            "FORM" => ("FORM", texts(body).into()),
            "XML" => ("XML", body["payload"].clone()),
            _ => ("raw", body["payload"].clone()),
        },
    };
    let mut params = Map::new();
    let endpoint = with_query(request["endpoint"].as_str().unwrap_or_default(), &mut params);
    params.extend(texts(&request["params"]));
    shape(request["method"].as_str().unwrap_or_default(), endpoint, headers, params, kind, body)
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
    json!({"method": method, "endpoint": endpoint, "headers": headers, "params": params, "body": {kind: body}})
}

/// The address without its query, which joins the other parameters.
fn with_query(url: &str, params: &mut Map<String, Value>) -> String {
    let (endpoint, query) = url.split_once('?').unwrap_or((url, ""));
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        params.insert(name.to_owned(), value.into());
    }
    endpoint.trim_end_matches('/').to_owned()
}

/// On the wire a parameter is text.
fn text(value: &Value) -> Value {
    match value {
        Value::String(_) => value.clone(),
        other => other.to_string().into(),
    }
}
