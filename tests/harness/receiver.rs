//! An HTTP endpoint that does what a test tells it to, and remembers what it got.
//!
//! It answers 200 until told otherwise. Every request is recorded when its body is complete, before it is
//! answered, so that [`Receiver::wait_for`] is a signal and no test has to sleep.

mod answer;
mod body;

pub use answer::Answer;

use answer::Action;
use body::ScriptedBody;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, Response, Uri};
use hyper_util::rt::TokioIo;
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd as _, RawFd};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};

/// A test that waits longer than this for a request has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Received {
    /// The method.
    pub method: Method,
    /// Path and query.
    pub uri: Uri,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, as it was sent: not decompressed.
    pub body: Bytes,
    /// Which connection it came on, counted from 0.
    pub connection: usize,
    /// The status it was answered with; 0 when it got no answer.
    pub status: u16,
}

impl Received {
    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }
}

/// The endpoint. It stops when this is dropped.
#[derive(Debug)]
pub struct Receiver {
    shared: Arc<Shared>,
    addr: SocketAddr,
    accepting: Mutex<Option<Accepting>>,
}

/// The task that accepts connections, and how to end it.
#[derive(Debug)]
struct Accepting {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Accepting {
    fn start(listener: TcpListener, shared: &Arc<Shared>) -> Accepting {
        let (stop, stopped) = oneshot::channel();
        Accepting { stop, task: tokio::spawn(accept(listener, shared.clone(), stopped)) }
    }
}

struct Shared {
    received: Mutex<Vec<Received>>,
    count: watch::Sender<usize>,
    script: Mutex<Script>,
    connections: AtomicUsize,
    in_flight: AtomicUsize,
    most_in_flight: AtomicUsize,
    /// Whether requests are only counted.
    forgets: AtomicBool,
    /// Raised by one with each [`Receiver::release`].
    releases: watch::Sender<usize>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} requests received", *self.count.borrow())
    }
}

struct Script {
    next: VecDeque<Answer>,
    rule: Arc<dyn Fn(&Received) -> Answer + Send + Sync>,
}

impl Receiver {
    /// Listens on a free port of the loopback interface.
    pub async fn start() -> Receiver {
        let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0)));
        let addr = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared {
            received: Mutex::new(Vec::new()),
            count: watch::Sender::new(0),
            script: Mutex::new(Script { next: VecDeque::new(), rule: Arc::new(|_| Answer::status(200)) }),
            connections: AtomicUsize::new(0),
            in_flight: AtomicUsize::new(0),
            most_in_flight: AtomicUsize::new(0),
            forgets: AtomicBool::new(false),
            releases: watch::Sender::new(0),
        });
        let accepting = Accepting::start(listener, &shared);
        Receiver { shared, addr, accepting: Mutex::new(Some(accepting)) }
    }

    /// Keeps nothing of what comes from now on but how much it is: for more requests than fit into memory. What
    /// [`Receiver::answer_by`] was given sees them all the same.
    pub fn forget(&self) {
        self.shared.forgets.store(true, Ordering::Relaxed);
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its URL with this path, which begins with a slash.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// Answers every request like this from now on.
    pub fn always(&self, answer: Answer) {
        self.answer_by(move |_| answer.clone());
    }

    /// Answers every request as `rule` says from now on.
    pub fn answer_by(&self, rule: impl Fn(&Received) -> Answer + Send + Sync + 'static) {
        let mut script = self.shared.script();
        script.next.clear();
        script.rule = Arc::new(rule);
    }

    /// Answers the next requests with these, one each, and then by the rule again.
    pub fn next(&self, answers: impl IntoIterator<Item = Answer>) {
        self.shared.script().next.extend(answers);
    }

    /// Waits until `count` requests have come in all, and gives them.
    ///
    /// # Panics
    /// After a minute.
    pub async fn wait_for(&self, count: usize) -> Vec<Received> {
        self.wait_until(&format!("{count} requests"), |received| received.len() >= count).await
    }

    /// Waits until the requests so far are as `enough` says, and gives them.
    ///
    /// # Panics
    /// After a minute, naming `what` was waited for.
    pub async fn wait_until(&self, what: &str, mut enough: impl FnMut(&[Received]) -> bool) -> Vec<Received> {
        let mut count = self.shared.count.subscribe();
        let enough = count.wait_for(|_| enough(&self.shared.received()));
        let came = tokio::time::timeout(PATIENCE, enough).await.is_ok();
        assert!(came, "waited for {what} for {PATIENCE:?}; {} requests came", self.count());
        self.received()
    }

    /// Every request so far, in the order in which their bodies were complete.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.shared.received().clone()
    }

    /// The bodies of the requests that were answered with 2xx, in order.
    #[must_use]
    pub fn accepted(&self) -> Vec<Bytes> {
        let received = self.shared.received();
        received.iter().filter(|one| (200..300).contains(&one.status)).map(|one| one.body.clone()).collect()
    }

    /// How many requests have come.
    #[must_use]
    pub fn count(&self) -> usize {
        *self.shared.count.borrow()
    }

    /// How many connections were accepted.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// The most requests that were here at the same time.
    #[must_use]
    pub fn most_in_flight(&self) -> usize {
        self.shared.most_in_flight.load(Ordering::SeqCst)
    }

    /// Lets every request go that waits in [`Answer::held`].
    pub fn release(&self) {
        self.shared.releases.send_modify(|releases| *releases += 1);
    }

    /// Closes every connection and refuses new ones.
    pub async fn refuse(&self) {
        let accepting = self.accepting.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Accepting { stop, task }) = accepting {
            drop(stop);
            // Joined, so that every socket is closed when this returns.
            let _ = task.await;
        }
    }

    /// Listens again on the same port after [`Receiver::refuse`].
    pub fn accept_again(&self) {
        let mut accepting = self.accepting.lock().unwrap_or_else(PoisonError::into_inner);
        if accepting.is_none() {
            *accepting = Some(Accepting::start(listen(self.addr), &self.shared));
        }
    }
}

