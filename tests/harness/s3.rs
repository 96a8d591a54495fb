//! An S3-compatible server (`s3s-fs`) that keeps buckets as folders, checks signatures, and stops in the middle of
//! an upload when a test wants it to.

use crate::folder::Folder;
use bytes::Bytes;
use flate2::read::GzDecoder;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The access key that it knows.
const KEY: &str = "test-key";
/// Its secret.
const SECRET: &str = "test-secret";
/// A test that waits longer than this for an upload has failed.
const PATIENCE: Duration = Duration::from_secs(120);

/// Where an upload stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// While its body is on the way: nothing is stored.
    Body,
    /// When it is stored, before the answer.
    Answer,
}

/// The server. It stops when this is dropped.
#[derive(Debug)]
pub struct S3 {
    folder: Folder,
    addr: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    hold: Mutex<Option<Hold>>,
    /// Uploads that stopped so far.
    held: watch::Sender<usize>,
    /// The names of what was put, in order, with query.
    puts: Mutex<Vec<String>>,
}

impl S3 {
    /// Starts one on a free port.
    ///
    /// # Panics
    /// When there is none.
    pub async fn start() -> S3 {
        let folder = Folder::new("s3");
        let files = s3s_fs::FileSystem::new(folder.path()).expect("our folder can be read");
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_auth(SimpleAuth::from_single(KEY, SECRET));
        let service = builder.build();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let addr = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared { hold: Mutex::default(), held: watch::Sender::new(0), puts: Mutex::default() });
        let task = tokio::spawn(accept(listener, service, shared.clone()));
        S3 { folder, addr, shared, task }
    }

    /// Makes a bucket.
    ///
    /// # Panics
    /// When our folder cannot be written.
    pub fn make_bucket(&self, name: &str) {
        std::fs::create_dir_all(self.folder.path().join(name)).expect("our folder can be written");
    }

    /// Whether there is such a bucket.
    #[must_use]
    pub fn has_bucket(&self, name: &str) -> bool {
        self.folder.path().join(name).is_dir()
    }

    /// Where it listens.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The configuration of the plugin `s3` for a bucket.
    #[must_use]
    pub fn config(&self, bucket: &str) -> Value {
        json!({
            "bucketName": bucket, "endpoint": self.endpoint(), "region": "eu-central-1",
            "roleBasedAuth": false, "accessKeyID": KEY, "accessKey": SECRET,
        })
    }

    /// The next upload stops there and goes no further.
    pub fn hold(&self, hold: Hold) {
        *self.shared.hold.lock().unwrap_or_else(PoisonError::into_inner) = Some(hold);
    }

    /// Uploads pass again. Those that stopped never go on.
    pub fn pass(&self) {
        *self.shared.hold.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Waits until an upload has stopped.
    ///
    /// # Panics
    /// When none does in time.
    pub async fn wait_held(&self) {
        let mut held = self.shared.held.subscribe();
        let waited = tokio::time::timeout(PATIENCE, held.wait_for(|held| *held > 0)).await;
        waited.expect("an upload comes in time").expect("the server runs");
    }

    /// What was put so far, in order.
    #[must_use]
    pub fn puts(&self) -> Vec<String> {
        self.shared.puts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Where a bucket is kept.
    #[must_use]
    pub fn bucket(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The objects of a bucket.
    #[must_use]
    pub fn objects(&self, bucket: &str) -> BTreeMap<String, Object> {
        objects_in(&self.bucket(bucket))
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An object.
#[derive(Clone, Debug)]
pub struct Object {
    /// Its lines.
    pub lines: Vec<String>,
    /// When it was written last.
    pub written: SystemTime,
}

impl Object {
    /// Its lines as JSON.
    ///
    /// # Panics
    /// When they are not.
    #[must_use]
    pub fn json(&self) -> Vec<Value> {
        self.lines.iter().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
    }
}

/// The objects below a folder, by name.
///
/// # Panics
/// When one of them is no gzip of text.
#[must_use]
pub fn objects_in(folder: &Path) -> BTreeMap<String, Object> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(at) = folders.pop() {
        for entry in std::fs::read_dir(&at).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "gz") {
                let name = path.strip_prefix(folder).expect("it is below").to_str().expect("names are text");
                let mut text = String::new();
                let file = std::fs::File::open(&path).expect("it was just there");
                GzDecoder::new(file).read_to_string(&mut text).unwrap_or_else(|error| panic!("{name}: {error}"));
                let written = path.metadata().and_then(|about| about.modified()).expect("it was just there");
                let lines = text.lines().map(str::to_owned).collect();
                found.insert(name.to_owned(), Object { lines, written });
            }
        }
    }
    found
}

async fn accept(listener: TcpListener, service: S3Service, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (service, shared) = (service.clone(), shared.clone());
        tokio::spawn(async move {
            let answer = service_fn(|request| answer(request, &service, &shared));
            // A connection that breaks is the client's affair.
            _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    service: &S3Service,
    shared: &Shared,
) -> Result<Response<s3s::Body>, s3s::HttpError> {
    if request.method() != Method::PUT {
        return service.call(request.map(s3s::Body::from)).await;
    }
    let hold = *shared.hold.lock().unwrap_or_else(PoisonError::into_inner);
    shared.puts.lock().unwrap_or_else(PoisonError::into_inner).push(request.uri().to_string());
    if hold == Some(Hold::Body) {
        // Some of it was read.
        _ = request.into_body().frame().await;
        stop(shared).await;
        return Ok(Response::new(s3s::Body::from(Bytes::new())));
    }
    let answer = service.call(request.map(s3s::Body::from)).await;
    if hold == Some(Hold::Answer) {
        stop(shared).await;
    }
    answer
}

/// Until the client is gone.
async fn stop(shared: &Shared) {
    shared.held.send_modify(|held| *held += 1);
    std::future::pending::<()>().await;
}
