//! Carries the requests of transformations: the host's end of `fetch`.
//!
//! ```text
//!  request ─ granted host? ─ allowed header? ─ connect ─────────────────── answer ─ redirect? ─┐
//!               ▲                                 └ resolve, every address public or allowed?    │
//!               └────────────────────────────────────────────────────────────────────────────────┘
//! ```
//! Everything is asked again at each redirect. What a script is told when it may not go somewhere is part of
//! the contract that it was written for: some look at the words.

mod address;
mod config;
mod connector;
mod dial;
mod redirect;

pub use config::Config;
pub use dial::{Dial, Internet, Stream};

use crate::http::build::{CONNECTION_HEADERS, Malformed, build};
use crate::http::{cause, client, describe_failure, port};
use crate::metrics;
use bytes::Bytes;
use connector::{Connector, Refused};
use futures_util::stream::{self, StreamExt as _};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::header::HeaderMap;
use hyper::{Method, Uri};
use hyper_util::client::legacy::Client;
use pintle_runtime::destination::{self, Body};
use pintle_runtime::egress::{Hosts, Networks};
use pintle_runtime::fetch::{Answers, Network, Request, Response};
use std::sync::Arc;
use std::time::Instant;

/// Sends what transformations ask for.
pub struct Fetcher {
    client: Client<Connector, Full<Bytes>>,
    config: Config,
}

impl Fetcher {
    /// Over the internet, and to those private networks that the operator allows.
    #[must_use]
    pub fn new(config: Config, allowed: Networks) -> Fetcher {
        Fetcher::over(config, allowed, Arc::new(Internet::new()))
    }

    /// Over connections that somebody else makes; where they may lead is decided here all the same.
    #[must_use]
    pub fn over(config: Config, allowed: Networks, dial: Arc<dyn Dial>) -> Fetcher {
        let connector = Connector::new(dial, allowed, config.connect_timeout);
        let client =
            client(config.connection_idle_max, config.concurrency_max, config.response_head_bytes_max).build(connector);
        Fetcher { client, config }
    }

    async fn answer(&self, hosts: &Hosts, request: Request) -> Result<Response, String> {
        let (url, begun) = (request.url.clone(), Instant::now());
        let answer = match tokio::time::timeout(self.config.request_timeout, self.follow(hosts, request)).await {
            Ok(answer) => answer,
            Err(_) => {
                Err(failed(&url, &format!("no answer within {:?} (request-timeout)", self.config.request_timeout)))
            }
        };
        metrics::fetched(answer.is_ok(), begun.elapsed());
        answer
    }

    /// Sends a request, and those that its answers redirect to.
    async fn follow(&self, hosts: &Hosts, mut request: Request) -> Result<Response, String> {
        if request.body.as_ref().is_some_and(|body| body.len() > self.config.request_bytes_max.get()) {
            let max = self.config.request_bytes_max;
            return Err(failed(&request.url, &format!("its body has more than {max} bytes (request-bytes-max)")));
        }
        for _ in 0..=self.config.redirects_max {
            let (status, headers, body) = self.send(hosts, &request).await?;
            match redirect::next(&request, status, &headers) {
                Some(next) if request.follow => request = next,
                _ => {
                    let text =
                        |value: &hyper::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
                    let headers = headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
                    return Ok(Response { status, url: request.url, headers, body });
                }
            }
        }
        Err(failed(&request.url, &format!("more than {} redirects (redirects-max)", self.config.redirects_max)))
    }

    async fn send(&self, hosts: &Hosts, request: &Request) -> Result<(u16, HeaderMap, Bytes), String> {
        let url = &request.url;
        let built = prepare(request)?;
        check(hosts, built.uri()).map_err(|refusal| failed(url, &refusal))?;
        let answer = self.client.request(built).await.map_err(|error| match cause(&error) {
            Some(Refused::Literal(address)) => format!("blocked request to non-public address: {address}"),
            Some(refused) => failed(url, &refused.to_string()),
            None => failed(url, &describe_failure(&error)),
        })?;
        let (head, body) = answer.into_parts();
        let max = self.config.response_bytes_max.get();
        let body = Limited::new(body, max).collect().await.map_err(|error| {
            if error.is::<http_body_util::LengthLimitError>() {
                failed(url, &format!("the answer has more than {max} bytes (response-bytes-max)"))
            } else {
                failed(url, &format!("the answer broke off: {error}"))
            }
        })?;
        Ok((head.status.as_u16(), head.headers, body.to_bytes()))
    }
}

impl Network for Fetcher {
    fn fetch<'a>(&'a self, hosts: &'a Hosts, requests: Vec<Request>) -> Answers<'a> {
        let answers = stream::iter(requests).map(move |request| self.answer(hosts, request));
        Box::pin(answers.buffered(self.config.concurrency_max.get()).collect())
    }
}

/// As scripts know it.
fn failed(url: &str, reason: &str) -> String {
    format!("request to {url} failed, reason: {reason}")
}

fn check(hosts: &Hosts, uri: &Uri) -> Result<(), String> {
    hosts.check(uri.host().unwrap_or_default(), port(uri)).map_err(|refusal| refusal.to_string())
}

/// The request as hyper takes it.
fn prepare(request: &Request) -> Result<hyper::Request<Full<Bytes>>, String> {
    let described = destination::Request {
        // Only five methods are known there; the right one follows.
        method: destination::Method::Get,
        url: request.url.clone(),
        query: Vec::new(),
        headers: request.headers.clone(),
        body: request.body.clone().map_or(Body::None, Body::Raw),
        gzip: false,
    };
    let method = request.method.parse::<Method>().map_err(|_| format!("`{}` is not an HTTP method", request.method))?;
    if [Method::CONNECT, Method::TRACE].contains(&method) {
        return Err(format!("the method {method} is not allowed"));
    }
    let mut built = build(&described).map_err(|malformed| match malformed {
        Malformed::Url => format!("`{}` is not an absolute http or https URL", request.url),
        Malformed::Header(name) => format!("the header `{name}` is not valid in HTTP"),
        Malformed::ConnectionHeader(name) => {
            format!("the header `{name}` is set by the host only, as are {}", CONNECTION_HEADERS.join(", "))
        }
    })?;
    *built.method_mut() = method;
    Ok(built)
}
