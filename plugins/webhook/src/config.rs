//! The configuration, with the keys that RudderStack's webhook destination has.

use pintle_plugin_sdk::http::{check_header_name, check_header_value, check_url, set_header};
use pintle_plugin_sdk::{Method, Mistakes};
use serde_json::Value;

/// A checked configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where events go: `webhookUrl`.
    pub url: String,
    /// How they go there: `webhookMethod`.
    pub method: Method,
    /// What goes with each of them: `headers`, names in lower case.
    pub headers: Vec<(String, String)>,
}

/// Whether the event travels as a body, and not as query parameters.
pub(crate) fn has_body(method: Method) -> bool {
    matches!(method, Method::Post | Method::Put | Method::Patch)
}

fn named(name: &str) -> Option<Method> {
    Some(match name.to_ascii_uppercase().as_str() {
        "" | "POST" => Method::Post,
        "PUT" => Method::Put,
        "PATCH" => Method::Patch,
        "GET" => Method::Get,
        "DELETE" => Method::Delete,
        _ => return None,
    })
}

impl Config {
    /// Reads a configuration, or says everything that is wrong with it at once.
    ///
    /// Unknown keys are ignored: an imported configuration carries consent and connection settings that
    /// are the host's business. Values never appear in a message: they may be secrets.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn read(config: &Value) -> Result<Self, Mistakes> {
        let mut mistakes = Mistakes::default();
        if !config.is_object() {
            mistakes.add("", "the configuration must be a JSON object");
            return Err(mistakes);
        }
        let read = Self {
            url: url(config, &mut mistakes),
            method: method(config, &mut mistakes),
            headers: headers(config, &mut mistakes),
        };
        mistakes.or(read)
    }
}

fn url(config: &Value, mistakes: &mut Mistakes) -> String {
    const PATH: &str = "/webhookUrl";
    match config.get("webhookUrl") {
        None | Some(Value::Null) => mistakes.add(PATH, "is required: the URL that events are sent to"),
        Some(Value::String(url)) => match check_url(url.trim()) {
            Ok(()) => return url.trim().to_owned(),
            Err(wrong) => mistakes.add(PATH, wrong),
        },
        Some(_) => mistakes.add(PATH, "must be a string"),
    }
    String::new()
}

fn method(config: &Value, mistakes: &mut Mistakes) -> Method {
    let named = match config.get("webhookMethod") {
        None | Some(Value::Null) => return Method::Post,
        Some(Value::String(name)) => named(name.trim()),
        Some(_) => None,
    };
    named.unwrap_or_else(|| {
        mistakes.add("/webhookMethod", "must be POST, PUT, PATCH, GET or DELETE");
        Method::Post
    })
}

fn headers(config: &Value, mistakes: &mut Mistakes) -> Vec<(String, String)> {
    let mut headers = Vec::new();
    let rows = match config.get("headers") {
        None | Some(Value::Null) => return headers,
        Some(Value::Array(rows)) => rows,
        Some(_) => {
            mistakes.add("/headers", "must be a list of {\"from\": name, \"to\": value}");
            return headers;
        }
    };
    for (index, row) in rows.iter().enumerate() {
        let text = |key: &str, mistakes: &mut Mistakes| match row.get(key) {
            None | Some(Value::Null) => Some(String::new()),
            Some(Value::String(text)) => Some(text.trim().to_owned()),
            Some(value @ (Value::Number(_) | Value::Bool(_))) => Some(value.to_string()),
            Some(_) => {
                mistakes.add(format!("/headers/{index}/{key}"), "must be a string");
                None
            }
        };
        let (Some(name), Some(value)) = (text("from", mistakes), text("to", mistakes)) else { continue };
        // The form in which such configurations are edited always leaves an empty row.
        if name.is_empty() {
            continue;
        }
        if let Err(wrong) = check_header_name(&name) {
            mistakes.add(format!("/headers/{index}/from"), wrong);
        } else if let Err(wrong) = check_header_value(&value) {
            mistakes.add(format!("/headers/{index}/to"), wrong);
        } else {
            set_header(&mut headers, &name, value);
        }
    }
    headers
}

#[cfg(test)]
mod tests;
