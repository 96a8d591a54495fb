//! The listener.

use crate::budget::Budget;
use crate::metrics::Metrics;
use crate::rate::Rates;
use crate::{Config, connection};
use hyper_util::rt::TokioExecutor;
use hyper_util::server::conn::auto::Builder;
use pintle_catalog::Catalog;
use pintle_events::times::now_ms;
use pintle_store::log::Log;
use pintle_store::rejected::Recorder;
use pintle_store::suppressions::Suppressions;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Connections that wait to be accepted. Bursts larger than this are refused by the kernel.
const BACKLOG: u32 = 4_096;
/// How long to wait when the process has no file descriptors or memory for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Why the gateway cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Settings that cannot work.
    #[error("gateway: {0}")]
    Config(String),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// The setting.
        address: SocketAddr,
        /// What the system says.
        error: io::Error,
    },
}

/// Where accepted events go, and what is known about those that are not to be accepted.
#[derive(Clone, Debug)]
pub struct Sink {
    /// The event log.
    pub log: Log,
    /// Takes records of events that are not taken.
    pub recorder: Recorder,
    /// Users whose events are not stored.
    pub suppressions: Suppressions,
}

/// What connections share.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) catalog: watch::Receiver<Arc<Catalog>>,
    pub(crate) log: Log,
    pub(crate) recorder: Recorder,
    pub(crate) suppressions: Suppressions,
    pub(crate) rates: Rates,
    pub(crate) metrics: Metrics,
    tls: Option<TlsAcceptor>,
    pub(crate) builder: Builder<TokioExecutor>,
    pub(crate) requests: Budget,
    pub(crate) bodies: Budget,
    /// Finish what is in progress.
    pub(crate) shutdown: CancellationToken,
    /// Stop at once.
    pub(crate) abort: CancellationToken,
    catalog_seen_ms: AtomicI64,
}

impl Shared {
    /// Whether clients speak TLS with it.
    pub(crate) fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// When the present catalog arrived.
    pub(crate) fn catalog_seen_ms(&self) -> i64 {
        self.catalog_seen_ms.load(Ordering::Relaxed)
    }
}

/// A gateway that listens. Connections are kept waiting until it is run.
pub struct Gateway {
    listener: TcpListener,
    local_addr: SocketAddr,
    shared: Arc<Shared>,
}

impl Gateway {
    /// Opens the listener. Install the metrics recorder before: handles are taken here. With `tls`, which is
    /// made of the settings' certificate, it speaks nothing else.
    ///
    /// # Errors
    /// When the settings cannot work or the address cannot be had.
    pub async fn bind(
        config: Config,
        catalog: watch::Receiver<Arc<Catalog>>,
        sink: Sink,
        tls: Option<Arc<rustls::ServerConfig>>,
    ) -> Result<Gateway, Error> {
        config.check().map_err(Error::Config)?;
        let (listener, local_addr) =
            listen(config.listen).map_err(|error| Error::Listen { address: config.listen, error })?;
        let shared = Shared {
            builder: connection::builder(&config),
            requests: Budget::new("requests-max", config.requests_max.get()),
            bodies: Budget::new("bodies-bytes-max", config.bodies_bytes_max.get()),
            config,
            catalog,
            log: sink.log,
            recorder: sink.recorder,
            suppressions: sink.suppressions,
            rates: Rates::default(),
            metrics: Metrics::new(),
            tls: tls.map(TlsAcceptor::from),
            shutdown: CancellationToken::new(),
            abort: CancellationToken::new(),
            catalog_seen_ms: AtomicI64::new(now_ms()),
        };
        Ok(Gateway { listener, local_addr, shared: Arc::new(shared) })
    }

    /// Where it listens; with port 0 in the settings, the port that was given.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Serves until `shutdown`; then takes no more connections, answers what is in progress within
    /// [`Config::shutdown_time_max`], and returns. Close the log after it, not before.
    pub async fn run(self, shutdown: CancellationToken) {
        let Gateway { listener, shared, .. } = self;
        let connections = TaskTracker::new();
        tokio::select! {
            () = accept(&listener, &shared, &connections) => {}
            () = watch_catalog(&shared) => {}
            () = shutdown.cancelled() => {}
        }
        shared.shutdown.cancel();
        drop(listener);
        connections.close();
        if tokio::time::timeout(shared.config.shutdown_time_max, connections.wait()).await.is_err() {
            tracing::warn!(connections = connections.len(), "requests in progress were cut off: shutdown-time-max");
            shared.abort.cancel();
            connections.wait().await;
        }
    }
}

fn listen(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A restart must not wait for the connections of the process before it.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    let listener = socket.listen(BACKLOG)?;
    let local = listener.local_addr()?;
    Ok((listener, local))
}

/// Accepts connections for ever.
async fn accept(listener: &TcpListener, shared: &Arc<Shared>, connections: &TaskTracker) {
    let slots = Arc::new(Semaphore::new(shared.config.connections_max.get() as usize));
    loop {
        let slot = slots.clone().acquire_owned().await.expect("the semaphore is never closed");
        let (stream, address) = next(listener).await;
        // Answers are one small packet each; waiting to fill it would only delay them.
        _ = stream.set_nodelay(true);
        let shared = shared.clone();
        connections.spawn(async move {
            let _open = shared.metrics.connection();
            match &shared.tls {
                None => connection::serve(shared.clone(), stream, address.ip()).await,
                Some(tls) => match tokio::time::timeout(shared.config.handshake_time_max, tls.accept(stream)).await {
                    Ok(Ok(stream)) => connection::serve(shared.clone(), stream, address.ip()).await,
                    Ok(Err(error)) => tracing::debug!(%error, peer = %address.ip(), "no TLS"),
                    Err(_) => {
                        tracing::debug!(peer = %address.ip(), "the TLS handshake took longer than handshake-time-max")
                    }
                },
            }
            drop(slot);
        });
    }
}

/// The next connection. Errors that concern one connection are passed over; a lack of file descriptors or
/// memory is given time to pass instead of being asked about in a loop.
async fn next(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    let mut warned = false;
    loop {
        match listener.accept().await {
            Ok(connection) => return connection,
            Err(error) if is_about_one_connection(&error) => {}
            Err(error) => {
                if !warned {
                    tracing::error!(%error, "cannot accept connections; trying again");
                    warned = true;
                }
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn is_about_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// Notes when catalogs arrive. Never returns: without a publisher the last catalog stands.
async fn watch_catalog(shared: &Shared) {
    let mut catalog = shared.catalog.clone();
    while catalog.changed().await.is_ok() {
        shared.catalog_seen_ms.store(now_ms(), Ordering::Relaxed);
    }
    std::future::pending().await
}
