//! The HTTP client of the admin API.

use crate::args::Server;
use crate::failure::{Exit, Failure};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, ETAG, HeaderValue};
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as Connections;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use pintle_control::problem::Problem;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The largest answer that is read, in bytes: a page of dead letters stays far below.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The longest line of a stream, in bytes.
const LINE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an answer may take to begin and to end: a component that is uploaded is compiled first. Streams may
/// go on for ever.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);

pub(crate) struct Client {
    base: String,
    token: Option<HeaderValue>,
    connections: Connections<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// What a request carries.
pub(crate) enum Sent {
    Nothing,
    Json(Value),
    Bytes(Vec<u8>),
}

/// A good answer.
pub(crate) struct Reply {
    /// The state of the thing that it shows.
    pub(crate) tag: Option<String>,
    pub(crate) body: Bytes,
}

impl Reply {
    /// The document in it.
    pub(crate) fn json<T: DeserializeOwned>(&self, client: &Client) -> Result<T, Failure> {
        serde_json::from_slice(&self.body).map_err(|error| client.strange(&error.to_string()))
    }
}

impl Client {
    /// A client of the server that was named, with the token that was given.
    pub(crate) fn of(server: &Server) -> Result<Client, Failure> {
        let token =
            match (&server.token_file, &server.token) {
                (Some(file), _) => {
                    let read = std::fs::read_to_string(file);
                    Some(read.map_err(|error| {
                        Failure::new(Exit::Usage, format!("--token-file {}: {error}", file.display()))
                    })?)
                }
                (None, token) => token.clone(),
            };
        Client::new(&server.admin, token.as_deref(), server.admin_ca.as_deref())
    }

    /// A client of this address.
    pub(crate) fn new(admin: &str, token: Option<&str>, ca: Option<&Path>) -> Result<Client, Failure> {
        let base = admin.trim_end_matches('/').to_owned();
        let uri: Option<Uri> = base.parse().ok();
        let known = |scheme: Option<&str>| matches!(scheme, Some("http" | "https"));
        let fits = |u: &Uri| known(u.scheme_str()) && u.host().is_some() && matches!(u.path(), "" | "/");
        if !uri.as_ref().is_some_and(fits) {
            let message = format!("--admin {admin} is not an address like http://127.0.0.1:8081");
            return Err(Failure::new(Exit::Usage, message));
        }
        let token = token.map(|token| HeaderValue::from_str(&format!("Bearer {}", token.trim())));
        let token =
            token.transpose().map_err(|_| Failure::new(Exit::Usage, "the token is not one that Pintle makes"))?;
        let token = token.map(|mut token| {
            token.set_sensitive(true);
            token
        });
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(trust(ca)?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let connections = Connections::builder(TokioExecutor::new()).build(connector);
        Ok(Client { base, token, connections })
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.send(Method::GET, path, Sent::Nothing, &[]).await?.json(self)
    }

    /// A thing and its tag.
    pub(crate) async fn tagged(&self, path: &str) -> Result<(Value, Option<String>), Failure> {
        let reply = self.send(Method::GET, path, Sent::Nothing, &[]).await?;
        Ok((reply.json(self)?, reply.tag))
    }

    /// A thing and its tag, if it is there.
    pub(crate) async fn find(&self, path: &str) -> Result<Option<(Value, Option<String>)>, Failure> {
        let response = self.request(Method::GET, path, Sent::Nothing, &[]).await?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let reply = self.good(response).await?;
        Ok(Some((reply.json(self)?, reply.tag)))
    }

    /// Asks, and gives the answer when it is a good one.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        sent: Sent,
        headers: &[(&'static str, String)],
    ) -> Result<Reply, Failure> {
        let response = self.request(method, path, sent, headers).await?;
        self.good(response).await
    }

    async fn good(&self, response: Response<Incoming>) -> Result<Reply, Failure> {
        if !response.status().is_success() {
            return Err(self.problem(response).await);
        }
        let tag = response.headers().get(ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        Ok(Reply { tag, body: self.read(response.into_body()).await? })
    }

    /// The lines of a stream, one at a time.
    pub(crate) async fn lines(&self, path: &str) -> Result<Lines, Failure> {
        let response = self.request(Method::GET, path, Sent::Nothing, &[]).await?;
        if !response.status().is_success() {
            return Err(self.problem(response).await);
        }
        Ok(Lines { body: response.into_body(), buffer: Vec::new() })
    }

    async fn request(
        &self,
        method: Method,
        path: &str,
        sent: Sent,
        headers: &[(&'static str, String)],
    ) -> Result<Response<Incoming>, Failure> {
        let (body, kind) = match sent {
            Sent::Nothing => (Bytes::new(), None),
            Sent::Json(document) => (document.to_string().into(), Some("application/json")),
            Sent::Bytes(bytes) => (bytes.into(), Some("application/octet-stream")),
        };
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        if let Some(kind) = kind {
            request = request.header(CONTENT_TYPE, kind);
        }
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, token);
        }
        for (name, value) in headers {
            request = request.header(*name, value.as_bytes());
        }
        let request = request
            .body(Full::new(body))
            .map_err(|error| Failure::new(Exit::Usage, format!("the request is wrong: {error}")))?;
        match tokio::time::timeout(ANSWER_TIMEOUT, self.connections.request(request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(self.unreachable(&cause(&error))),
            Err(_) => Err(self.unreachable("no answer within 120 s")),
        }
    }

    async fn problem(&self, response: Response<Incoming>) -> Failure {
        let status = response.status();
        let body = match self.read(response.into_body()).await {
            Ok(body) => body,
            Err(failure) => return failure,
        };
        let Ok(mut problem) = serde_json::from_slice::<Problem>(&body) else {
            return self.strange(&format!("status {status}"));
        };
        let exit = match status {
            StatusCode::BAD_REQUEST => Exit::Usage,
            StatusCode::SERVICE_UNAVAILABLE => Exit::Unreachable,
            _ => Exit::Failed,
        };
        if let Some(place) = problem.script.take().filter(|place| !place.excerpt.is_empty()) {
            let caret = " ".repeat((place.column.max(1) - 1) as usize);
            problem.detail.push_str(&format!("\n  {}\n  {caret}^", place.excerpt));
        }
        for error in problem.errors.iter().skip(1) {
            problem.detail.push_str(&format!("\n{}: {}; {}", error.path, error.message, error.fix));
        }
        Failure::new(exit, problem.detail)
    }

    async fn read(&self, body: Incoming) -> Result<Bytes, Failure> {
        let collect = Limited::new(body, ANSWER_BYTES_MAX).collect();
        match tokio::time::timeout(ANSWER_TIMEOUT, collect).await {
            Ok(Ok(body)) => Ok(body.to_bytes()),
            Ok(Err(error)) => Err(self.unreachable(&error.to_string())),
            Err(_) => Err(self.unreachable("the answer did not end within 120 s")),
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

/// Whom the client trusts: the public authorities, or those of a file.
fn trust(ca: Option<&Path>) -> Result<ClientConfig, Failure> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
    let Some(file) = ca else { return Ok(builder.with_webpki_roots().with_no_client_auth()) };
    let unusable = |why: String| Failure::new(Exit::Usage, format!("--admin-ca {}: {why}", file.display()));
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| unusable(error.to_string()))? {
        let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
        roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(unusable("it holds no certificate in PEM form".to_owned()));
    }
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
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
