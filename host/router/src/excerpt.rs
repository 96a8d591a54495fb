//! What a dead letter shows of the last request and its answer.

use crate::http::{Answer, build};
use crate::mask::Mask;
use pintle_runtime::destination::Request;
use std::borrow::Cow;
use std::fmt::Write as _;

/// Headers whose value is a credential whatever the configuration says.
const CREDENTIALS: [&str; 12] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "api-key",
    "x-api-key",
    "x-goog-api-key",
    "x-auth-token",
    "x-access-token",
    "x-csrf-token",
    "x-amz-security-token",
    "x-shopify-access-token",
];

/// Method, URL, headers and the start of the body before compression, without secrets.
pub(crate) fn request(request: &Request, mask: &Mask, bytes_max: usize) -> String {
    let mut text = format!("{} {}", build::method(request.method), without_credentials(&request.url));
    for (at, (name, value)) in request.query.iter().enumerate() {
        let joint = if at == 0 && !request.url.contains('?') { '?' } else { '&' };
        write!(text, "{joint}{name}={value}").expect("a String takes every write");
    }
    text.push('\n');
    headers(&mut text, request.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
    whole(text, &build::body(&request.body).0, mask, bytes_max)
}

/// `https://user:password@host/` as `https://***@host/`.
fn without_credentials(url: &str) -> Cow<'_, str> {
    let Some(start) = url.find("://").map(|at| at + 3) else { return Cow::Borrowed(url) };
    let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |at| start + at);
    match url[start..end].rfind('@') {
        Some(at) => Cow::Owned(format!("{}***{}", &url[..start], &url[start + at..])),
        None => Cow::Borrowed(url),
    }
}

/// Status, headers and the start of the body.
pub(crate) fn answer(answer: &Answer, mask: &Mask, bytes_max: usize) -> String {
    let mut text = format!("HTTP {}\n", answer.status);
    headers(&mut text, answer.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
    whole(text, &answer.body, mask, bytes_max)
}

fn headers<'a>(text: &mut String, headers: impl Iterator<Item = (&'a str, &'a [u8])>) {
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value);
        let shown = if CREDENTIALS.iter().any(|known| name.eq_ignore_ascii_case(known)) { "***" } else { &value };
        writeln!(text, "{name}: {shown}").expect("a String takes every write");
    }
}

fn whole(mut text: String, body: &[u8], mask: &Mask, bytes_max: usize) -> String {
    text = mask.excerpt(&text, bytes_max);
    let left = bytes_max.saturating_sub(text.len() + 1);
    if !body.is_empty() && left > 0 {
        text.push('\n');
        text.push_str(&mask.excerpt_bytes(body, left));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use hyper::header::{HeaderMap, HeaderValue};
    use pintle_runtime::destination::{Body, Method};

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn a_request_is_shown_without_its_secrets() {
        let described = Request {
            method: Method::Post,
            url: "https://a.example/p".to_owned(),
            query: vec![pair("key", "hush-hush"), pair("n", "1")],
            headers: vec![pair("X-Api-Key", "other"), pair("X-Token", "hush-hush"), pair("X-Plain", "yes")],
            body: Body::Json(Bytes::from_static(br#"{"k":"hush-hush","v":1}"#)),
            gzip: true,
        };
        let shown = request(&described, &Mask::new(["hush-hush"]), 4096);
        let expected = "POST https://a.example/p?key=***&n=1\n\
            X-Api-Key: ***\nX-Token: ***\nX-Plain: yes\n\n{\"k\":\"***\",\"v\":1}";
        assert_eq!(shown, expected);
        assert!(request(&described, &Mask::default(), 64).len() <= 64 + '…'.len_utf8());
    }

    #[test]
    fn credentials_in_a_url_are_not_shown() {
        assert_eq!(without_credentials("http://u:p@a.example/x@y"), "http://***@a.example/x@y");
        assert_eq!(without_credentials("http://a.example/x@y"), "http://a.example/x@y");
        assert_eq!(without_credentials("no url"), "no url");
    }

    #[test]
    fn an_answer_is_shown_up_to_the_limit() {
        let mut headers = HeaderMap::new();
        headers.insert("set-cookie", HeaderValue::from_static("session=1"));
        let given = Answer { status: 400, headers, body: Bytes::from(vec![b'x'; 100_000]) };
        let shown = answer(&given, &Mask::default(), 100);
        assert!(shown.starts_with("HTTP 400\nset-cookie: ***\n\nxxx"));
        assert!(shown.len() <= 100 + '…'.len_utf8());
    }
}
