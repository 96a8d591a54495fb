//! A network in which recorded answers come again.
//!
//! Names lead to a public address, unless it was recorded that they lead elsewhere; connections lead to a
//! server on this machine, which plays one recorded answer. All that decides whether a request may be sent,
//! and what becomes of its answer, is the product's own.

use futures_util::future::BoxFuture;
use pintle_router::fetch::{Config, Dial, Fetcher, Stream};
use pintle_runtime::egress::{Hosts, Networks};
use pintle_runtime::fetch::{Answers, Network, Request};
use serde_json::Value;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Where names lead that were answered: an address that is public and that nobody connects to.
const PUBLIC: [u8; 4] = [9, 9, 9, 9];

/// The network of whichever case runs.
#[derive(Default)]
pub struct Switch(Mutex<Option<Arc<Fetcher>>>);

impl Switch {
    /// From now on these answers are played.
    pub fn set(&self, replay: &Arc<Replay>, allowed: &Networks) {
        let fetcher = Fetcher::over(Config::default(), allowed.clone(), replay.clone());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(fetcher));
    }
}

impl Network for Switch {
    fn fetch<'a>(&'a self, hosts: &'a Hosts, requests: Vec<Request>) -> Answers<'a> {
        let fetcher = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Box::pin(async move { fetcher.expect("a case has set it").fetch(hosts, requests).await })
    }
}

/// The recorded requests and answers of one case.
pub struct Replay(Arc<Mutex<Book>>);

struct Book {
    /// What has not been asked yet, in the order in which it was.
    left: Vec<Value>,
    protests: Vec<String>,
}

impl Replay {
    /// Plays these.
    pub fn new(fetches: &[Value]) -> Replay {
        Replay(Arc::new(Mutex::new(Book { left: fetches.to_vec(), protests: Vec::new() })))
    }

    /// What was asked that had not been recorded.
    pub fn protests(&self) -> Vec<String> {
        lock(&self.0).protests.clone()
    }
}

fn lock(book: &Mutex<Book>) -> MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Book {
    /// Takes the next record of a host, if `wanted` says so.
    fn take(&mut self, host: &str, wanted: impl Fn(&Value) -> bool) -> Option<Value> {
        let at = self.left.iter().position(|fetch| host_of(fetch).eq_ignore_ascii_case(host))?;
        wanted(&self.left[at]).then(|| self.left.remove(at))
    }
}

fn host_of(fetch: &Value) -> &str {
    let url = fetch["url"].as_str().unwrap_or_default();
    let authority = url.split_once("://").map_or("", |(_, rest)| rest).split(['/', '?']).next().unwrap_or_default();
    authority.rsplit_once(':').map_or(authority, |(host, _)| host)
}

impl Dial for Replay {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        let refused = |fetch: &Value| fetch["error"].as_str().is_some_and(|error| elsewhere(error, host).is_some());
        let record = lock(&self.0).take(host, refused);
        let found = match record.and_then(|record| elsewhere(record["error"].as_str()?, host)) {
            Some(found) => found.into_iter().map(|address| SocketAddr::new(address, port)).collect(),
            None => vec![SocketAddr::from((PUBLIC, port))],
        };
        Box::pin(async move { Ok(found) })
    }

    fn connect<'a>(&'a self, _: SocketAddr, host: &'a str, _: bool) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        let record = lock(&self.0).take(host, |_| true);
        let book = self.0.clone();
        Box::pin(async move {
            let Some(record) = record else {
                lock(&book).protests.push(format!("a request to {host} was not recorded"));
                return Err(io::ErrorKind::ConnectionRefused.into());
            };
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let stream = TcpStream::connect(listener.local_addr()?).await?;
            tokio::spawn(async move {
                if let Err(error) = play(&listener, &record, &book).await {
                    lock(&book).protests.push(format!("the replaying server: {error}"));
                }
            });
            Ok(Box::new(stream) as Box<dyn Stream>)
        })
    }
}

/// What a failed resolution was recorded as: the address that the name led to, or none.
fn elsewhere(error: &str, host: &str) -> Option<Option<std::net::IpAddr>> {
    if error.contains(&format!("unable to resolve IP address for {host}")) {
        return Some(None);
    }
    let address = error.split_once("cannot use ")?.1.split(' ').next()?;
    Some(Some(address.parse().ok()?))
}

/// Reads one request, and writes what was recorded; for a failure, nothing.
async fn play(listener: &TcpListener, record: &Value, book: &Mutex<Book>) -> io::Result<()> {
    let (mut stream, _) = listener.accept().await?;
    let mut asked = Vec::new();
    let head = loop {
        if let Some(end) = asked.windows(4).position(|window| window == b"\r\n\r\n") {
            break String::from_utf8_lossy(&asked[..end]).into_owned();
        }
        if stream.read_buf(&mut asked).await? == 0 {
            return Ok(());
        }
    };
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let whole = head.len() + 4 + length.unwrap_or(0);
    while asked.len() < whole {
        if stream.read_buf(&mut asked).await? == 0 {
            break;
        }
    }
    let options = &record["options"];
    let method = options["method"].as_str().unwrap_or("GET");
    let body = options["body"].as_str().unwrap_or_default();
    let found = String::from_utf8_lossy(&asked[head.len() + 4..]);
    if !head.starts_with(&format!("{method} ")) || found != body {
        let line = head.lines().next().unwrap_or_default();
        lock(book).protests.push(format!("asked `{line}` with {found:?} instead of {method} with {body:?}"));
    }
    let Some(response) = record["response"].as_object() else { return Ok(()) };
    let body = response.get("body").and_then(Value::as_str).unwrap_or_default();
    let mut answer = format!("HTTP/1.1 {} Recorded\r\n", response.get("status").and_then(Value::as_u64).unwrap_or(200));
    for (name, value) in response.get("headers").and_then(Value::as_object).into_iter().flatten() {
        // How the body is framed is this connection's own affair: it ends with it.
        if !["content-length", "transfer-encoding", "content-encoding"].contains(&name.as_str()) {
            answer.push_str(&format!("{name}: {}\r\n", value.as_str().unwrap_or_default()));
        }
    }
    answer.push_str("\r\n");
    answer.push_str(body);
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}
