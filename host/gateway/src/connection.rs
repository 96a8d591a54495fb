//! One connection, from its first byte to its last.

use crate::route;
use crate::server::Shared;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite};

/// Who is at the other end, and when it last asked for something.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) address: IpAddr,
    /// The address as text, made once per connection.
    pub(crate) ip: Box<str>,
    opened: Instant,
    in_progress: AtomicUsize,
    /// When the last request had been answered, in milliseconds since `opened`.
    idle_since_ms: AtomicU64,
}

/// A request in progress: the connection is not idle.
struct Busy(Arc<Peer>);

impl Peer {
    fn new(ip: IpAddr) -> Peer {
        let address = ip.to_canonical();
        Peer {
            address,
            ip: address.to_string().into(),
            opened: Instant::now(),
            in_progress: AtomicUsize::new(0),
            idle_since_ms: AtomicU64::new(0),
        }
    }

    fn busy(self: &Arc<Peer>) -> Busy {
        self.in_progress.fetch_add(1, Ordering::Relaxed);
        Busy(self.clone())
    }

    /// How much longer it may stay idle; zero when it has been for too long.
    fn idle_time_left(&self, max: Duration) -> Duration {
        if self.in_progress.load(Ordering::Relaxed) > 0 {
            return max;
        }
        let since = Duration::from_millis(self.idle_since_ms.load(Ordering::Relaxed));
        (since + max).saturating_sub(self.opened.elapsed())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.idle_since_ms.store(self.0.opened.elapsed().as_millis() as u64, Ordering::Relaxed);
        self.0.in_progress.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How connections speak HTTP.
pub(crate) fn builder(config: &crate::Config) -> Builder<TokioExecutor> {
    // Credit that a client may use before anybody reads: it bounds what a connection can make us hold.
    const STREAM_WINDOW_BYTES: u32 = 128 << 10;
    const CONNECTION_WINDOW_BYTES: u32 = 512 << 10;
    let mut builder = Builder::new(TokioExecutor::new());
    let header_bytes_max = config.header_bytes_max.get();
    // Clients that close their sending half behind the request get their answer, as from Go.
    builder.http1().half_close(true).max_buf_size(header_bytes_max);
    builder
        .http2()
        .max_concurrent_streams(config.streams_max.get())
        .max_header_list_size(u32::try_from(header_bytes_max).unwrap_or(u32::MAX))
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES);
    builder
}

/// Serves a connection until it ends, has been idle for too long, or the gateway shuts down; then what is
/// in progress is finished.
pub(crate) async fn serve(shared: Arc<Shared>, stream: impl AsyncRead + AsyncWrite + Unpin + 'static, ip: IpAddr) {
    let peer = Arc::new(Peer::new(ip));
    let service = service_fn(|request| {
        let (shared, busy) = (shared.clone(), peer.busy());
        async move { Ok::<_, Infallible>(route::answer(shared, busy.0.clone(), request).await) }
    });
    let mut connection = pin!(shared.builder.serve_connection(TokioIo::new(stream), service));
    // One timer for the life of the connection, looked at when it fires, instead of one per request.
    let idle_time_max = shared.config.idle_time_max;
    let mut idle = pin!(tokio::time::sleep(idle_time_max));
    let ended = loop {
        tokio::select! {
            biased;
            ended = connection.as_mut() => break ended,
            () = shared.shutdown.cancelled() => {
                connection.as_mut().graceful_shutdown();
                tokio::select! {
                    ended = connection.as_mut() => break ended,
                    () = shared.abort.cancelled() => return,
                }
            }
            () = idle.as_mut() => {
                let left = peer.idle_time_left(idle_time_max);
                if left.is_zero() {
                    return;
                }
                idle.as_mut().reset(tokio::time::Instant::now() + left);
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, peer = %peer.ip, "connection ended early");
    }
}
