//! What a gateway can reach at best: the same HTTP server, answering after one shared write and sync per group.
//!
//! It neither checks the key nor looks at the event. The file was written before and is written over in a
//! circle, as a database does with its log: a sync then has no file size to store.

use anyhow::Context;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use std::fs::File;
use std::net::Ipv4Addr;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::mpsc;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// The file's size; groups are far smaller.
const FILE_BYTES: usize = 64 << 20;

type Waiting = (Bytes, oneshot::Sender<()>);

/// Serves until it is killed. Says its port first.
pub fn run(path: &Path) -> anyhow::Result<()> {
    let file = File::create(path).with_context(|| path.display().to_string())?;
    file.write_all_at(&vec![1; FILE_BYTES], 0)?;
    file.sync_all()?;
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || write(&file, &receiver));
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serve(sender))
}

async fn serve(sender: mpsc::Sender<Waiting>) -> anyhow::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("{}", listener.local_addr()?.port());
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let sender = sender.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| answer(sender.clone(), request));
            // An error here is a client that went away.
            _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(
    sender: mpsc::Sender<Waiting>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let body = request.into_body().collect().await?.to_bytes();
    let (written, done) = oneshot::channel();
    let mut response = Response::new(Full::from("OK"));
    if sender.send((body, written)).is_err() || done.await.is_err() {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    Ok(response)
}

/// While one group is on its way to the disk, the next one collects.
fn write(file: &File, receiver: &mpsc::Receiver<Waiting>) {
    let mut at = 0;
    let mut group = Vec::new();
    while let Ok(first) = receiver.recv() {
        group.clear();
        let mut acks = Vec::new();
        for (body, ack) in std::iter::once(first).chain(receiver.try_iter()) {
            group.extend_from_slice(&body);
            acks.push(ack);
        }
        if at + group.len() > FILE_BYTES {
            at = 0;
        }
        // Without an acknowledgement the clients get 503, and the bench says so.
        if file.write_all_at(&group, at as u64).and_then(|()| file.sync_data()).is_err() {
            continue;
        }
        at += group.len();
        for ack in acks {
            // One whose client is gone waits no more.
            _ = ack.send(());
        }
    }
}
