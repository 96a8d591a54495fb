//! The write key, wherever a client puts it: the user name of basic authentication (the password does not
//! matter), the query, or a member of the body.

use crate::query;
use crate::rejection::Rejection;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;
use hyper::http::request::Parts;
use pintle_catalog::{Catalog, Source};

/// Longer credentials than this belong to no source.
const CREDENTIALS_BYTES_MAX: usize = 510;

/// Where a path's clients put the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the header; those that have none there, in the query or the body.
    Header,
    /// In the query: a browser that says good-bye, or loads a picture, cannot set headers.
    Query,
}

/// The source that a request's write key belongs to, by its id. None when only the body can say.
pub(crate) fn of_head<'c>(
    head: &Parts,
    place: Place,
    catalog: &'c Catalog,
) -> Result<Option<(&'c str, &'c Source)>, Rejection> {
    let in_query = || query::get(head.uri.query().unwrap_or_default(), "writeKey").filter(|key| !key.is_empty());
    let key = match place {
        Place::Header if head.headers.contains_key(AUTHORIZATION) => in_header(&head.headers)?,
        Place::Header => match in_query() {
            Some(key) => key,
            None => return Ok(None),
        },
        Place::Query => match in_query() {
            Some(key) => key,
            None if head.headers.contains_key(AUTHORIZATION) => in_header(&head.headers)?,
            None => return Err(Rejection::NoWriteKeyInQuery),
        },
    };
    source(&key, catalog).map(Some)
}

/// The source of a key.
pub(crate) fn source<'c>(key: &str, catalog: &'c Catalog) -> Result<(&'c str, &'c Source), Rejection> {
    let (id, source) = catalog.source_by_write_key(key).ok_or(Rejection::UnknownWriteKey)?;
    if source.enabled { Ok((id, source)) } else { Err(Rejection::SourceDisabled) }
}

fn in_header(headers: &HeaderMap) -> Result<String, Rejection> {
    let encoded = headers.get(AUTHORIZATION).and_then(|value| credentials(value.as_bytes()));
    let encoded = encoded.ok_or(Rejection::NoWriteKey)?;
    let mut decoded = [0; CREDENTIALS_BYTES_MAX];
    let length = match STANDARD.decode_slice(encoded, &mut decoded) {
        Ok(length) => length,
        Err(base64::DecodeSliceError::OutputSliceTooSmall) => return Err(Rejection::UnknownWriteKey),
        Err(base64::DecodeSliceError::DecodeError(_)) => return Err(Rejection::NoWriteKey),
    };
    let write_key = match decoded[..length].iter().position(|byte| *byte == b':') {
        Some(0) | None => return Err(Rejection::NoWriteKey),
        Some(colon) => &decoded[..colon],
    };
    std::str::from_utf8(write_key).map(str::to_owned).map_err(|_| Rejection::UnknownWriteKey)
}

/// What stands behind `Basic`.
fn credentials(header: &[u8]) -> Option<&[u8]> {
    const SCHEME: &[u8] = b"Basic ";
    let (scheme, credentials) = header.split_at_checked(SCHEME.len())?;
    scheme.eq_ignore_ascii_case(SCHEME).then_some(credentials)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(uri: &str, header: Option<&str>, place: Place) -> Result<Option<String>, &'static str> {
        let mut catalog = Catalog::default();
        for (id, enabled) in [("on", true), ("off", false)] {
            let source = Source { write_key: format!("key-{id}"), enabled, ..Source::default() };
            catalog.sources.insert(id.to_owned(), source);
        }
        let mut request = hyper::Request::post(uri);
        if let Some(header) = header {
            request = request.header(AUTHORIZATION, header);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        let found = of_head(&head, place, &catalog);
        found.map(|source| source.map(|(id, _)| id.to_owned())).map_err(|rejection| rejection.reason())
    }

    fn by_header(header: &str) -> Result<Option<String>, &'static str> {
        ask("/v1/track", Some(header), Place::Header)
    }

    fn basic(credentials: &str) -> String {
        format!("Basic {}", STANDARD.encode(credentials))
    }

    #[test]
    fn the_user_name_is_the_write_key_and_the_password_is_ignored() {
        for header in [basic("key-on:"), basic("key-on:secret:more"), basic("key-on:").replace("Basic", "bASIC")] {
            assert_eq!(by_header(&header), Ok(Some("on".to_owned())), "{header}");
        }
    }

    #[test]
    fn without_a_readable_user_name_there_is_no_write_key() {
        for header in ["Basic", "Bearer abc", "Basic !!!", ""] {
            assert_eq!(by_header(header), Err("no-write-key"), "{header:?}");
        }
        assert_eq!(by_header(&basic(":password")), Err("no-write-key"));
        assert_eq!(by_header(&basic("key-on")), Err("no-write-key"));
    }

    #[test]
    fn a_key_of_no_source_is_unknown_however_long_it_is() {
        assert_eq!(by_header(&basic("other:")), Err("unknown-write-key"));
        assert_eq!(by_header(&basic(&format!("{}:", "k".repeat(5_000)))), Err("unknown-write-key"));
    }

    #[test]
    fn a_disabled_source_says_so() {
        assert_eq!(by_header(&basic("key-off:")), Err("source-disabled"));
    }

    #[test]
    fn without_a_header_the_query_may_have_it_and_then_the_body() {
        assert_eq!(ask("/v1/batch?a=b&writeKey=key%2Don", None, Place::Header), Ok(Some("on".to_owned())));
        assert_eq!(ask("/v1/batch?writeKey=other", None, Place::Header), Err("unknown-write-key"));
        assert_eq!(ask("/v1/batch?writeKey=", None, Place::Header), Ok(None));
        let header = basic("key-on:");
        assert_eq!(ask("/v1/batch?writeKey=other", Some(&header), Place::Header), Ok(Some("on".to_owned())));
    }

    #[test]
    fn where_headers_cannot_be_set_the_query_comes_first() {
        let header = basic("other:");
        assert_eq!(ask("/beacon?writeKey=key-on", Some(&header), Place::Query), Ok(Some("on".to_owned())));
        assert_eq!(ask("/beacon", Some(&basic("key-on:")), Place::Query), Ok(Some("on".to_owned())));
        assert_eq!(ask("/beacon", None, Place::Query), Err("no-write-key-in-query"));
    }
}
