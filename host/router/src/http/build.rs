//! From what a plugin describes to a request that can be sent.

use super::encode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Uri};
use pintle_runtime::destination::{self, Body};
use std::io::Write as _;

const USER_AGENT: HeaderValue = HeaderValue::from_static(concat!("Pintle/", env!("CARGO_PKG_VERSION")));
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

/// Headers that belong to the connection or to the length of the body: the host sets them, nobody else.
pub(crate) const CONNECTION_HEADERS: [&str; 13] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "http2-settings",
];

/// A request that no server can be asked: sending it again cannot help.
#[derive(Debug, thiserror::Error)]
pub enum Malformed {
    /// The URL cannot be used.
    #[error("the destination described a request to a URL that is not an absolute http or https URL")]
    Url,
    /// A header's name or value is not allowed in HTTP.
    #[error("the destination described a request whose header `{0}` is not valid in HTTP")]
    Header(String),
    /// A header that is the host's business.
    #[error("the destination described a request with the header `{0}`, which only the host may set")]
    ConnectionHeader(String),
}

/// The request as hyper takes it.
pub(crate) fn build(described: &destination::Request) -> Result<hyper::Request<Full<Bytes>>, Malformed> {
    let (uri, credentials) = uri(described)?;
    let mut headers = headers(&described.headers)?;
    if let (Some(credentials), false) = (credentials, headers.contains_key(header::AUTHORIZATION)) {
        headers.insert(header::AUTHORIZATION, credentials);
    }
    if !headers.contains_key(header::USER_AGENT) {
        headers.insert(header::USER_AGENT, USER_AGENT);
    }
    let (body, content_type) = body(&described.body);
    if let (Some(content_type), false) = (content_type, headers.contains_key(header::CONTENT_TYPE)) {
        headers.insert(header::CONTENT_TYPE, content_type);
    }
    let body = if described.gzip && !body.is_empty() && !headers.contains_key(header::CONTENT_ENCODING) {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        gzip(&body)
    } else {
        body
    };
    let mut request = hyper::Request::new(Full::new(body));
    *request.method_mut() = method(described.method);
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    Ok(request)
}

pub(crate) fn method(method: destination::Method) -> Method {
    match method {
        destination::Method::Get => Method::GET,
        destination::Method::Post => Method::POST,
        destination::Method::Put => Method::PUT,
        destination::Method::Patch => Method::PATCH,
        destination::Method::Delete => Method::DELETE,
    }
}

/// The URL with its query, and the credentials that stood in it.
fn uri(described: &destination::Request) -> Result<(Uri, Option<HeaderValue>), Malformed> {
    let mut url = encode::tidy(&described.url);
    encode::push_query(&mut url, &described.query);
    let scheme_end = url.find("://").ok_or(Malformed::Url)?;
    if !["http", "https"].iter().any(|scheme| url[..scheme_end].eq_ignore_ascii_case(scheme)) {
        return Err(Malformed::Url);
    }
    let authority_end = url[scheme_end + 3..].find(['/', '?']).map_or(url.len(), |at| at + scheme_end + 3);
    let mut credentials = None;
    if let Some(at) = url[scheme_end + 3..authority_end].rfind('@') {
        let user_info = percent_decoded(&url[scheme_end + 3..scheme_end + 3 + at]);
        let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(user_info)))
            .expect("base64 is valid in a header");
        value.set_sensitive(true);
        credentials = Some(value);
        url.replace_range(scheme_end + 3..scheme_end + 4 + at, "");
    }
    let uri: Uri = url.parse().map_err(|_| Malformed::Url)?;
    if uri.host().is_none_or(str::is_empty) {
        return Err(Malformed::Url);
    }
    Ok((uri, credentials))
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        if let Some(byte) = escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            out.push(byte);
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    out
}

fn headers(described: &[(String, String)]) -> Result<HeaderMap, Malformed> {
    let mut headers = HeaderMap::with_capacity(described.len() + 4);
    for (name, value) in described {
        let parsed = HeaderName::try_from(name.as_str()).map_err(|_| Malformed::Header(name.clone()))?;
        if CONNECTION_HEADERS.contains(&parsed.as_str()) {
            return Err(Malformed::ConnectionHeader(name.clone()));
        }
        let value = HeaderValue::from_bytes(value.trim().as_bytes()).map_err(|_| Malformed::Header(name.clone()))?;
        headers.append(parsed, value);
    }
    Ok(headers)
}

/// The bytes of a body before compression, and the content type that is added when there is none.
pub(crate) fn body(described: &Body) -> (Bytes, Option<HeaderValue>) {
    match described {
        Body::None => (Bytes::new(), None),
        Body::Json(json) => (json.clone(), Some(JSON)),
        Body::Form(pairs) => (Bytes::from(encode::form(pairs)), Some(FORM)),
        Body::Xml(xml) => (Bytes::copy_from_slice(xml.as_bytes()), None),
        Body::Raw(raw) => (raw.clone(), None),
    }
}

fn gzip(body: &[u8]) -> Bytes {
    let mut encoder =
        flate2::write::GzEncoder::new(Vec::with_capacity(body.len() / 3 + 64), flate2::Compression::fast());
    encoder.write_all(body).expect("a Vec takes every write");
    Bytes::from(encoder.finish().expect("a Vec takes every write"))
}

#[cfg(test)]
mod tests;
