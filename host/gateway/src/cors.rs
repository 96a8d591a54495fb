//! Cross-origin requests: browsers of any origin may send events, with credentials.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderValue, ORIGIN, VARY,
};
use hyper::{Method, Response, StatusCode};

/// For how long a browser may remember the answer to a preflight, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("900");
/// What a page may read of an answer besides its status and body.
const EXPOSED: HeaderValue = HeaderValue::from_static("Retry-After, X-Pintle-Limit, X-Pintle-Rejected");
const YES: HeaderValue = HeaderValue::from_static("true");
const METHODS: [Method; 3] = [Method::GET, Method::POST, Method::HEAD];

/// The answer, when the request is a preflight.
pub(crate) fn preflight(method: &Method, headers: &HeaderMap) -> Option<Response<Full<Bytes>>> {
    if *method != Method::OPTIONS {
        return None;
    }
    let wanted = headers.get(ACCESS_CONTROL_REQUEST_METHOD)?;
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let answer = response.headers_mut();
    answer.insert(
        VARY,
        HeaderValue::from_static("Origin, Access-Control-Request-Method, Access-Control-Request-Headers"),
    );
    let allowed = METHODS.iter().any(|method| method.as_str().as_bytes() == wanted.as_bytes());
    if let Some(origin) = headers.get(ORIGIN)
        && allowed
    {
        answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        answer.insert(ACCESS_CONTROL_ALLOW_METHODS, wanted.clone());
        if let Some(names) = headers.get(ACCESS_CONTROL_REQUEST_HEADERS) {
            answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, names.clone());
        }
        answer.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, YES);
        answer.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    }
    Some(response)
}

/// Lets a page of this origin read the answer.
pub(crate) fn allow(origin: Option<HeaderValue>, answer: &mut HeaderMap) {
    if let Some(origin) = origin {
        answer.insert(VARY, HeaderValue::from_static("Origin"));
        answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        answer.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, YES);
        // Without it a page cannot see when to come again.
        answer.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(hyper::header::HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn a_preflight_lets_every_origin_and_every_header_through() {
        let request = headers(&[
            (ORIGIN, "https://shop.example.com"),
            (ACCESS_CONTROL_REQUEST_METHOD, "POST"),
            (ACCESS_CONTROL_REQUEST_HEADERS, "anonymousid,authorization"),
        ]);
        let response = preflight(&Method::OPTIONS, &request).unwrap();
        assert_eq!(response.status(), 204);
        let answer = response.headers();
        assert_eq!(answer[ACCESS_CONTROL_ALLOW_ORIGIN], "https://shop.example.com");
        assert_eq!(answer[ACCESS_CONTROL_ALLOW_METHODS], "POST");
        assert_eq!(answer[ACCESS_CONTROL_ALLOW_HEADERS], "anonymousid,authorization");
        assert_eq!(answer[ACCESS_CONTROL_ALLOW_CREDENTIALS], "true");
        assert_eq!(answer[ACCESS_CONTROL_MAX_AGE], "900");
    }

    #[test]
    fn a_method_that_no_page_may_use_is_not_allowed() {
        let request = headers(&[(ORIGIN, "https://a.example"), (ACCESS_CONTROL_REQUEST_METHOD, "DELETE")]);
        let response = preflight(&Method::OPTIONS, &request).unwrap();
        assert!(!response.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));
    }

    #[test]
    fn options_without_a_wanted_method_is_no_preflight() {
        assert!(preflight(&Method::OPTIONS, &HeaderMap::new()).is_none());
        let request = headers(&[(ACCESS_CONTROL_REQUEST_METHOD, "POST")]);
        assert!(preflight(&Method::POST, &request).is_none());
    }
}
