//! Sends one described request and reads its answer.
//!
//! A client belongs to one destination: it has a pool of its own, so that a destination whose
//! connections hang cannot use up anybody else's. It never follows a redirect: a 3xx is an answer like
//! any other, judged by the verdict rules, and a destination cannot send us to an address nobody configured.
//! What a request may reach is decided here and nowhere else: the plugin's manifest names the hosts, and an
//! address that is not public is refused, whatever its name, unless the operator has allowed it.

pub(crate) mod build;
mod deadline;
mod encode;
mod errors;
mod passed;
mod resolve;
mod trust;

pub use build::Malformed;
pub(crate) use errors::cause;
pub use trust::{Trust, Untrusted};

use crate::config::Config;
use bytes::{Bytes, BytesMut};
use deadline::Deadline;
use errors::{Connected, describe};
use http_body_util::{BodyExt as _, Full};
use hyper::Uri;
use hyper::body::Incoming;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Builder, Client};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use pintle_runtime::destination::{Request, Response};
use pintle_runtime::egress::{Hosts, Networks, Refusal};
use resolve::Resolver;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// The HTTP client of one destination.
#[derive(Clone, Debug)]
pub struct HttpClient {
    client: Client<Deadline<HttpsConnector<HttpConnector<Resolver>>>, Full<Bytes>>,
    limits: Arc<Limits>,
    hosts: Arc<Hosts>,
    networks: Arc<Networks>,
    /// A header that every request has.
    mark: Option<(HeaderName, HeaderValue)>,
}

