//! A destination of its own for every test, on a Postgres that they share.

use bytes::Bytes;
use pintle_events::Position;
use pintle_router::{Config, Delivery, HttpClient, Mask, Outlet, Setup, Status};
use pintle_runtime::Runtime;
use pintle_runtime::destination::{self, Context, Destination, Outcome, Request};
use pintle_runtime::egress::{Hosts, Networks};
use pintle_store::Store;
use pintle_store::dead_letters::{self, Filter};
use pintle_store::embedded::Postgres;
use pintle_store::lease::Lease;
use pintle_store::settle::{DeadLetter, Settlement, Ticket, Tracker};
use pintle_store::suppressions::Suppressions;
use pintle_tests::receiver::{Received, Receiver};
use serde_json::json;
use sqlx::Connection as _;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::{Mutex, watch};
use tokio_util::sync::CancellationToken;

/// The secret in the plugin's configuration.
pub const SECRET: &str = "a-very/secret+token";

/// Events of the one chunk that all deliveries of a test come from.
const EVENTS: u32 = 8_192;

static CLUSTER: Mutex<Weak<Cluster>> = Mutex::const_new(Weak::new());
static NUMBER: AtomicU32 = AtomicU32::new(0);

struct Cluster {
    postgres: Option<Postgres>,
    folder: PathBuf,
    runtime: Runtime,
}

impl Cluster {
    async fn get() -> Arc<Cluster> {
        let mut shared = CLUSTER.lock().await;
        if let Some(cluster) = shared.upgrade() {
            return cluster;
        }
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("pintle-router-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let data_dir = folder.join("postgres");
        let postgres =
            Postgres::start(pintle_store::embedded::Config { data_dir, ..Default::default() }).await.unwrap();
        let runtime = Runtime::new(pintle_runtime::Config::default()).unwrap();
        let cluster = Arc::new(Cluster { postgres: Some(postgres), folder, runtime });
        *shared = Arc::downgrade(&cluster);
        cluster
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let postgres = self.postgres.take().unwrap();
        // On a thread of its own: a runtime cannot be started inside another.
        let stopped = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(postgres.stop());
        });
        stopped.join().unwrap();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A destination and everything around it.
pub struct World {
    pub receiver: Receiver,
    pub tracker: Arc<Tracker>,
    pub settlement: Settlement,
    pub allowed: watch::Sender<bool>,
    pub store: Store,
    pub suppressions: Suppressions,
    plugin: Arc<Destination>,
    flusher: CancellationToken,
    _cluster: Arc<Cluster>,
}

/// Whose requests are sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Plugin {
    /// The webhook: one request for each event.
    Webhook,
    /// The test guest `bulk`, which combines up to 50 of them and judges each by itself.
    Bulk,
    /// The same, with a manifest that says that the destination works through a request in order.
    BulkInOrder,
    /// The same, with a manifest that wants requests that go by themselves combined as well.
    BulkAlone,
}

impl World {
    pub async fn new() -> World {
        World::of(Plugin::Webhook).await
    }

