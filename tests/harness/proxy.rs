//! A way to a database that can be cut, at the worst of moments.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

/// A write of the client at least this large holds events: nothing else it sends is as large.
const EVENTS_BYTES_MIN: usize = 1_000;

/// When the connections are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// When so many more bytes have been passed on to the server: in the middle of what the client says.
    AfterBytes(usize),
    /// When the server has answered to events, before the client hears of it: they are committed.
    BeforeAnswer,
}

/// Listens on a port of the loopback interface and passes everything on to a Unix socket.
#[derive(Debug)]
pub struct Proxy {
    shared: Arc<Shared>,
    addr: SocketAddr,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    socket: PathBuf,
    planned: Mutex<Option<Cut>>,
    /// Raised by one with each cut: every connection of before ends.
    cuts: watch::Sender<u64>,
    done: Notify,
}

impl Proxy {
    /// Starts one before this socket.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn start(socket: &Path) -> Proxy {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let addr = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared {
            socket: socket.to_owned(),
            planned: Mutex::new(None),
            cuts: watch::Sender::new(0),
            done: Notify::new(),
        });
        let accepting = shared.clone();
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, accepting.clone()));
            }
        });
        Proxy { shared, addr, task }
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Cuts every connection at the next such moment, and returns when that is done.
    pub async fn cut(&self, cut: Cut) {
        let done = self.shared.done.notified();
        *self.shared.planned() = Some(cut);
        done.await;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
        self.shared.cuts.send_modify(|cuts| *cuts += 1);
    }
}

impl Shared {
    fn planned(&self) -> MutexGuard<'_, Option<Cut>> {
        self.planned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cut_now(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
        self.done.notify_waiters();
    }

    /// How much of what the client said is passed on, and whether that is the end.
    fn client_said(&self, bytes: usize) -> (usize, bool) {
        let mut planned = self.planned();
        match &mut *planned {
            Some(Cut::AfterBytes(left)) if *left > bytes => {
                *left -= bytes;
                (bytes, false)
            }
            Some(Cut::AfterBytes(left)) => {
                let last = *left;
                *planned = None;
                (last, true)
            }
            _ => (bytes, false),
        }
    }

    /// Whether the server's answer is kept from the client.
    fn server_answered(&self, to_events: bool) -> bool {
        let mut planned = self.planned();
        let kept = to_events && *planned == Some(Cut::BeforeAnswer);
        if kept {
            *planned = None;
        }
        kept
    }
}

async fn pass(mut client: TcpStream, shared: Arc<Shared>) {
    let mut cuts = shared.cuts.subscribe();
    let Ok(mut server) = UnixStream::connect(&shared.socket).await else { return };
    let (mut from_client, mut from_server) = (vec![0; 64 << 10], vec![0; 64 << 10]);
    let mut sent = 0;
    loop {
        tokio::select! {
            biased;
            _ = cuts.changed() => return,
            read = client.read(&mut from_client) => match read {
                Ok(bytes) if bytes > 0 => {
                    let (passed, last) = shared.client_said(bytes);
                    sent += passed;
                    if server.write_all(&from_client[..passed]).await.is_err() {
                        return;
                    }
                    if last {
                        shared.cut_now();
                        return;
                    }
                }
                _ => return,
            },
            read = server.read(&mut from_server) => match read {
                Ok(bytes) if bytes > 0 => {
                    if shared.server_answered(sent >= EVENTS_BYTES_MIN) {
                        shared.cut_now();
                        return;
                    }
                    sent = 0;
                    if client.write_all(&from_server[..bytes]).await.is_err() {
                        return;
                    }
                }
                _ => return,
            },
        }
    }
}
