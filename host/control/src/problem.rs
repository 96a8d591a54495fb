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
    /// Every single thing that is wrong, when there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Detail>,
    /// Where in the code it is wrong, when code was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<Box<Place>>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail {
    /// What it is about, e.g. `connections.c.source` or `/webhookUrl`.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub fix: String,
}

/// A place in the user's code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The file.
    pub file: String,
    /// What is wrong.
    pub message: String,
    /// Line, from 1; 0 when unknown.
    pub line: u32,
    /// Column, from 1; 0 when unknown.
    pub column: u32,
    /// The line itself.
    pub excerpt: String,
    /// Frames of the user's code.
    pub stack: String,
}

/// Every kind of problem there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// The request makes no sense.
    BadRequest,
    /// A token is needed, or this one is not good.
    Unauthorized,
    /// The role does not include it, or the request came through somebody else's web page.
    Forbidden,
    /// There is no such thing.
    NotFound,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// The thing is in a state that forbids it.
    Conflict,
    /// It was changed since the client has read it.
    PreconditionFailed,
    /// The body is larger than it may be.
    TooLarge,
    /// The request is understood, and what it asks for would not be sound.
    Invalid,
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
            Code::Unauthorized => (StatusCode::UNAUTHORIZED, "a token is needed"),
            Code::Forbidden => (StatusCode::FORBIDDEN, "the request is not allowed"),
            Code::NotFound => (StatusCode::NOT_FOUND, "not found"),
            Code::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method not allowed"),
            Code::Conflict => (StatusCode::CONFLICT, "not possible in its present state"),
            Code::PreconditionFailed => (StatusCode::PRECONDITION_FAILED, "changed meanwhile"),
            Code::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too large"),
            Code::Invalid => (StatusCode::UNPROCESSABLE_ENTITY, "it would not be sound"),
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
        let (status, title) = (status.as_u16(), title.to_owned());
        Problem { code, status, title, detail: detail.into(), errors: Vec::new(), script: None }
    }

    /// The same, with every single thing that is wrong.
    #[must_use]
    pub fn with(self, errors: Vec<Detail>) -> Problem {
        Problem { errors, ..self }
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
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
