//! Where requests that a guest describes may go. The rules only: whoever sends asks here first.
//!
//! ```text
//!  host name ─ Hosts::check ─▶ resolve ─ Networks::check, every address ─▶ connect
//! ```
//! The address is checked after the name was resolved, and again for each redirect that is followed: a name
//! that anybody may register can point to 127.0.0.1 or to a cloud's metadata service. Nothing here resolves or
//! connects, so the check cannot be separated from the connection by a second resolution: give the connector
//! the very addresses that passed.

mod network;
mod special;

pub use network::{Network, NotANetwork};
pub use special::not_public;

use serde::Deserialize;
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
/// itself) or `*` (any).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct Hosts(Vec<String>);

impl TryFrom<Vec<String>> for Hosts {
    type Error = String;

    fn try_from(patterns: Vec<String>) -> Result<Hosts, String> {
        Hosts::new(&patterns)
    }
}

impl Hosts {
    /// The list as it stands in a manifest; an entry that could never be met is an error, in words.
    pub fn new(patterns: &[String]) -> Result<Hosts, String> {
        for pattern in patterns {
            let name = pattern.strip_prefix("*.").unwrap_or(pattern);
            let bare = !name.is_empty() && !name.contains(['*', '/', '@', ' ', '?', '#']);
            // A colon is a port, or the inside of an IPv6 address in brackets.
            if pattern != "*" && !(bare && (!name.contains(':') || name.starts_with('['))) {
                return Err(format!("`{pattern}` is not a host; write `api.example.com`, `*.example.com` or `*`"));
            }
        }
        Ok(Hosts(patterns.iter().map(|pattern| tidy(pattern)).collect()))
    }

    /// Whether requests may go to this host, without a port. IPv6 addresses stand in brackets, as in a URL.
    pub fn check(&self, host: &str) -> Result<(), Refusal> {
        let host = tidy(host);
        let met = |pattern: &String| match pattern.strip_prefix('*') {
            Some("") => true,
            Some(below) => host.len() > below.len() && host.ends_with(below),
            None => *pattern == host,
        };
        if self.0.iter().any(met) { Ok(()) } else { Err(Refusal::Host { host, allowed: self.0.clone() }) }
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
