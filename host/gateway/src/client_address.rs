//! Where an event came from.

use hyper::HeaderMap;
use pintle_events::Network;
use std::net::IpAddr;

/// The address of the client. `X-Forwarded-For` counts as far as it was written by proxies that are trusted:
/// whoever else writes it can write anything.
pub(crate) fn of(headers: &HeaderMap, peer: IpAddr, trusted: &[Network]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut client = peer;
    if trusted.is_empty() || !is_trusted(peer) {
        return client;
    }
    // Every proxy writes whom it was asked by behind what was there: read from the end, the first one that is
    // no proxy of ours is the client.
    let lines: Vec<&str> = headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok()).collect();
    for hop in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        let Some(address) = address(hop.trim()) else { return client };
        client = address.to_canonical();
        if !is_trusted(client) {
            return client;
        }
    }
    client
}

/// An address, maybe with a port behind it, as some proxies write it.
fn address(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|hop| hop.split_once(']')).map_or(hop, |(inside, _)| inside);
    bare.parse().ok().or_else(|| bare.rsplit_once(':')?.0.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(lines: &[&str], peer: &str, trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        let trusted: Vec<Network> = trusted.iter().map(|network| network.parse().unwrap()).collect();
        of(&headers, peer.parse().unwrap(), &trusted).to_string()
    }

    #[test]
    fn what_an_unknown_peer_says_does_not_count() {
        assert_eq!(client(&["203.0.113.9"], "192.0.2.1", &[]), "192.0.2.1");
        assert_eq!(client(&["203.0.113.9"], "192.0.2.1", &["10.0.0.0/8"]), "192.0.2.1");
    }

    #[test]
    fn the_first_hop_from_the_end_that_is_no_trusted_proxy_is_the_client() {
        let trusted = ["10.0.0.0/8", "127.0.0.1"];
        assert_eq!(client(&["6.6.6.6, 203.0.113.9, 10.1.1.1"], "127.0.0.1", &trusted), "203.0.113.9");
        assert_eq!(client(&["6.6.6.6", "203.0.113.9:4711", "10.1.1.1"], "10.0.0.2", &trusted), "203.0.113.9");
        assert_eq!(client(&["[2001:db8::1]:80"], "127.0.0.1", &trusted), "2001:db8::1");
        assert_eq!(client(&["10.3.3.3"], "127.0.0.1", &trusted), "10.3.3.3");
        assert_eq!(client(&["203.0.113.9, unknown"], "127.0.0.1", &trusted), "127.0.0.1");
        assert_eq!(client(&[], "127.0.0.1", &trusted), "127.0.0.1");
    }
}
