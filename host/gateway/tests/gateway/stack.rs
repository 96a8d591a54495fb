//! What the tests of this binary stand on.

use crate::bad_input::Target;
use crate::http::Request;
use pintle_catalog::{Catalog, Source};
use pintle_events::Frame;
use pintle_gateway::{Config, Gateway, Sink};
use pintle_store::embedded::{self, Postgres};
use pintle_store::lease::Lease;
use pintle_store::log::{Log, Services};
use pintle_store::rejected::Recorder;
use pintle_store::settle::Settlement;
use pintle_store::suppressions::Suppressions;
use pintle_store::{Config as StoreConfig, Store};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub const KEY: &str = "the-write-key";

/// A log in a Postgres of its own, in a folder that stays until the next run.
pub struct LogStack {
    pub postgres: Postgres,
    pub store: Store,
    pub log: Log,
}

impl LogStack {
    pub async fn start(name: &str, config: StoreConfig) -> LogStack {
        let data_dir = folder(name);
        // The last run may have been another version's, with another schema.
        _ = std::fs::remove_dir_all(&data_dir);
        let config_of_postgres = embedded::Config { data_dir, ..embedded::Config::default() };
        let postgres = Postgres::start(config_of_postgres).await.unwrap();
        let (store, log) = LogStack::open(&postgres, config).await;
        LogStack { postgres, store, log }
    }

    /// Opens the log that is in this Postgres, as a new process would.
    pub async fn open(postgres: &Postgres, config: StoreConfig) -> (Store, Log) {
        let store = Store::open(postgres.connect_options(), config).await.unwrap();
        let lease = Lease::acquire(&store, true).await.unwrap();
        let (settlement, _flusher) = Settlement::new(store.clone(), lease);
        let (log, mut services) = Log::open(&store, lease, &settlement, None).await.unwrap();
        tokio::spawn(Services::run_lanes(services.take_lanes()));
        (store, log)
    }
}

/// Not below the builds: those may be in root's home, which is closed to a Postgres that runs as another user. But
/// one for each place of builds: their tests may run at the same time.
fn folder(name: &str) -> PathBuf {
    let mut builds = DefaultHasher::new();
    env!("CARGO_TARGET_TMPDIR").hash(&mut builds);
    std::env::temp_dir().join(format!("pintle-{name}-{:016x}", builds.finish()))
}

/// Everything of a gateway that a test can reach.
pub struct Running {
    pub address: SocketAddr,
    pub catalog: watch::Sender<Arc<Catalog>>,
    pub shutdown: CancellationToken,
    pub ended: JoinHandle<()>,
}

impl Running {
    pub async fn start(config: Config, log: &Log) -> Running {
        Running::over(config, sink(log), None).await
    }

    pub async fn over(config: Config, sink: Sink, tls: Option<Arc<rustls::ServerConfig>>) -> Running {
        let (catalog, watched) = watch::channel(Arc::new(catalog(true)));
        let config = Config { listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..config };
        let gateway = Gateway::bind(config, watched, sink, tls).await.unwrap();
        let (address, shutdown) = (gateway.local_addr(), CancellationToken::new());
        let ended = tokio::spawn(gateway.run(shutdown.clone()));
        Running { address, catalog, shutdown, ended }
    }

    pub fn target(&self) -> Target<'static> {
        Target { gateway: self.address, write_key: KEY }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// Where its events go.
pub fn sink(log: &Log) -> Sink {
    let (recorder, writer) = Recorder::new(log.store().clone());
    tokio::spawn(writer.run(CancellationToken::new()));
    Sink { log: log.clone(), recorder, suppressions: Suppressions::default() }
}

/// One source with [`KEY`], and one that is switched off.
pub fn catalog(enabled: bool) -> Catalog {
    let mut catalog = Catalog::default();
    for (id, key, enabled) in [("src-1", KEY, enabled), ("src-off", "off-key", false)] {
        let source = Source { name: id.to_owned(), write_key: key.to_owned(), enabled, ..Source::default() };
        catalog.sources.insert(id.to_owned(), source);
    }
    catalog
}

pub fn post(path: &str, body: impl Into<Vec<u8>>) -> Request {
    Request::post(path, body).key(KEY)
}

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
static SHARED: LazyLock<LogStack> =
    LazyLock::new(|| RUNTIME.block_on(LogStack::start("gateway-postgres", StoreConfig::default())));

/// Runs a test on the runtime that all share: their log outlives each of them.
pub fn with_log<F: Future<Output = ()>>(test: impl FnOnce(&'static Log) -> F) {
    let log = &SHARED.log;
    RUNTIME.block_on(test(log));
}

pub fn run(test: impl Future<Output = ()>) {
    RUNTIME.block_on(test);
}

/// Where the log ends now.
pub fn mark(log: &Log) -> BTreeMap<i64, i64> {
    log.heads()
}

/// The events of this user behind the mark, in the order of the log: what `look` makes of each. All that
/// was acknowledged is committed, and readers get it as soon as the front has looked at it.
pub async fn stored<T>(log: &Log, mark: &BTreeMap<i64, i64>, user: &str, look: impl Fn(&Frame<'_>) -> T) -> Vec<T> {
    let mut reader = log.reader(mark.iter().map(|(lane, head)| (*lane, head + 1)).collect());
    let mut found = Vec::new();
    let heads = log.heads();
    while !reader.has_passed(&heads) {
        let chunk = reader.next().await.unwrap();
        for idx in 0..chunk.events() {
            let event = chunk.event(idx);
            if event.user_id == user {
                found.push(look(&event));
            }
        }
    }
    found
}
