//! Bodies and queries of requests.

use super::Api;
use crate::problem::{Code, Problem};
use axum::body::Body;
use axum::extract::Query;
use axum::http::{HeaderMap, Uri};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

/// The header that says why something is changed.
pub(super) const REASON: &str = "pintle-reason";
/// The longest reason or note, in bytes.
pub(super) const NOTE_BYTES_MAX: usize = 1_000;

/// A JSON document of at most `body-bytes-max`.
pub(super) async fn json<T: DeserializeOwned>(api: &Api, body: Body) -> Result<T, Problem> {
    parse(&bytes(body, api.config.body_bytes_max, "body-bytes-max").await?)
}

/// A JSON document that may be left out.
pub(super) async fn json_or_default<T: DeserializeOwned + Default>(api: &Api, body: Body) -> Result<T, Problem> {
    let bytes = bytes(body, api.config.body_bytes_max, "body-bytes-max").await?;
    if bytes.trim_ascii().is_empty() { Ok(T::default()) } else { parse(&bytes) }
}

pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|error| {
        Problem::new(Code::BadRequest, format!("the body is not the JSON that is expected here: {error}"))
    })
}

/// Code or a component of at most `upload-bytes-max`.
pub(super) async fn upload(api: &Api, body: Body) -> Result<Bytes, Problem> {
    let bytes = bytes(body, api.config.upload_bytes_max, "upload-bytes-max").await?;
    if bytes.trim_ascii().is_empty() {
        return Err(Problem::new(Code::BadRequest, "the body is empty; send the code as it is"));
    }
    Ok(bytes)
}

async fn bytes(body: Body, max: usize, name: &str) -> Result<Bytes, Problem> {
    match Limited::new(body, max).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(Problem::new(Code::TooLarge, format!("the body has more than {max} bytes ({name})")))
        }
        Err(error) => Err(Problem::new(Code::BadRequest, format!("the body broke off: {error}"))),
    }
}

/// The parameters behind the `?`.
pub(super) fn query<T: DeserializeOwned>(uri: &Uri, known: &str) -> Result<T, Problem> {
    let query = Query::try_from_uri(uri);
    query
        .map(|Query(query)| query)
        .map_err(|error| Problem::new(Code::BadRequest, format!("{error}; the parameters here are {known}")))
}

/// Why something is changed, in the client's words.
pub(super) fn reason(headers: &HeaderMap, otherwise: impl FnOnce() -> String) -> Result<String, Problem> {
    let Some(value) = headers.get(REASON) else { return Ok(otherwise()) };
    let text =
        std::str::from_utf8(value.as_bytes()).map_err(|_| Problem::new(Code::BadRequest, "the reason is not UTF-8"))?;
    note(text)?;
    Ok(text.trim().to_owned())
}

/// Refuses a note that is too long.
pub(super) fn note(text: &str) -> Result<(), Problem> {
    if text.len() > NOTE_BYTES_MAX {
        let detail = format!("a reason or note may have {NOTE_BYTES_MAX} bytes, this one has {}", text.len());
        return Err(Problem::new(Code::BadRequest, detail));
    }
    Ok(())
}
