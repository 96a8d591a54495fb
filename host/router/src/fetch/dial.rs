//! Sockets and names: the part of `fetch` that touches the world outside.

use futures_util::future::BoxFuture;
use hyper_rustls::ConfigBuilderExt as _;
use rustls::pki_types::ServerName;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Bytes both ways.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Finds and makes connections. Whether one may be made is not its business.
pub trait Dial: Send + Sync + 'static {
    /// The addresses of a name.
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>>;

    /// A connection to an address; with TLS, to the server of this name.
    fn connect<'a>(&'a self, to: SocketAddr, host: &'a str, tls: bool) -> BoxFuture<'a, io::Result<Box<dyn Stream>>>;
}

/// The system's resolver, TCP, and TLS that trusts the usual public authorities.
pub struct Internet {
    tls: TlsConnector,
}

impl Internet {
    /// A way to the internet.
    #[must_use]
    pub fn new() -> Internet {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring offers the TLS versions that rustls allows by default")
            .with_webpki_roots()
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Internet { tls: TlsConnector::from(Arc::new(config)) }
    }
}

impl Default for Internet {
    fn default() -> Internet {
        Internet::new()
    }
}

impl Dial for Internet {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
    }

    fn connect<'a>(&'a self, to: SocketAddr, host: &'a str, tls: bool) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        Box::pin(async move {
            let stream = TcpStream::connect(to).await?;
            stream.set_nodelay(true)?;
            if !tls {
                return Ok(Box::new(stream) as Box<dyn Stream>);
            }
            let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
            let name = ServerName::try_from(bare.to_owned())
                .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, format!("`{host}` is no name for TLS")))?;
            Ok(Box::new(self.tls.connect(name, stream).await?) as Box<dyn Stream>)
        })
    }
}
