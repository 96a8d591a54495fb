//! Resolves names to addresses that may be reached.
//!
//! The connector gets the very addresses that were checked: a second resolution, by which a name could have
//! come to mean another address, does not happen.

use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use pintle_runtime::egress::{Networks, Refusal};
use std::error::Error;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower_service::Service;

type Failure = Box<dyn Error + Send + Sync>;

/// The system's resolver without the addresses that requests may not go to.
#[derive(Clone, Debug)]
pub(super) struct Resolver {
    system: GaiResolver,
    allowed: Arc<Networks>,
}

impl Resolver {
    pub(super) fn new(allowed: Arc<Networks>) -> Resolver {
        Resolver { system: GaiResolver::new(), allowed }
    }
}

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Failure>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        self.system.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let resolving = self.system.call(name);
        let allowed = self.allowed.clone();
        Box::pin(async move { Ok(reachable(resolving.await?, &allowed)?.into_iter()) })
    }
}

/// The addresses that may be reached; if there were some and none may, why not.
fn reachable(found: impl Iterator<Item = SocketAddr>, allowed: &Networks) -> Result<Vec<SocketAddr>, Refusal> {
    let mut refusal = None;
    let reachable: Vec<SocketAddr> = found
        .filter(|address| {
            let checked = allowed.check(address.ip());
            let passes = checked.is_ok();
            refusal = checked.err().or(refusal.take());
            passes
        })
        .collect();
    match refusal {
        Some(refusal) if reachable.is_empty() => Err(refusal),
        _ => Ok(reachable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn of_a_names_addresses_only_public_ones_are_left() {
        let found = addresses(&["10.0.0.1:0", "93.184.215.14:0", "[::1]:0"]);
        let left = reachable(found.into_iter(), &Networks::default()).unwrap();
        assert_eq!(left, addresses(&["93.184.215.14:0"]));
    }

    #[test]
    fn a_name_with_private_addresses_alone_is_refused_and_one_without_any_is_not() {
        let refused = reachable(addresses(&["169.254.169.254:0"]).into_iter(), &Networks::default()).unwrap_err();
        assert!(refused.to_string().contains("metadata"), "{refused}");
        assert_eq!(reachable(std::iter::empty(), &Networks::default()), Ok(Vec::new()));
    }
}
