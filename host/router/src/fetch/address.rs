//! Which of a host's addresses may be connected to.

use super::connector::Refused;
use super::dial::Dial;
use pintle_runtime::egress::Networks;
use std::net::{IpAddr, SocketAddr};

/// The addresses of a host that requests may go to; at least one.
pub(super) async fn reachable(
    dial: &dyn Dial,
    allowed: &Networks,
    host: &str,
    port: u16,
) -> Result<Vec<SocketAddr>, Refused> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return match allowed.check(address) {
            Ok(()) => Ok(vec![SocketAddr::new(address, port)]),
            Err(_) => Err(Refused::Literal(address)),
        };
    }
    let found = dial.resolve(host, port).await.unwrap_or_default();
    let Some(first) = found.first() else {
        return Err(Refused::Unresolved(host.to_owned()));
    };
    let (address, host) = (first.ip(), host.to_owned());
    let reachable: Vec<SocketAddr> = found.into_iter().filter(|one| allowed.check(one.ip()).is_ok()).collect();
    if reachable.is_empty() { Err(Refused::Resolved { address, host }) } else { Ok(reachable) }
}
