//! Connections for hyper's client, which keeps them for the next request to the same place.

use super::address;
use super::dial::{Dial, Stream};
use crate::http;
use hyper::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use pintle_runtime::egress::Networks;
use std::error::Error;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tower_service::Service;

/// Why no connection may be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    /// The URL itself names an address that is not public.
    #[error("cannot use {0}")]
    Literal(IpAddr),
    /// The name leads to addresses that are not public, and no others.
    #[error("cannot use {address} as IP address for {host}")]
    Resolved { address: IpAddr, host: String },
    /// The name leads nowhere.
    #[error("unable to resolve IP address for {0}")]
    Unresolved(String),
}

#[derive(Clone)]
pub(super) struct Connector {
    dial: Arc<dyn Dial>,
    allowed: Arc<Networks>,
    timeout: Duration,
}

impl Connector {
    pub(super) fn new(dial: Arc<dyn Dial>, allowed: Networks, timeout: Duration) -> Connector {
        Connector { dial, allowed: Arc::new(allowed), timeout }
    }

    async fn connect(self, uri: Uri) -> Result<Link, Failure> {
        let tls = uri.scheme_str() == Some("https");
        let host = uri.host().unwrap_or_default();
        let port = http::port(&uri);
        let connecting = async {
            let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
            for to in address::reachable(&*self.dial, &self.allowed, host, port).await? {
                match self.dial.connect(to, host, tls).await {
                    Ok(stream) => return Ok(Link(TokioIo::new(stream))),
                    Err(error) => last = error,
                }
            }
            Err(Failure::from(last))
        };
        match tokio::time::timeout(self.timeout, connecting).await {
            Ok(connected) => connected,
            Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
        }
    }
}

type Failure = Box<dyn Error + Send + Sync>;

impl Service<Uri> for Connector {
    type Response = Link;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Link, Failure>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}

/// A connection.
pub(super) struct Link(TokioIo<Box<dyn Stream>>);

impl Connection for Link {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for Link {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl Write for Link {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
