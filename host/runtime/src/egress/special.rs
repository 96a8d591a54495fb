//! Which addresses are not public.
//!
//! The IANA registries of special-purpose addresses, and what stands for an IPv4 address inside IPv6. An
//! IPv6 address outside of the block that is given out for use on the internet is not public either, so that
//! nothing has to be known about it.

use pintle_events::network::inner;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an address is if it is not an ordinary one on the internet: words that fit behind "it is".
#[must_use]
pub fn not_public(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => v4(address),
        IpAddr::V6(address) => v6(address),
    }
}

fn v4(address: Ipv4Addr) -> Option<&'static str> {
    let [a, b, c, _] = address.octets();
    Some(match (a, b, c) {
        (0, ..) => "an address of this host itself",
        (127, ..) => "a loopback address",
        (10, ..) | (172, 16..=31, _) | (192, 168, _) => "a private address",
        (169, 254, _) => "a link-local address, where clouds serve their metadata",
        (100, 64..=127, _) => "an address behind a carrier's NAT",
        (192, 0, 0) => "a reserved address, where some clouds serve their metadata",
        (192, 0, 2) | (198, 51, 100) | (203, 0, 113) => "an address for documentation",
        (198, 18..=19, _) => "an address for benchmarks",
        (192, 88, 99) => "an address of 6to4 relays",
        (224..=239, ..) => "a multicast address",
        (240..=255, ..) => "a reserved address",
        // Public by its number, and answered by the machine that a guest of Azure runs on.
        _ if address == Ipv4Addr::new(168, 63, 129, 16) => "the address of a cloud's metadata service",
        _ => return None,
    })
}

fn v6(address: Ipv6Addr) -> Option<&'static str> {
    if let Some(inner) = inner(address) {
        return v4(inner);
    }
    let [a, b, c, ..] = address.segments();
    Some(match (a, b, c) {
        _ if address == Ipv6Addr::UNSPECIFIED => "an address of this host itself",
        _ if address == Ipv6Addr::LOCALHOST => "a loopback address",
        (0xfc00..=0xfdff, ..) => "a private address",
        (0xfe80..=0xfebf, ..) => "a link-local address",
        (0xfec0..=0xfeff, ..) => "a site-local address",
        (0xff00..=0xffff, ..) => "a multicast address",
        (0x64, 0xff9b, 1) => "an address of a local NAT64",
        (0x2001, 0..=0x1ff, _) => "an address for protocols, tunnels among them",
        (0x2001, 0xdb8, _) | (0x3fff, 0..=0xfff, _) => "an address for documentation",
        (0x2000..=0x3fff, ..) => return None,
        _ => "a reserved address",
    })
}
