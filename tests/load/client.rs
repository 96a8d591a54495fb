//! The load generator: requests that were made ready before, on connections that stay open, by one thread.

use crate::clock::monotonic_ns;
use crate::events::Template;
use anyhow::Context;
use std::cell::{Cell, RefCell};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::{JoinSet, LocalSet};

/// An answer that takes longer counts as lost.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

/// Counts what is answered while the load runs.
#[derive(Debug, Default)]
pub struct Counts {
    /// Events in requests that were answered with 200.
    pub acknowledged: Cell<u64>,
    /// Requests answered otherwise, or not at all.
    pub failed: Cell<u64>,
    last_failure: RefCell<String>,
}

impl Counts {
    fn fail(&self, why: String) {
        self.failed.set(self.failed.get() + 1);
        *self.last_failure.borrow_mut() = why;
    }

    /// Fails when a request did: a server that refuses is quick, and its figures mean nothing.
    pub fn check(&self) -> anyhow::Result<()> {
        let failed = self.failed.get();
        anyhow::ensure!(failed == 0, "{failed} requests failed, the last one: {}", self.last_failure.borrow());
        Ok(())
    }
}

/// Where to send what, on how many connections.
#[derive(Clone, Debug)]
pub struct Load {
    pub target: SocketAddr,
    pub connections: usize,
    pub templates: Rc<Vec<Template>>,
}

impl Load {
    /// Runs `measure` while every connection sends its next request as soon as the last one is answered.
    /// With `credit`, no more events are sent than it has permits.
    pub async fn closed_loop<T>(
        &self,
        credit: Option<Rc<Semaphore>>,
        measure: impl AsyncFnOnce(Rc<Counts>) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let counts = Rc::new(Counts::default());
        let stop = Rc::new(Cell::new(false));
        let tasks = LocalSet::new();
        let mut connections = JoinSet::new();
        for number in 0..self.connections {
            let mut connection = Connection::open(self.target).await?;
            let (load, counts, stop, credit) = (self.clone(), counts.clone(), stop.clone(), credit.clone());
            connections.spawn_local_on(
                async move {
                    let mut request = Vec::new();
                    let mut at = number * load.templates.len() / load.connections;
                    while !stop.get() {
                        let template = &load.templates[at % load.templates.len()];
                        at += 1;
                        if let Some(credit) = &credit {
                            let Ok(permits) = credit.acquire_many(template.events() as u32).await else { return };
                            permits.forget();
                        }
                        template.render(&mut request, monotonic_ns());
                        match connection.exchange(&request).await {
                            Ok(200) => counts.acknowledged.set(counts.acknowledged.get() + template.events() as u64),
                            Ok(status) => counts.fail(format!("answered {status}")),
                            Err(error) => return counts.fail(error.to_string()),
                        }
                    }
                },
                &tasks,
            );
        }
        tasks
            .run_until(async {
                let measured = measure(counts).await;
                stop.set(true);
                if let Some(credit) = credit {
                    credit.close();
                }
                while connections.join_next().await.is_some() {}
                measured
            })
            .await
    }

    /// Sends `count` events, one request each, at a steady rate whatever the answers do; returns how long
    /// each answer took, in nanoseconds from the moment the event was due, sorted.
    pub async fn open_loop(&self, per_second: u64, count: u64) -> anyhow::Result<Vec<u64>> {
        let (due, queue) = mpsc::unbounded_channel();
        // A thread of its own: the runtime's timer has a resolution of a millisecond, as much as a period.
        let pacer = std::thread::spawn(move || pace(per_second, count, &due));
        let queue = Rc::new(tokio::sync::Mutex::new(queue));
        let counts = Rc::new(Counts::default());
        let took = Rc::new(RefCell::new(Vec::with_capacity(count as usize)));
        let tasks = LocalSet::new();
        for _ in 0..self.connections {
            let mut connection = Connection::open(self.target).await?;
            let (load, queue, counts, took) = (self.clone(), queue.clone(), counts.clone(), took.clone());
            tasks.spawn_local(async move {
                let mut request = Vec::new();
                loop {
                    let next = queue.lock().await.recv().await;
                    let Some((number, due_ns)) = next else { return };
                    load.templates[number as usize % load.templates.len()].render(&mut request, due_ns);
                    match connection.exchange(&request).await {
                        Ok(200) => took.borrow_mut().push(monotonic_ns() - due_ns),
                        Ok(status) => counts.fail(format!("answered {status}")),
                        Err(error) => return counts.fail(error.to_string()),
                    }
                }
            });
        }
        tasks.await;
        pacer.join().map_err(|_| anyhow::anyhow!("the pacer crashed"))?;
        counts.check()?;
        let mut took = took.take();
        took.sort_unstable();
        Ok(took)
    }
}

fn pace(per_second: u64, count: u64, due: &mpsc::UnboundedSender<(u64, u64)>) {
    let (start, start_ns) = (Instant::now(), monotonic_ns());
    for number in 0..count {
        let offset = Duration::from_nanos(number * 1_000_000_000 / per_second);
        if let Some(wait) = offset.checked_sub(start.elapsed()) {
            std::thread::sleep(wait);
        }
        if due.send((number, start_ns + offset.as_nanos() as u64)).is_err() {
            return;
        }
    }
}

/// One HTTP/1.1 connection that is kept open.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    input: Vec<u8>,
}

impl Connection {
    /// Connects.
    pub async fn open(target: SocketAddr) -> anyhow::Result<Connection> {
        let stream = TcpStream::connect(target).await.with_context(|| format!("cannot connect to {target}"))?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream, input: Vec::with_capacity(4096) })
    }

    /// Sends a request as it is and reads the answer; its body stays until the next one.
    pub async fn exchange(&mut self, request: &[u8]) -> io::Result<u16> {
        match tokio::time::timeout(ANSWER_TIME_MAX, self.send_and_read(request)).await {
            Ok(done) => done,
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "no answer in time")),
        }
    }

    async fn send_and_read(&mut self, request: &[u8]) -> io::Result<u16> {
        self.input.clear();
        self.stream.write_all(request).await?;
        loop {
            if self.stream.read_buf(&mut self.input).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(answer) = Answer::parse(&self.input)
                && self.input.len() >= answer.head + answer.body
            {
                self.input.drain(..answer.head);
                return Ok(answer.status);
            }
        }
    }

    /// Asks for a page and reads it.
    pub async fn get(&mut self, path: &str) -> anyhow::Result<String> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
        let status = self.exchange(request.as_bytes()).await?;
        let body = String::from_utf8_lossy(&self.input).into_owned();
        anyhow::ensure!(status == 200, "GET {path}: {status} {body}");
        Ok(body)
    }
}

struct Answer {
    status: u16,
    head: usize,
    body: usize,
}

impl Answer {
    /// Nothing while the head is not complete. Only answers with a Content-Length are understood.
    fn parse(input: &[u8]) -> Option<Answer> {
        let head = input.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
        let text = std::str::from_utf8(&input[..head]).ok()?;
        let status = text.get(9..12)?.parse().ok()?;
        let length = text.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
        });
        Some(Answer { status, head, body: length.unwrap_or_default() })
    }
}
