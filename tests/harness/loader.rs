//! Clients that never stop posting, and never lose an event: what was not acknowledged is sent again.

use crate::events::Events;
use crate::http::{Connection, Request};
use crate::workspace::WRITE_KEY;
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Clients, each with one connection and one request in flight.
const CLIENTS: usize = 64;
/// Users of each client: a user never has two requests in flight.
const USERS_EACH: usize = 4;
/// How long a client waits before it sends again.
const AGAIN: Duration = Duration::from_millis(20);

/// Posts until it is told to stop.
#[derive(Debug)]
pub struct Loader {
    stop: watch::Sender<bool>,
    clients: JoinSet<BTreeMap<String, Vec<u32>>>,
    shared: Arc<Shared>,
    started: Instant,
}

#[derive(Debug)]
struct Shared {
    acknowledged: watch::Sender<u64>,
    attempts: AtomicU64,
}

/// What was posted.
#[derive(Debug)]
pub struct Sent {
    /// By user, the attempts that each of their events took; the last one was acknowledged.
    pub attempts: BTreeMap<String, Vec<u32>>,
    /// Events acknowledged.
    pub acknowledged: u64,
    /// Requests, the ones in vain included.
    pub requests: u64,
    /// How long it took.
    pub took: Duration,
}

impl Loader {
    /// Starts posting at this many events a second in all, or as fast as answers come.
    #[must_use]
    pub fn start(gateway: &watch::Receiver<SocketAddr>, events_per_second: u32, seed: u64) -> Loader {
        let stop = watch::Sender::new(false);
        let shared = Arc::new(Shared { acknowledged: watch::Sender::new(0), attempts: AtomicU64::new(0) });
        let mut clients = JoinSet::new();
        for number in 0..CLIENTS {
            let client = Client {
                number,
                gateway: gateway.clone(),
                stop: stop.subscribe(),
                shared: shared.clone(),
                events: Events::new(seed ^ number as u64, 600),
                connection: None,
            };
            let every = Duration::from_secs(1) * CLIENTS as u32 / events_per_second;
            clients.spawn(client.run(every));
        }
        Loader { stop, clients, shared, started: Instant::now() }
    }

    /// How many events are acknowledged by now.
    #[must_use]
    pub fn acknowledged(&self) -> u64 {
        *self.shared.acknowledged.borrow()
    }

    /// Waits until so many events are acknowledged.
    ///
    /// # Panics
    /// When that takes longer than `patience`.
    pub async fn wait_acknowledged(&self, events: u64, patience: Duration) {
        let mut acknowledged = self.shared.acknowledged.subscribe();
        let enough = acknowledged.wait_for(|now| *now >= events);
        let came = tokio::time::timeout(patience, enough).await.is_ok();
        assert!(came, "waited {patience:?} for {events} acknowledged events; there are {}", self.acknowledged());
    }

    /// Stops posting, and returns when what was begun is acknowledged.
    ///
    /// # Panics
    /// When a client has panicked.
    pub async fn stop(mut self) -> Sent {
        self.stop.send_replace(true);
        let mut attempts = BTreeMap::new();
        while let Some(client) = self.clients.join_next().await {
            attempts.append(&mut client.expect("no client panics"));
        }
        let took = self.started.elapsed();
        Sent {
            attempts,
            acknowledged: self.acknowledged(),
            requests: self.shared.attempts.load(Ordering::Relaxed),
            took,
        }
    }
}

struct Client {
    number: usize,
    gateway: watch::Receiver<SocketAddr>,
    stop: watch::Receiver<bool>,
    shared: Arc<Shared>,
    events: Events,
    connection: Option<(SocketAddr, Connection)>,
}

impl Client {
    async fn run(mut self, every: Duration) -> BTreeMap<String, Vec<u32>> {
        let users: Vec<String> = (0..USERS_EACH).map(|at| format!("user-{}", self.number * USERS_EACH + at)).collect();
        let mut attempts: BTreeMap<String, Vec<u32>> = users.iter().map(|user| (user.clone(), Vec::new())).collect();
        // Missed turns are made up for: what is offered does not depend on what is taken.
        let mut turns = tokio::time::interval(every);
        for user in users.iter().cycle() {
            turns.tick().await;
            if *self.stop.borrow() {
                break;
            }
            let done = attempts.get_mut(user).expect("every user was entered");
            let event = self.events.track(user, done.len());
            done.push(self.post(event).await);
        }
        attempts
    }

    /// Posts an event until it is acknowledged; says how many attempts that took.
    async fn post(&mut self, event: String) -> u32 {
        let request = Request::post("/v1/track", event).key(WRITE_KEY);
        for attempt in 1.. {
            self.shared.attempts.fetch_add(1, Ordering::Relaxed);
            if let Ok(200) = self.ask(&request).await {
                self.shared.acknowledged.send_modify(|acknowledged| *acknowledged += 1);
                return attempt;
            }
            self.connection = None;
            tokio::time::sleep(AGAIN).await;
        }
        unreachable!("there are more numbers than anybody waits for")
    }

    async fn ask(&mut self, request: &Request) -> io::Result<u16> {
        let gateway = *self.gateway.borrow_and_update();
        let (_, connection) = match self.connection.take().filter(|(to, _)| *to == gateway) {
            Some(open) => self.connection.insert(open),
            None => self.connection.insert((gateway, Connection::open(gateway).await?)),
        };
        Ok(connection.ask(request).await?.status)
    }
}
