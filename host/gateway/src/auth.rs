//! The write key: the user name of basic authentication. The password does not matter.

use crate::rejection::Rejection;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;
use pintle_catalog::Catalog;

/// Longer credentials than this belong to no source.
const CREDENTIALS_BYTES_MAX: usize = 510;

/// The id of the source that the request's write key belongs to.
pub(crate) fn source<'c>(headers: &HeaderMap, catalog: &'c Catalog) -> Result<&'c str, Rejection> {
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
    let write_key = std::str::from_utf8(write_key).map_err(|_| Rejection::UnknownWriteKey)?;
    let (id, source) = catalog.source_by_write_key(write_key).ok_or(Rejection::UnknownWriteKey)?;
    if source.enabled { Ok(id) } else { Err(Rejection::SourceDisabled) }
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
    use pintle_catalog::Source;

    fn ask(header: Option<&str>) -> Result<String, &'static str> {
        let mut catalog = Catalog::default();
        for (id, enabled) in [("on", true), ("off", false)] {
            let source =
                Source { name: id.to_owned(), write_key: format!("key-{id}"), enabled, transformations: vec![] };
            catalog.sources.insert(id.to_owned(), source);
        }
        let mut headers = HeaderMap::new();
        if let Some(header) = header {
            headers.insert(AUTHORIZATION, header.parse().unwrap());
        }
        source(&headers, &catalog).map(str::to_owned).map_err(|rejection| rejection.reason())
    }

    fn basic(credentials: &str) -> String {
        format!("Basic {}", STANDARD.encode(credentials))
    }

    #[test]
    fn the_user_name_is_the_write_key_and_the_password_is_ignored() {
        assert_eq!(ask(Some(&basic("key-on:"))), Ok("on".to_owned()));
        assert_eq!(ask(Some(&basic("key-on:secret:more"))), Ok("on".to_owned()));
        assert_eq!(ask(Some(&basic("key-on:").replace("Basic", "bASIC"))), Ok("on".to_owned()));
    }

    #[test]
    fn without_a_readable_user_name_there_is_no_write_key() {
        for header in [None, Some("Basic"), Some("Bearer abc"), Some("Basic !!!"), Some("")] {
            assert_eq!(ask(header), Err("no-write-key"), "{header:?}");
        }
        assert_eq!(ask(Some(&basic(":password"))), Err("no-write-key"));
        assert_eq!(ask(Some(&basic("key-on"))), Err("no-write-key"));
    }

    #[test]
    fn a_key_of_no_source_is_unknown_however_long_it_is() {
        assert_eq!(ask(Some(&basic("other:"))), Err("unknown-write-key"));
        assert_eq!(ask(Some(&basic(&format!("{}:", "k".repeat(5_000))))), Err("unknown-write-key"));
    }

    #[test]
    fn a_disabled_source_says_so() {
        assert_eq!(ask(Some(&basic("key-off:"))), Err("source-disabled"));
    }
}
