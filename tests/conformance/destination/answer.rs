//! What a vendor answered to a recorded request.

use super::exchange;
use super::neighbours::Neighbours;
use crate::compare::{Leeway, difference};
use crate::matcher::like;
use pintle_runtime::destination::{Request, Response};
use serde_json::{Map, Value, json};

/// What came back.
pub enum Answer {
    /// This.
    Response(Response),
    /// Nothing: the connection failed.
    Silence,
}

/// Finds the answer: in the case itself, beside it, or in what the recorder passed on of it.
pub fn answer(case: &Value, request: &Request, neighbours: &Neighbours) -> Option<Answer> {
    let sent = Sent::of(request);
    let own = case["mocks"]["network"].as_array().into_iter().flatten();
    own.filter(|mock| sent.fits_mock(mock))
        .find_map(of_mock)
        .or_else(|| sent.beside(&neighbours.network, looked_up(case)))
        .or_else(|| passed_on(&case["output"]["response"]["body"]["output"]))
}

/// The request that went out last, where the recorder had to look up its address first.
pub fn looked_up(case: &Value) -> Option<&str> {
    let unknown = case["input"]["request"]["body"]["endpoint"].as_str().is_none_or(str::is_empty);
    let (_, url) = case["networkCalls"].as_array()?.last()?.as_str()?.split_once(' ')?;
    unknown.then_some(url)
}

/// A request, taken apart for comparison.
struct Sent {
    shape: Value,
    /// The parameters that stand in the address.
    query: Map<String, Value>,
    body: Value,
}

impl Sent {
    fn of(request: &Request) -> Sent {
        let shape = exchange::found(request);
        let mut query = Map::new();
        exchange::with_query(&request.url, &mut query);
        let body = shape["body"].as_object().and_then(|kinds| kinds.values().next()).cloned().unwrap_or_default();
        Sent { shape, query, body }
    }

    fn fits_mock(&self, mock: &Value) -> bool {
        let endpoint = self.shape["endpoint"].as_str().unwrap_or_default();
        let at_address = match &mock["url"] {
            Value::String(url) => exchange::with_query(url, &mut Map::new()) == endpoint,
            pattern => like(pattern["$regex"].as_str().unwrap_or_default(), endpoint),
        };
        let body = &mock["body"];
        let any_body = !(body.is_object() || body.is_array()) || body.get("$asymmetric").is_some();
        self.has_method(&mock["method"]) && at_address && (any_body || equal(body, &self.body))
    }

    fn has_method(&self, method: &Value) -> bool {
        let own = self.shape["method"].as_str().unwrap_or_default();
        method.as_str().is_none_or(|method| method.eq_ignore_ascii_case(own))
    }

    /// The recorded exchange that is most like this request. One with another body is none of it, unless the
    /// recorder put into it what it had looked up.
    fn beside(&self, network: &[Value], looked_up: Option<&str>) -> Option<Answer> {
        let mut best: Option<((bool, bool, bool), &Value)> = None;
        for exchange in network {
            let asked = &exchange["httpReq"];
            let mut query = Map::new();
            let endpoint = exchange::with_query(asked["url"].as_str().unwrap_or_default(), &mut query);
            let same_body = asked.get("data").is_none_or(|data| self.has_body(data));
            let fits = self.shape["endpoint"] == endpoint && self.has_method(&asked["method"]);
            if !fits || !(same_body || looked_up.is_some()) {
                continue;
            }
            let likeness = (same_body, self.query == query, self.has_headers(&asked["headers"]));
            if best.is_none_or(|(known, _)| likeness > known) {
                best = Some((likeness, &exchange["httpRes"]));
            }
        }
        let (_, said) = best?;
        Some(response(said["status"].as_u64(), &said["headers"], &said["data"]))
    }

    fn has_body(&self, data: &Value) -> bool {
        let Some(text) = data.as_str() else { return equal(data, &self.body) };
        let mut pairs = Map::new();
        exchange::with_query(&format!("?{text}"), &mut pairs);
        equal(data, &self.body) || equal(&Value::Object(pairs), &self.body)
    }

    fn has_headers(&self, headers: &Value) -> bool {
        let mut headers = headers.as_object().into_iter().flatten().map(|(name, value)| (name.to_lowercase(), value));
        headers.all(|(name, value)| {
            ["user-agent", "content-length"].contains(&name.as_str()) || self.shape["headers"][&name] == *value
        })
    }
}

fn equal(expected: &Value, found: &Value) -> bool {
    difference(expected, found, &Leeway::default()).is_none()
}

/// A mock with a function for an answer does not say which.
fn of_mock(mock: &Value) -> Option<Answer> {
    if mock.get("fail").is_some() {
        return Some(Answer::Silence);
    }
    let status = mock["status"].as_u64()?;
    Some(response(Some(status), &mock["responseHeaders"], &mock["response"]))
}

/// Of an answer that is not there, what the recorder told its own caller: all of it, or for each event its body,
/// with the status.
fn passed_on(output: &Value) -> Option<Answer> {
    let status = output["status"].as_u64();
    let told = &output["destinationResponse"];
    if !told.is_null() {
        let own_status = told["status"].as_u64();
        let mut rest = told.clone();
        if let Value::Object(members) = &mut rest {
            members.remove("status");
        }
        let body = told.get("response").unwrap_or(&rest);
        return Some(response(own_status.or(status), &told["headers"], body));
    }
    let mut bodies = output["response"].as_array()?.iter().map(|event| &event["error"]);
    let body = bodies.next()?;
    let parsed = serde_json::from_str(body.as_str()?).ok()?;
    bodies.all(|other| other == body).then(|| response(status, &json!({}), &parsed))
}

fn response(status: Option<u64>, headers: &Value, body: &Value) -> Answer {
    let Some(status) = status.and_then(|status| u16::try_from(status).ok()) else { return Answer::Silence };
    let headers = headers.as_object().into_iter().flatten();
    let headers = headers.filter_map(|(name, value)| Some((name.to_lowercase(), value.as_str()?.to_owned()))).collect();
    let body = match body {
        Value::Null => String::new(),
        // How the recorder writes a value that is not there.
        Value::String(text) if text == "undefined" => String::new(),
        Value::String(text) => text.clone(),
        body => body.to_string(),
    };
    Answer::Response(Response { status, headers, body: body.into() })
}
