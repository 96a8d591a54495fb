//! Errors of the API: `application/problem+json`, from a short list of codes.

use crate::plant::Failure;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

/// The body of every answer that is not a success.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What kind of problem.
    pub code: Code,
    /// The HTTP status.
    pub status: u16,
    /// The kind in words.
    pub title: String,
    /// This very problem in words, and what to do about it.
    pub detail: String,
}

/// Every kind of problem there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// The request makes no sense.
    BadRequest,
    /// The request came through somebody else's web page.
    Forbidden,
    /// There is no such thing.
    NotFound,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// The thing is in a state that forbids it.
    Conflict,
    /// A limit of this API is reached.
    Busy,
    /// Not now; try again.
    Unavailable,
    /// We are broken; the log says how.
    Internal,
}

impl Code {
    fn parts(self) -> (StatusCode, &'static str) {
        match self {
            Code::BadRequest => (StatusCode::BAD_REQUEST, "the request makes no sense"),
            Code::Forbidden => (StatusCode::FORBIDDEN, "the request is not allowed"),
            Code::NotFound => (StatusCode::NOT_FOUND, "not found"),
            Code::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method not allowed"),
            Code::Conflict => (StatusCode::CONFLICT, "not possible in its present state"),
            Code::Busy => (StatusCode::TOO_MANY_REQUESTS, "a limit is reached"),
            Code::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "not available now"),
            Code::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal error"),
        }
    }
}

impl Problem {
    /// A problem of this kind.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Problem {
        let (status, title) = code.parts();
        Problem { code, status: status.as_u16(), title: title.to_owned(), detail: detail.into() }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Problem {
        match failure {
            Failure::Unavailable(reason) => Problem::new(Code::Unavailable, reason),
            Failure::Broken(reason) => {
                // The inside message may name tables and paths: it stays inside.
                tracing::error!(%reason, "admin request failed");
                Problem::new(Code::Internal, "the log of the server says what happened")
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, _) = self.code.parts();
        let mut response = (status, axum::Json(self)).into_response();
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}
