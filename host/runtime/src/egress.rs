//! Where requests that a guest describes may go. The rules only: whoever sends asks here first.
//!
//! ```text
//!  host name ─ Hosts::check ─▶ resolve ─ Networks::check, every address ─▶ connect
//! ```
//! The address is checked after the name was resolved, and again for each redirect that is followed: a name
//! that anybody may register can point to 127.0.0.1 or to a cloud's metadata service. Nothing here resolves or
//! connects, so the check cannot be separated from the connection by a second resolution: give the connector
//! the very addresses that passed.

mod special;

pub use pintle_events::network::{Network, NotANetwork};
pub use special::not_public;

use serde::Deserialize;
use std::fmt;
use std::net::IpAddr;

/// Why a request may not go where it wants to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The host is not on the list.
    #[error("the host `{host}` is not among those that it may reach: {}", listed(.allowed))]
    Host {
        /// The host that was asked for.
        host: String,
        /// The list.
        allowed: Vec<String>,
    },
    /// The address is not a public one.
    #[error("the address {address} is {what}; an operator can allow it with `egress-allow`")]
    Address {
        /// The address.
        address: IpAddr,
        /// What kind of address it is.
        what: &'static str,
    },
}

fn listed(allowed: &[String]) -> String {
    if allowed.is_empty() { "it may reach none".to_owned() } else { allowed.join(", ") }
}

/// The hosts that a component may reach: `api.example.com`, `*.example.com` (any name below, not the name
/// itself) or `*` (any). A port may follow a name; without one, any port is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct Hosts(Vec<Pattern>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern {
    name: String,
    port: Option<u16>,
}

impl TryFrom<Vec<String>> for Hosts {
    type Error = String;

    fn try_from(patterns: Vec<String>) -> Result<Hosts, String> {
        Hosts::new(&patterns)
    }
}

impl Hosts {
    /// The list as it stands in a manifest; an entry that could never be met is an error, in words.
    pub fn new(patterns: &[String]) -> Result<Hosts, String> {
        let read = |pattern: &String| {
            Pattern::read(pattern)
                .ok_or_else(|| format!("`{pattern}` is not a host; write `api.example.com`, `*.example.com` or `*`"))
        };
        patterns.iter().map(read).collect::<Result<_, _>>().map(Hosts)
    }

    /// Whether requests may go to this host and port. IPv6 addresses stand in brackets, as in a URL.
    pub fn check(&self, host: &str, port: u16) -> Result<(), Refusal> {
        let name = tidy(host);
        if self.0.iter().any(|pattern| pattern.meets(&name, port)) {
            return Ok(());
        }
        // Which port it was is of interest only where the name alone is fine.
        let by_name = self.0.iter().any(|pattern| Pattern { port: None, ..pattern.clone() }.meets(&name, port));
        let host = if by_name { format!("{name}:{port}") } else { name };
        Err(Refusal::Host { host, allowed: self.0.iter().map(ToString::to_string).collect() })
    }
}

impl Pattern {
    fn read(text: &str) -> Option<Pattern> {
        // A colon before a port, or inside of an IPv6 address in brackets.
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => (name, Some(port.parse().ok()?)),
            _ => (text, None),
        };
        let below = name.strip_prefix("*.").unwrap_or(name);
        let bare = !below.is_empty() && !below.contains(['*', '/', '@', ' ', '?', '#']);
        let is_host = text == "*" || (bare && (!below.contains(':') || below.starts_with('[')));
        is_host.then(|| Pattern { name: tidy(name), port })
    }

    fn meets(&self, host: &str, port: u16) -> bool {
        let named = match self.name.strip_prefix('*') {
            Some("") => true,
            Some(below) => host.len() > below.len() && host.ends_with(below),
            None => self.name == host,
        };
        named && self.port.is_none_or(|own| own == port)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// Names are compared in lower case and without the dot that makes them absolute.
fn tidy(host: &str) -> String {
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

/// Networks that are not public and that requests may go to all the same: an operator's choice, none by default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Networks(Vec<Network>);

impl Networks {
    /// These networks.
    #[must_use]
    pub fn new(networks: Vec<Network>) -> Networks {
        Networks(networks)
    }

    /// These networks as well.
    pub fn extend(&mut self, networks: &[Network]) {
        self.0.extend_from_slice(networks);
    }

    /// Whether a connection to this address may be made.
    pub fn check(&self, address: IpAddr) -> Result<(), Refusal> {
        match not_public(address) {
            Some(what) if !self.0.iter().any(|network| network.contains(address)) => {
                Err(Refusal::Address { address, what })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
