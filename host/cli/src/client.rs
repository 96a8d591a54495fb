//! The HTTP client of the admin API.

use crate::failure::{Exit, Failure};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::Client as Connections;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use pintle_control::problem::Problem;
use serde::de::DeserializeOwned;
use std::fmt::Write;
use std::time::Duration;

/// The largest answer that is read, in bytes: a page of dead letters stays far below.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The longest line of a stream, in bytes.
const LINE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an answer may take to begin and to end. Streams may go on for ever.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

pub(crate) struct Client {
    base: String,
    connections: Connections<HttpConnector, Empty<Bytes>>,
}

impl Client {
    pub(crate) fn new(admin: &str) -> Result<Client, Failure> {
        let base = admin.trim_end_matches('/').to_owned();
        let uri: Option<Uri> = base.parse().ok();
        let fits = |u: &Uri| u.scheme_str() == Some("http") && u.host().is_some() && matches!(u.path(), "" | "/");
        if !uri.as_ref().is_some_and(fits) {
            let message = format!("--admin {admin} is not an address like http://127.0.0.1:8081");
            return Err(Failure::new(Exit::Usage, message));
        }
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let connections = Connections::builder(TokioExecutor::new()).build(connector);
        Ok(Client { base, connections })
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.ask(Method::GET, path).await
    }

    pub(crate) async fn post<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.ask(Method::POST, path).await
    }

    async fn ask<T: DeserializeOwned>(&self, method: Method, path: &str) -> Result<T, Failure> {
        let response = self.send(method, path).await?;
        let body = self.read(response.into_body()).await?;
        serde_json::from_slice(&body).map_err(|error| self.strange(&error.to_string()))
    }

    /// The lines of a stream, one at a time.
    pub(crate) async fn lines(&self, path: &str) -> Result<Lines, Failure> {
        let response = self.send(Method::GET, path).await?;
        Ok(Lines { body: response.into_body(), buffer: Vec::new() })
    }

    async fn send(&self, method: Method, path: &str) -> Result<Response<Incoming>, Failure> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .body(Empty::new())
            .map_err(|error| Failure::new(Exit::Usage, format!("the request is wrong: {error}")))?;
        let answer = tokio::time::timeout(ANSWER_TIMEOUT, self.connections.request(request)).await;
        let response = match answer {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(self.unreachable(&cause(&error))),
            Err(_) => return Err(self.unreachable("no answer within 30 s")),
        };
        if response.status().is_success() { Ok(response) } else { Err(self.problem(response).await) }
    }

    async fn problem(&self, response: Response<Incoming>) -> Failure {
        let status = response.status();
        let body = match self.read(response.into_body()).await {
            Ok(body) => body,
            Err(failure) => return failure,
        };
        let Ok(problem) = serde_json::from_slice::<Problem>(&body) else {
            return self.strange(&format!("status {status}"));
        };
        let exit = match status {
            StatusCode::BAD_REQUEST => Exit::Usage,
            StatusCode::SERVICE_UNAVAILABLE => Exit::Unreachable,
            _ => Exit::Failed,
        };
        Failure::new(exit, problem.detail)
    }

    async fn read(&self, body: Incoming) -> Result<Bytes, Failure> {
        let collect = Limited::new(body, ANSWER_BYTES_MAX).collect();
        match tokio::time::timeout(ANSWER_TIMEOUT, collect).await {
            Ok(Ok(body)) => Ok(body.to_bytes()),
            Ok(Err(error)) => Err(self.unreachable(&error.to_string())),
            Err(_) => Err(self.unreachable("the answer did not end within 30 s")),
        }
    }

    fn unreachable(&self, why: &str) -> Failure {
        let message = format!(
            "no Pintle answers at {}: {why}; start one with `pintle up`, or name another with --admin",
            self.base
        );
        Failure::new(Exit::Unreachable, message)
    }

    fn strange(&self, what: &str) -> Failure {
        let message = format!(
            "{} answers, but not as the admin API of this version would ({what}); is --admin the \
             gateway's port?",
            self.base
        );
        Failure::new(Exit::Failed, message)
    }
}

/// The innermost cause: "connection refused" says more than "client error (Connect)".
fn cause(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

pub(crate) struct Lines {
    body: Incoming,
    buffer: Vec<u8>,
}

impl Lines {
    /// The next line without its end; `None` when the stream is over. A line that was cut off is not one.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let mut searched = 0;
        loop {
            if let Some(end) = self.buffer[searched..].iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.buffer.drain(..=searched + end).collect();
                line.pop();
                return Ok(Some(line));
            }
            searched = self.buffer.len();
            if searched > LINE_BYTES_MAX {
                return Err(Failure::new(Exit::Failed, "a line of the stream is longer than 16 MiB"));
            }
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    if let Some(data) = frame.data_ref() {
                        self.buffer.extend_from_slice(data);
                    }
                }
                Some(Err(error)) => {
                    let message = format!("the stream broke off: {}", cause(&error));
                    return Err(Failure::new(Exit::Failed, message));
                }
                None => return Ok(None),
            }
        }
    }
}

/// A text as one segment of a path or one value of a query.
pub(crate) fn encoded(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(byte as char);
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests;
