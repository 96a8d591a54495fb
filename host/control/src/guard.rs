//! Keeps web pages out.
//!
//! The API listens on loopback, where it needs no token before the first is made, so the browser of the
//! operator is the way in for others. A page can point a name of its own at 127.0.0.1 (DNS rebinding): its requests carry that
//! name in `Host`. Or it can post to 127.0.0.1 directly: its requests carry its `Origin`. Both are
//! refused. An address in `Host` cannot be rebound, so addresses are fine.

use crate::problem::{Code, Problem};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// Which hosts may stand in `Host`.
#[derive(Clone, Debug)]
pub struct Hosts {
    listen: SocketAddr,
    insecure: bool,
    names: Arc<[String]>,
}

impl Hosts {
    /// Loopback names and the address listened on; with `insecure` any address, and these names.
    #[must_use]
    pub fn new(listen: SocketAddr, insecure: bool, names: &[String]) -> Hosts {
        Hosts { listen, insecure, names: names.into() }
    }

    /// Whether only this machine reaches the address.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.listen.ip().is_loopback()
    }

    /// Whether a request with this `Host` may pass.
    #[must_use]
    pub fn allow(&self, host: &str) -> bool {
        let name = without_port(host);
        if let Ok(address) = name.trim_matches(['[', ']']).parse::<IpAddr>() {
            return address.is_loopback() || address == self.listen.ip() || self.insecure;
        }
        let name = name.strip_suffix('.').unwrap_or(name);
        name.eq_ignore_ascii_case("localhost") || self.names.iter().any(|allowed| allowed.eq_ignore_ascii_case(name))
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.ends_with(':') => {
            // `::1` without brackets has no port to cut.
            if name.contains(':') && !name.ends_with(']') { host } else { name }
        }
        _ => host,
    }
}

pub(crate) async fn check(State(hosts): State<Hosts>, request: Request, next: Next) -> Response {
    match refusal(&hosts, request.headers()) {
        Some(problem) => problem.into_response(),
        None => next.run(request).await,
    }
}

fn refusal(hosts: &Hosts, headers: &HeaderMap) -> Option<Problem> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(header::HOST).unwrap_or_default();
    if !hosts.allow(host) {
        let detail = format!(
            "the Host header says {host:?}; use 127.0.0.1 or localhost, or add the name to the admin \
             hosts"
        );
        return Some(Problem::new(Code::Forbidden, detail));
    }
    let same =
        |origin: &str| origin.split_once("://").is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host));
    if headers.contains_key(header::ORIGIN) && !text(header::ORIGIN).is_some_and(same) {
        let detail = "the request comes from a page of another origin".to_owned();
        return Some(Problem::new(Code::Forbidden, detail));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(insecure: bool) -> Hosts {
        Hosts::new("10.1.2.3:8081".parse().unwrap(), insecure, &["pintle.internal".to_owned()])
    }

    #[test]
    fn loopback_the_own_address_and_named_hosts_pass() {
        for host in [
            "localhost",
            "LOCALHOST:8081",
            "localhost.",
            "127.0.0.1",
            "127.0.0.1:8081",
            "127.9.9.9:1",
            "[::1]:8081",
            "[::1]",
            "::1",
            "10.1.2.3:8081",
            "pintle.internal:8081",
        ] {
            assert!(hosts(false).allow(host), "{host}");
        }
    }

    #[test]
    fn any_other_name_or_address_is_refused() {
        for host in [
            "",
            "evil.example",
            "evil.example:8081",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "10.1.2.4:8081",
            "[::2]:8081",
            "127.0.0.1@evil.example",
            ":8081",
            "localhost:80:80",
        ] {
            assert!(!hosts(false).allow(host), "{host}");
        }
    }

    #[test]
    fn insecure_allows_addresses_but_never_unknown_names() {
        assert!(hosts(true).allow("192.168.1.9:8081"));
        assert!(!hosts(true).allow("evil.example"));
    }

    #[test]
    fn a_request_of_another_origin_is_refused() {
        let headers = |origin: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, "127.0.0.1:8081".parse().unwrap());
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            headers
        };
        assert!(refusal(&hosts(false), &headers(None)).is_none());
        assert!(refusal(&hosts(false), &headers(Some("http://127.0.0.1:8081"))).is_none());
        for origin in ["http://evil.example", "null", "http://127.0.0.1:9999"] {
            assert!(refusal(&hosts(false), &headers(Some(origin))).is_some(), "{origin}");
        }
    }
}