impl Shared {
    fn received(&self) -> MutexGuard<'_, Vec<Received>> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn decide(&self, received: &Received) -> Answer {
        let mut script = self.script();
        match script.next.pop_front() {
            Some(answer) => answer,
            None => {
                let rule = script.rule.clone();
                drop(script);
                rule(received)
            }
        }
    }
}

fn listen(addr: SocketAddr) -> TcpListener {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_reuseaddr(true).expect("an option every socket has");
    socket.bind(addr).expect("the port is free");
    socket.listen(1024).expect("a bound socket listens")
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, mut stopped: oneshot::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                connections.spawn(serve(stream, shared.clone()));
            }
            Some(_) = connections.join_next() => {}
            _ = &mut stopped => break,
        }
    }
    drop(listener);
    connections.shutdown().await;
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let connection = shared.connections.fetch_add(1, Ordering::SeqCst);
    stream.set_nodelay(true).expect("an option every connection has");
    let socket = stream.as_raw_fd();
    let service = service_fn(|request| {
        let shared = shared.clone();
        async move {
            let here = shared.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
            shared.most_in_flight.fetch_max(here, Ordering::SeqCst);
            let left = Leaving(shared.clone());
            let answered = handle(request, connection, socket, &shared).await;
            drop(left);
            answered
        }
    });
    // An error here is what the test asked for, or the client that went away.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// Counts a request out, also when its connection is cut while it waits.
struct Leaving(Arc<Shared>);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn handle(
    request: Request<Incoming>,
    connection: usize,
    socket: RawFd,
    shared: &Shared,
) -> Result<Response<ScriptedBody>, io::Error> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let (method, uri, headers) = (parts.method, parts.uri, parts.headers);
    let mut received = Received { method, uri, headers, body, connection, status: 0 };
    // Subscribed before the request is seen: a release right after it must not be missed.
    let mut releases = shared.releases.subscribe();
    let answer = shared.decide(&received);
    received.status = answer.shown_status();
    if shared.forgets.load(Ordering::Relaxed) {
        shared.count.send_modify(|count| *count += 1);
    } else {
        let mut all = shared.received();
        all.push(received);
        let count = all.len();
        drop(all);
        shared.count.send_if_modified(|known| {
            let newer = count > *known;
            *known = count.max(*known);
            newer
        });
    }
    if let Some(pause) = answer.delay {
        tokio::time::sleep(pause).await;
    }
    if answer.held {
        let _ = releases.changed().await;
    }
    match answer.action {
        Action::Hang => std::future::pending().await,
        Action::Close => Err(io::Error::other("the test wants the connection closed")),
        Action::Reset => {
            reset_on_close(socket);
            Err(io::Error::other("the test wants the connection reset"))
        }
        Action::Respond(body) => {
            let mut response = Response::builder().status(answer.status);
            for (name, value) in &answer.headers {
                response = response.header(name, value);
            }
            Ok(response.body(body.start(socket)).expect("the test's headers are valid"))
        }
    }
}

/// Makes the coming close of the socket, which has to be open, an RST instead of a FIN.
///
/// # Panics
/// When it is not a socket.
pub fn reset_on_close(socket: RawFd) {
    let linger = libc::linger { l_onoff: 1, l_linger: 0 };
    let length = libc::socklen_t::try_from(size_of::<libc::linger>()).expect("it is a few bytes");
    // SAFETY: the pointer and the length describe `linger`, and the socket is open: its connection serves us.
    let done =
        unsafe { libc::setsockopt(socket, libc::SOL_SOCKET, libc::SO_LINGER, (&raw const linger).cast(), length) };
    assert_eq!(done, 0, "{}", io::Error::last_os_error());
}
