//! An endpoint that does what it should, but for what a test wants it to do wrong.

use super::doors::{self, Trick};
use super::misdeeds::Misdeed;
use super::wire::{Asked, Wire};
use pintle_tests::tls;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// How often a guilty event is ill-treated by who stops doing so.
pub const TIMES: usize = 2;

/// What is wrong with it.
#[derive(Clone, Copy, Debug)]
pub enum Wrong {
    /// It does this to each guilty event, the first [`TIMES`] times.
    Sometimes(Misdeed),
    /// It does this to guilty events whenever they come.
    Always(Misdeed),
    /// It answers the first connections with 503 before it has read anything.
    EarlyAnswer,
    /// It plays this trick on its first connection.
    Http2(Trick),
    /// It refuses every other event of a bulk request.
    HalfOfABatch,
    /// Its certificate is not good, until it is mended.
    Certificate(Certificate),
    /// It never shakes hands, until it is mended.
    NoHandshake,
    /// It listens and accepts nobody, until it is mended.
    AcceptsNobody,
}

/// What is wrong with a certificate.
#[derive(Clone, Copy, Debug)]
pub enum Certificate {
    Expired,
    SelfSigned,
    Elsewhere,
}

/// What it has seen.
#[derive(Default)]
pub struct Seen {
    /// The bodies that were answered with a success, in order.
    pub accepted: Vec<Vec<u8>>,
    /// How often each event came, by message id.
    pub tries: BTreeMap<String, usize>,
}

/// The endpoint. It ends with this.
pub struct Endpoint {
    shared: Arc<Shared>,
    address: SocketAddr,
    task: JoinHandle<()>,
}

struct Shared {
    wrong: Wrong,
    guilty: fn(&str) -> bool,
    url: String,
    seen: Mutex<Seen>,
    connections: AtomicUsize,
    mended: watch::Sender<bool>,
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Endpoint {
    /// Listens on a free port. `guilty` says by their message ids which events it treats badly.
    pub async fn start(wrong: Wrong, guilty: fn(&str) -> bool) -> Endpoint {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let scheme = match wrong {
            Wrong::Certificate(_) | Wrong::NoHandshake | Wrong::Http2(_) => "https",
            _ => "http",
        };
        let shared = Arc::new(Shared {
            wrong,
            guilty,
            url: format!("{scheme}://{address}/in"),
            seen: Mutex::default(),
            connections: AtomicUsize::new(0),
            mended: watch::Sender::new(false),
        });
        let task = tokio::spawn(accept(listener, shared.clone()));
        Endpoint { shared, address, task }
    }

    pub fn url(&self) -> &str {
        &self.shared.url
    }

    pub fn wrong(&self) -> Wrong {
        self.shared.wrong
    }

    /// It does as it should from now on.
    pub fn mend(&self) {
        self.shared.mended.send_replace(true);
    }

    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.shared.seen()
    }
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} at {}", self.shared.wrong, self.address)
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    if matches!(shared.wrong, Wrong::AcceptsNobody) {
        // The system connects whoever fits into its queue all the same.
        let mut mended = shared.mended.subscribe();
        _ = mended.wait_for(|mended| *mended).await;
    }
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                let shared = shared.clone();
                // Whatever ends a connection here is what the test wants, or the client that went away.
                connections.spawn(async move { _ = shared.serve(stream).await });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

impl Shared {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn serve(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let number = self.connections.fetch_add(1, Ordering::SeqCst);
        let is_mended = *self.mended.borrow();
        let mut wire = match self.wrong {
            Wrong::EarlyAnswer if number < TIMES => {
                let mut wire = Wire::plain(stream);
                wire.say("HTTP/1.1 503 Early\r\ncontent-length: 0\r\n\r\n").await?;
                return Ok(());
            }
            Wrong::Http2(trick) if number == 0 => {
                let mut wire = Wire::secure(stream, doors::good(&["h2"])).await?;
                return doors::play(&mut wire, trick).await;
            }
            Wrong::NoHandshake if !is_mended => return Wire::plain(stream).hold().await.map(drop),
            Wrong::Certificate(certificate) if !is_mended => Wire::secure(stream, bad(certificate)).await?,
            Wrong::Http2(_) | Wrong::NoHandshake | Wrong::Certificate(_) => {
                Wire::secure(stream, doors::good(&["http/1.1"])).await?
            }
            _ => Wire::plain(stream),
        };
        while let Some(asked) = wire.request().await? {
            if !self.treat(&mut wire, asked).await? {
                break;
            }
        }
        Ok(())
    }

    /// True when the connection goes on.
    async fn treat(&self, wire: &mut Wire, asked: Asked) -> io::Result<bool> {
        if matches!(self.wrong, Wrong::HalfOfABatch) {
            let answer = self.half(&asked.body);
            wire.say(format!("HTTP/1.1 207 Mixed\r\ncontent-length: {}\r\n\r\n{answer}", answer.len())).await?;
            return Ok(true);
        }
        let event: Value = serde_json::from_slice(&asked.body)?;
        let id = event["messageId"].as_str().unwrap_or_default().to_owned();
        let misdeed = {
            let mut seen = self.seen();
            let tries = seen.tries.entry(id.clone()).or_default();
            *tries += 1;
            let misdeed = match self.wrong {
                Wrong::Sometimes(misdeed) if *tries <= TIMES => Some(misdeed),
                Wrong::Always(misdeed) => Some(misdeed),
                _ => None,
            };
            let misdeed = misdeed.filter(|_| (self.guilty)(&id));
            if misdeed.is_none_or(Misdeed::is_success) {
                seen.accepted.push(asked.body);
            }
            misdeed
        };
        match misdeed {
            Some(misdeed) => misdeed.commit(wire, &self.url).await,
            None => wire.say("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.map(|()| true),
        }
    }

    /// Takes one event of a bulk request and refuses the next.
    fn half(&self, body: &[u8]) -> String {
        let document: Value = serde_json::from_slice(body).expect("the plugin sends JSON");
        let events = document["events"].as_array().expect("a list of events");
        let mut seen = self.seen();
        let mut results = Vec::new();
        for event in events {
            let id = event["messageId"].as_str().unwrap_or_default().to_owned();
            let is_guilty = (self.guilty)(&id);
            *seen.tries.entry(id).or_default() += 1;
            if !is_guilty {
                seen.accepted.push(event.to_string().into_bytes());
            }
            results.push(json!({"status": if is_guilty { 422 } else { 200 }}));
        }
        json!({"results": results}).to_string()
    }
}

impl Misdeed {
    /// Whether it is an answer that says yes, however oddly.
    pub fn is_success(self) -> bool {
        matches!(
            self,
            Misdeed::BodyTooLong
                | Misdeed::HugeBody
                | Misdeed::EndlessBody
                | Misdeed::GzipBomb
                | Misdeed::BodyAfterNoContent
        )
    }
}

fn bad(certificate: Certificate) -> tokio_rustls::TlsAcceptor {
    let (file, key) = match certificate {
        Certificate::Expired => (tls::expired(), tls::server_key()),
        Certificate::Elsewhere => (tls::elsewhere(), tls::server_key()),
        Certificate::SelfSigned => (tls::certificate(), tls::key()),
    };
    doors::acceptor(&file, &key, &["http/1.1"])
}