    pub async fn of(plugin: Plugin) -> World {
        let cluster = Cluster::get().await;
        let receiver = Receiver::start().await;
        let options = cluster.postgres.as_ref().unwrap().connect_options();
        let database = format!("router_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let mut connection = sqlx::PgConnection::connect_with(&options).await.unwrap();
        let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {database}"));
        sqlx::query(create).execute(&mut connection).await.unwrap();
        let options = options.database(&database);
        let store = Store::open(options.clone(), Default::default()).await.unwrap();
        let mut connection = sqlx::PgConnection::connect_with(&options).await.unwrap();
        sqlx::query("INSERT INTO destinations (id) VALUES ('d')").execute(&mut connection).await.unwrap();
        let lease = Lease::acquire(&store, true).await.unwrap();
        let (settlement, service) = Settlement::new(store.clone(), lease);
        let flusher = CancellationToken::new();
        tokio::spawn(service.run(flusher.clone()));
        let tracker = settlement.tracker("d").await.unwrap();
        tracker.begin(1, 1, &pintle_store::log::Groups::untold(EVENTS)).await.unwrap();
        let plugin = configured(plugin, &cluster.runtime, &receiver).await;
        World {
            receiver,
            tracker,
            settlement,
            allowed: watch::Sender::new(true),
            store,
            suppressions: Suppressions::default(),
            plugin,
            flusher,
            _cluster: cluster,
        }
    }

    /// An outlet that starts with whatever is parked.
    pub async fn outlet(&self, config: Config) -> Outlet {
        self.outlet_to(config, self.plugin.manifest().hosts.clone()).await
    }

    /// The same, for a plugin whose manifest names these hosts.
    pub async fn outlet_to(&self, config: Config, hosts: Hosts) -> Outlet {
        self.settlement.flush().await;
        Outlet::start(Setup {
            pace: None,
            http: HttpClient::new(&config, hosts),
            config,
            destination_id: "d".into(),
            plugin: self.plugin.clone(),
            tracker: self.tracker.clone(),
            parked: self.settlement.parked("d").await.unwrap(),
            mask: Mask::new([SECRET]),
            attempts_allowed: self.allowed.subscribe(),
            suppressions: self.suppressions.clone(),
            scribe: pintle_router::Scribe::off(),
        })
    }

    /// The delivery of the event at place `idx` of the log, with this key.
    pub async fn delivery(&self, key: u64, idx: u32) -> Delivery {
        self.delivery_with(key, idx, &[]).await
    }

    /// The same with more members in the event.
    pub async fn delivery_with(&self, key: u64, idx: u32, more: &[(&str, &str)]) -> Delivery {
        let (message_id, user_id) = (format!("m{idx}"), format!("user-{key}"));
        let mut event = json!({
            "type": "track", "event": "e", "messageId": message_id, "userId": user_id, "key": key, "n": idx,
        });
        more.iter().for_each(|(name, value)| event[*name] = json!(value));
        let payload = Bytes::from(json!({ "message": event, "metadata": {} }).to_string());
        let batch = [b"[", &payload[..], b"]"].concat();
        let context = Context { now_ms: 0, random_seed: 0, attempt: 1 };
        let outcome = self.plugin.transform(context, batch, 1).await.unwrap().remove(0);
        let Outcome::Deliver(deliveries) = outcome else { panic!("{outcome:?}") };
        let requests = deliveries.into_iter().map(|delivery| match delivery {
            destination::Delivery::Request(request) => request,
            destination::Delivery::Record(_) => panic!("the webhook sends requests"),
        });
        self.delivery_of(key, idx, payload, requests.collect())
    }

    pub fn delivery_of(&self, key: u64, idx: u32, payload: Bytes, requests: Vec<Request>) -> Delivery {
        let position = Position { lane: 1, seq: 1, idx };
        Delivery {
            ticket: Arc::new(Ticket::new(self.tracker.clone(), vec![position], vec![0])),
            output: 0,
            position,
            key_hash: key,
            source_id: "source".into(),
            connection_id: "connection".into(),
            message_id: format!("m{idx}"),
            event_type: "track".to_owned(),
            payload,
            requests,
        }
    }

    /// Sends the events `from..to`, spread over `keys` keys.
    pub async fn send(&self, outlet: &Outlet, keys: u64, events: std::ops::Range<u32>) {
        for idx in events {
            outlet.send(self.delivery(u64::from(idx) % keys, idx).await).await.unwrap();
        }
    }

    pub async fn dead_letters(&self) -> Vec<DeadLetter> {
        self.settlement.flush().await;
        let filter = Filter::default();
        let mut letters: Vec<_> = dead_letters::list(&self.store, &filter, 10_000)
            .await
            .unwrap()
            .into_iter()
            .map(|stored| stored.letter)
            .collect();
        letters.sort_by_key(|letter| letter.position);
        letters
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.flusher.cancel();
    }
}

async fn configured(plugin: Plugin, runtime: &Runtime, receiver: &Receiver) -> Arc<Destination> {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target"), PathBuf::from);
    let headers = json!([{ "from": "x-token", "to": SECRET }]);
    let (file, config) = match plugin {
        Plugin::Webhook => (
            "webhook.wasm",
            json!({ "webhookUrl": receiver.url("/hook"), "webhookMethod": "POST", "headers": headers }),
        ),
        Plugin::Bulk | Plugin::BulkInOrder | Plugin::BulkAlone => {
            ("fixtures/bulk.wasm", json!({ "url": receiver.url("/bulk"), "token": SECRET }))
        }
    };
    let path = target.join("plugins").join(file);
    let mut bytes = std::fs::read(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; scripts/build-plugins --fixtures makes it", path.display()));
    // One word of the manifest, which stands in the component as it was written.
    match plugin {
        Plugin::BulkInOrder => replace(&mut bytes, br#""ordered":false"#, br#""ordered": true"#),
        Plugin::BulkAlone => replace(&mut bytes, br#""ordered":false"#, br#""alone":   true"#),
        Plugin::Webhook | Plugin::Bulk => {}
    }
    runtime.destination(&bytes).await.unwrap().configure(&config).await.unwrap()
}

fn replace<const N: usize>(bytes: &mut [u8], from: &[u8; N], to: &[u8; N]) {
    let at = bytes.windows(N).position(|window| window == from).unwrap();
    bytes[at..at + N].copy_from_slice(to);
}

/// Waits of milliseconds instead of seconds and minutes.
pub fn quick() -> Config {
    Config {
        retry_base: Duration::from_millis(10),
        retry_max: Duration::from_millis(80),
        // Nothing hangs but where a test says so, and a slow machine is no reason for another attempt.
        attempt_timeout: Duration::from_secs(60),
        first_byte_timeout: Duration::from_secs(60),
        connect_timeout: Duration::from_secs(60),
        egress_allow: Networks::new(vec!["127.0.0.0/8".parse().unwrap()]),
        ..Config::default()
    }
}

/// Waits until the outlet says so.
pub async fn until(outlet: &Outlet, what: &str, holds: impl Fn(&Status) -> bool) -> Status {
    let waiting = async {
        loop {
            let status = outlet.status();
            if holds(&status) {
                return status;
            }
            tokio::task::yield_now().await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(30), waiting).await;
    waited.unwrap_or_else(|_| panic!("waited for {what}: {:?}", outlet.status()))
}

pub fn number(received: &Received) -> (u64, u64) {
    let event = received.json();
    (event["key"].as_u64().unwrap(), event["n"].as_u64().unwrap())
}

/// Each of the events got through exactly once, and in order per key.
pub fn assert_all_in_order(receiver: &Receiver, events: std::ops::Range<u32>) {
    let mut last: HashMap<u64, u64> = HashMap::new();
    let mut count = 0;
    for received in receiver.received().iter().filter(|received| received.status == 200) {
        let (key, n) = number(received);
        if let Some(before) = last.insert(key, n) {
            assert!(n > before, "key {key}: {n} came after {before}");
        }
        assert!(events.contains(&u32::try_from(n).unwrap()));
        count += 1;
    }
    assert_eq!(count, events.len(), "each event gets through once");
}