#[derive(Debug)]
struct Limits {
    attempt: Duration,
    first_byte: Duration,
    body_bytes: usize,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Unanswered {
    /// The request could not be built.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The request wanted to go where it may not.
    #[error("the request was not sent: {0}")]
    Forbidden(#[from] Refusal),
    /// The network or the other side failed.
    #[error("{0}")]
    Network(String),
    /// A time limit has passed.
    #[error("{what} within {limit:?} ({name})")]
    TimedOut {
        /// What did not happen.
        what: &'static str,
        /// The limit.
        limit: Duration,
        /// The name of the setting.
        name: &'static str,
    },
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// At most `response-bytes-max`.
    pub(crate) body: Bytes,
}

impl Answer {
    /// The answer as `conclude` takes it.
    pub(crate) fn to_response(&self) -> Response {
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = self.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
        Response { status: self.status, headers, body: self.body.clone() }
    }
}

impl HttpClient {
    /// A client that trusts the usual public authorities and reaches these hosts.
    #[must_use]
    pub fn new(config: &Config, hosts: Hosts) -> HttpClient {
        HttpClient::trusting(config, hosts, &Trust::public())
    }

    /// A client that trusts these authorities and reaches these hosts.
    #[must_use]
    pub fn trusting(config: &Config, hosts: Hosts, trust: &Trust) -> HttpClient {
        let https = HttpsConnectorBuilder::new().with_tls_config(trust.client());
        let networks = Arc::new(config.egress_allow.clone());
        let mut tcp = HttpConnector::new_with_resolver(Resolver::new(networks.clone()));
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(config.connect_timeout));
        let connector = https.https_or_http().enable_all_versions().wrap_connector(tcp);
        // The one above is divided among a name's addresses and ends with TCP; this one bounds all of it.
        let connector = Deadline::new(connector, config.connect_timeout);
        let client = client(config.connection_idle_max, config.concurrency_max, config.response_head_bytes_max)
            .http2_max_header_list_size(u32::try_from(config.response_head_bytes_max.get()).unwrap_or(u32::MAX))
            // A dead connection would take every request to its place until each ran out of time.
            .http2_keep_alive_interval(config.http2_ping_interval)
            .http2_keep_alive_timeout(config.http2_ping_timeout)
            .http2_keep_alive_while_idle(true)
            .build(connector);
        let limits = Limits {
            attempt: config.attempt_timeout,
            first_byte: config.first_byte_timeout.min(config.attempt_timeout),
            body_bytes: config.response_bytes_max.get(),
        };
        HttpClient { client, limits: Arc::new(limits), hosts: Arc::new(hosts), networks, mark: None }
    }

    /// The same, with a header on every request, whatever the plugin says.
    #[must_use]
    pub fn marked(self, name: &'static str, value: i64) -> HttpClient {
        HttpClient { mark: Some((HeaderName::from_static(name), value.into())), ..self }
    }

    /// Sends the request and reads its answer.
    pub(crate) async fn send(&self, request: &Request) -> Result<Answer, Unanswered> {
        let mut request = build::build(request)?;
        if let Some((name, value)) = &self.mark {
            request.headers_mut().insert(name.clone(), value.clone());
        }
        self.check(request.uri())?;
        let begun = Instant::now();
        let limits = &*self.limits;
        let head = timeout_at(begun + limits.first_byte, self.client.request(request)).await;
        let (head, body) = match head {
            Ok(Ok(answer)) => answer.into_parts(),
            Ok(Err(error)) => {
                return Err(match cause::<Refusal>(&error) {
                    Some(refusal) => Unanswered::Forbidden(refusal),
                    None => Unanswered::Network(describe(&error, Connected::of(&error))),
                });
            }
            Err(_) => {
                let name = if limits.first_byte < limits.attempt { "first-byte-timeout" } else { "attempt-timeout" };
                return Err(Unanswered::TimedOut { what: "no answer came", limit: limits.first_byte, name });
            }
        };
        let body = match timeout_at(begun + limits.attempt, read(body, limits.body_bytes)).await {
            Ok(Ok(body)) => body,
            Ok(Err(error)) => {
                let why = describe(&error, Connected::Yes);
                return Err(Unanswered::Network(format!("the answer {} broke off: {why}", head.status.as_u16())));
            }
            Err(_) => {
                let what = "the answer did not end";
                return Err(Unanswered::TimedOut { what, limit: limits.attempt, name: "attempt-timeout" });
            }
        };
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
    }

    /// Why this request would not be sent, as far as can be told without sending it.
    pub(crate) fn refusal(&self, request: &Request) -> Option<Unanswered> {
        let built = match build::build(request) {
            Ok(built) => built,
            Err(malformed) => return Some(malformed.into()),
        };
        self.check(built.uri()).err().map(Unanswered::from)
    }

    /// Whether the request may go there, as far as can be told before names are resolved. An address in the
    /// URL never meets the resolver.
    fn check(&self, uri: &Uri) -> Result<(), Refusal> {
        let host = uri.host().unwrap_or_default();
        self.hosts.check(host, port(uri))?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        bare.parse::<IpAddr>().map_or(Ok(()), |address| self.networks.check(address))
    }
}

/// A client that keeps so many connections to a place, for so long, and reads so much of an answer's head.
pub(crate) fn client(idle_max: Duration, kept_max: NonZeroUsize, head_bytes_max: NonZeroUsize) -> Builder {
    let mut builder = Client::builder(TokioExecutor::new());
    builder
        .pool_timer(TokioTimer::new())
        .timer(TokioTimer::new())
        .pool_idle_timeout(idle_max)
        .pool_max_idle_per_host(kept_max.get())
        // hyper panics below 8 KiB.
        .http1_max_buf_size(head_bytes_max.get().max(8 << 10));
    builder
}

/// The port that a request goes to.
pub(crate) fn port(uri: &Uri) -> u16 {
    uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 })
}

/// What went wrong with a request, in a sentence.
pub(crate) fn describe_failure(error: &hyper_util::client::legacy::Error) -> String {
    describe(error, Connected::of(error))
}

/// The body up to the limit. What lies beyond is not read, and the connection is not used again.
async fn read(mut body: Incoming, bytes_max: usize) -> Result<Bytes, hyper::Error> {
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        let read = first.len() + all.len();
        if read + data.len() > bytes_max {
            all.extend_from_slice(&first);
            first.clear();
            all.extend_from_slice(&data[..bytes_max - read]);
            return Ok(all.freeze());
        }
        if first.is_empty() && all.is_empty() {
            first = data; // Nearly every answer is one frame: no copy.
        } else {
            all.extend_from_slice(&first);
            first.clear();
            all.extend_from_slice(&data);
        }
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}
