//! The configuration, with the keys that RudderStack's webhook destination has.

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

/// The methods on offer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// The event as a body; the default.
    #[default]
    Post,
    /// The event as a body.
    Put,
    /// The event as a body.
    Patch,
    /// Properties as query parameters.
    Get,
    /// Properties as query parameters.
    Delete,
}

impl Method {
    /// Whether the event travels as a body.
    pub fn has_body(self) -> bool {
        matches!(self, Self::Post | Self::Put | Self::Patch)
    }

    fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_uppercase().as_str() {
            "" | "POST" => Self::Post,
            "PUT" => Self::Put,
            "PATCH" => Self::Patch,
            "GET" => Self::Get,
            "DELETE" => Self::Delete,
            _ => return None,
        })
    }
}

/// One thing that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// JSON Pointer to the value.
    pub path: String,
    /// What is wrong and how to mend it.
    pub message: String,
}

impl Config {
    /// Reads a configuration, or says everything that is wrong with it at once.
    ///
    /// Unknown keys are ignored: an imported configuration carries consent and connection settings that
    /// are the host's business. Values never appear in a message: they may be secrets.
    pub fn parse(json: &str) -> Result<Self, Vec<Mistake>> {
        let mut mistakes = Mistakes::default();
        let value: Value = match serde_json::from_str(json) {
            Ok(value @ Value::Object(_)) => value,
            _ => {
                mistakes.add("", "the configuration must be a JSON object");
                return Err(mistakes.0);
            }
        };
        let config = Self {
            url: url(&value, &mut mistakes),
            method: method(&value, &mut mistakes),
            headers: headers(&value, &mut mistakes),
        };
        if mistakes.0.is_empty() { Ok(config) } else { Err(mistakes.0) }
    }
}

#[derive(Default)]
struct Mistakes(Vec<Mistake>);

impl Mistakes {
    fn add(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.0.push(Mistake { path: path.into(), message: message.into() });
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

/// Whether a text can be a request's URL. Only what would certainly fail is refused; the host parses it.
pub fn check_url(url: &str) -> Result<(), &'static str> {
    let rest = ["http://", "https://"].iter().find_map(|scheme| {
        let start = url.get(..scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then(|| &url[scheme.len()..])
    });
    let Some(rest) = rest else {
        return Err("must start with http:// or https://");
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    if host.is_empty() || host.starts_with(':') {
        return Err("must name a host, as in https://example.com/events");
    }
    if url.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("must not contain spaces or control characters; write a space as %20");
    }
    Ok(())
}

fn method(config: &Value, mistakes: &mut Mistakes) -> Method {
    let named = match config.get("webhookMethod") {
        None | Some(Value::Null) => return Method::default(),
        Some(Value::String(name)) => Method::named(name.trim()),
        Some(_) => None,
    };
    named.unwrap_or_else(|| {
        mistakes.add("/webhookMethod", "must be POST, PUT, PATCH, GET or DELETE");
        Method::default()
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

/// Sets a header, in the place of one with the same name.
pub fn set_header(headers: &mut Vec<(String, String)>, name: &str, value: String) {
    let name = name.to_ascii_lowercase();
    match headers.iter_mut().find(|(known, _)| *known == name) {
        Some(header) => header.1 = value,
        None => headers.push((name, value)),
    }
}

/// Headers that belong to the connection, which is the host's.
const CONNECTION_HEADERS: [&str; 9] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "upgrade",
    "proxy-connection",
];

/// Whether a text can be a header's name.
pub fn check_header_name(name: &str) -> Result<(), &'static str> {
    let is_token = |c: u8| c.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&c);
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err("is not a header name; use letters, digits and dashes");
    }
    if CONNECTION_HEADERS.iter().any(|known| name.eq_ignore_ascii_case(known)) {
        return Err("is a header of the connection, which Pintle sets itself; remove it");
    }
    Ok(())
}

/// Whether a text can be a header's value.
pub fn check_header_value(value: &str) -> Result<(), &'static str> {
    if value.chars().any(|c| c.is_control() && c != '\t') {
        return Err("must not contain line breaks or other control characters");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
