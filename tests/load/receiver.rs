//! The destination: as little as an HTTP server can do. It counts, and notes how old events are when they arrive.

use crate::clock::monotonic_ns;
use crate::events::TIME_FIELD;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::rc::Rc;
use tokio::net::TcpListener;

#[derive(Debug, Default)]
struct Seen {
    events: Cell<u64>,
    /// Nanoseconds from the sending of an event to its arrival, by the path it was posted to; only of paths that
    /// somebody asks for.
    ages: RefCell<BTreeMap<String, Vec<u64>>>,
}

/// Serves until it is killed. Says its port first.
pub fn run() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        println!("{}", listener.local_addr()?.port());
        let seen = Rc::new(Seen::default());
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let seen = seen.clone();
            tokio::task::spawn_local(async move {
                let service = service_fn(|request| answer(seen.clone(), request));
                // An error here is a client that went away.
                _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    })
}

async fn answer(seen: Rc<Seen>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
    if request.method() == Method::GET {
        return Ok(Response::new(Full::from(control(&seen, request.uri().path()))));
    }
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    seen.events.set(seen.events.get() + 1);
    if let Some(ages) = seen.ages.borrow_mut().get_mut(head.uri.path())
        && let Some(sent_ns) = sent_ns(&body)
    {
        ages.push(monotonic_ns().saturating_sub(sent_ns));
    }
    Ok(Response::new(Full::from("ok")))
}

/// What the bench asks: how many events came, and how old those posted to a path were since it asked last.
fn control(seen: &Seen, question: &str) -> String {
    match question.strip_prefix("/ages") {
        Some(path) => {
            let ages = seen.ages.borrow_mut().insert(path.to_owned(), Vec::new()).unwrap_or_default();
            ages.iter().map(u64::to_string).collect::<Vec<_>>().join(" ")
        }
        None => seen.events.get().to_string(),
    }
}

fn sent_ns(body: &[u8]) -> Option<u64> {
    let at = body.windows(TIME_FIELD.len()).position(|window| window == TIME_FIELD)? + TIME_FIELD.len();
    let digits = body[at..].split(|byte| *byte == b'"').next()?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}
