//! Where an answer sends a request on to.

use hyper::header::{HeaderMap, LOCATION};
use pintle_runtime::fetch::Request;

/// Headers that are meant for one host and nobody else.
const SECRET_HEADERS: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

/// The request that follows a redirect; none when the answer is no redirect, or a broken one.
pub(super) fn next(request: &Request, status: u16, headers: &HeaderMap) -> Option<Request> {
    let becomes_get = match status {
        301 | 302 => request.method == "POST",
        303 => request.method != "HEAD",
        307 | 308 => false,
        _ => return None,
    };
    let location = headers.get(LOCATION)?.to_str().ok()?;
    let url = join(&request.url, location)?;
    let elsewhere = authority(&url) != authority(&request.url);
    let mut next = Request { url, ..request.clone() };
    if becomes_get {
        next.method = "GET".to_owned();
        next.body = None;
    }
    next.headers.retain(|(name, _)| {
        let is = |list: &[&str]| list.iter().any(|one| name.eq_ignore_ascii_case(one));
        !(elsewhere && is(&SECRET_HEADERS) || becomes_get && is(&["content-type"]))
    });
    Some(next)
}

/// Scheme and host of an absolute URL, and what follows them.
fn split(url: &str) -> Option<(&str, &str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    Some((scheme, &rest[..end], &rest[end..]))
}

fn authority(url: &str) -> Option<(String, String)> {
    let (scheme, authority, _) = split(url)?;
    Some((scheme.to_ascii_lowercase(), authority.to_ascii_lowercase()))
}

/// The address that a reference means, seen from a URL.
fn join(base: &str, reference: &str) -> Option<String> {
    let reference = reference.trim().split('#').next().unwrap_or_default();
    let (scheme, authority, path) = split(base)?;
    if let Some(colon) = reference.find(':')
        && reference[..colon].chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    {
        return Some(reference.to_owned());
    }
    if reference.starts_with("//") {
        return Some(format!("{scheme}:{reference}"));
    }
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let joined = match reference.chars().next() {
        None => return Some(base.split('#').next().unwrap_or(base).to_owned()),
        Some('/') => reference.to_owned(),
        Some('?') => format!("{path}{reference}"),
        Some(_) => format!("{}/{reference}", path.rsplit_once('/').map_or("", |(folder, _)| folder)),
    };
    let (path, query) = joined.split_once('?').map_or((joined.as_str(), None), |(path, query)| (path, Some(query)));
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    Some(format!("{scheme}://{authority}{}{query}", without_dots(path)))
}

/// A path without `.` and `..`.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            ".." => _ = kept.pop(),
            "." => {}
            segment => {
                kept.push(segment);
                continue;
            }
        }
        if last {
            kept.push("");
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    #[test]
    fn a_reference_is_seen_from_where_it_stood() {
        let base = "https://a.test/x/y/z?q=1";
        for (reference, url) in [
            ("http://b.test/w", "http://b.test/w"),
            ("//b.test/w", "https://b.test/w"),
            ("/w?p", "https://a.test/w?p"),
            ("w", "https://a.test/x/y/w"),
            ("../w#part", "https://a.test/x/w"),
            ("../../../..", "https://a.test/"),
            ("./", "https://a.test/x/y/"),
            ("?p=2", "https://a.test/x/y/z?p=2"),
            ("", "https://a.test/x/y/z?q=1"),
            ("javascript:alert(1)", "javascript:alert(1)"),
        ] {
            assert_eq!(join(base, reference).as_deref(), Some(url), "{reference}");
        }
        assert_eq!(join("https://a.test", "w").as_deref(), Some("https://a.test/w"));
        assert_eq!(join("nonsense", "w"), None);
    }

    fn redirected(status: u16, location: &'static str) -> Option<Request> {
        let request = Request {
            method: "POST".to_owned(),
            url: "https://a.test/".to_owned(),
            headers: ["Authorization", "Content-Type", "X-Own"].map(|name| (name.to_owned(), "v".to_owned())).to_vec(),
            body: Some("b".into()),
            follow: true,
        };
        let headers = HeaderMap::from_iter([(LOCATION, HeaderValue::from_static(location))]);
        next(&request, status, &headers)
    }

    #[test]
    fn method_and_body_go_as_browsers_let_them_go() {
        let names = |request: &Request| request.headers.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        let found = redirected(302, "/w").unwrap();
        assert_eq!((found.method.as_str(), found.body.is_none()), ("GET", true));
        assert_eq!(names(&found), ["Authorization", "X-Own"]);
        let kept = redirected(307, "/w").unwrap();
        assert_eq!((kept.method.as_str(), kept.body.is_none()), ("POST", false));
        assert!(redirected(200, "/w").is_none() && redirected(304, "/w").is_none());
    }

    #[test]
    fn secrets_do_not_travel_to_another_host() {
        for elsewhere in ["https://b.test/", "http://a.test/", "https://a.test:444/"] {
            let next = redirected(308, elsewhere).unwrap();
            assert!(next.headers.iter().all(|(name, _)| name != "Authorization"), "{elsewhere}");
        }
    }
}
