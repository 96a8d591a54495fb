//! One destination's way out.
//!
//! ```text
//!  send ──▶ room, door ──▶ queue per key ──▶ attempt ──▶ verdict ──▶ settle
//!            (wait here     (only heads       (HTTP)                  delivered, dead letter, parked,
//!             = back-        are tried)                               or again after a wait
//!             pressure)           ▲                                        │
//!                                 └────────────────────────────────────────┘
//! ```
//! `queue` says who is next, `attempt` tries, `settle` decides what an end means, `park` keeps what has to
//! wait outside the log, `state` holds what they share, and `actor` is the task that drives them.
//!
//! Where the plugin combines requests, an attempt may stand for many deliveries:
//!
//! ```text
//!  heads ──▶ gather ──▶ combine ──▶ bulk request ──▶ one verdict for all, or one for each ──▶ together
//!    ▲      (what is     (plugin)    (HTTP)                                                       │
//!    │       ready)          └─ left out: alone                                                   │
//!    └──────────────────── failed as a whole: in halves ◀─────────────────────────────────────────┘
//! ```
//! `gather` says who shares a request, `combine` has the plugin make it, `bulk` sends it, and `together` gives
//! each member its own end. `rehearse` does all of it but the sending.
#![allow(clippy::vec_box, reason = "deliveries go from the queue into requests and back without being copied")]

mod actor;
mod attempt;
mod bulk;
mod combine;
mod gather;
mod item;
mod park;
mod queue;
mod rehearse;
mod room;
mod settle;
mod state;
mod status;
mod suppressed;
mod together;

pub use rehearse::{Preview, Rehearsal};
pub use room::Closed;
pub use status::Status;

use crate::config::Config;
use crate::delivery::Delivery;
use crate::http::HttpClient;
use crate::mask::Mask;
use crate::metrics::Metrics;
use crate::pace::Pace;
use crate::trace::Scribe;
use actor::Arrival;
use gather::Bounds;
use pintle_runtime::destination::Destination;
use pintle_store::settle::{Parked, Tracker};
use pintle_store::suppressions::Suppressions;
use room::{Door, Rooms};
use state::State;
use status::Board;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

/// What an outlet is made of.
pub struct Setup {
    /// Its settings.
    pub config: Config,
    /// The destination's id.
    pub destination_id: Arc<str>,
    /// The configured plugin: judges answers, and transforms parked events again.
    pub plugin: Arc<Destination>,
    /// A client of its own.
    pub http: HttpClient,
    /// Where parked events meet their end.
    pub tracker: Arc<Tracker>,
    /// The destination's parked events in the order of the log. They come before anything else of their keys.
    pub parked: Vec<Parked>,
    /// The destination's secrets.
    pub mask: Mask,
    /// Whether a request may be sent: false while this process is not sure to own the destination.
    pub attempts_allowed: watch::Receiver<bool>,
    /// Users whose events are not sent any more, wherever they are.
    pub suppressions: Suppressions,
    /// Writes down what happens to events that somebody follows.
    pub scribe: Scribe,
    /// The pace that it keeps to, when others who send to the same place keep to it too. Otherwise one of its own.
    pub pace: Option<Arc<Pace>>,
}

/// What everything inside an outlet may see.
struct Shared {
    config: Config,
    destination_id: Arc<str>,
    plugin: Arc<Destination>,
    http: HttpClient,
    tracker: Arc<Tracker>,
    mask: Mask,
    attempts_allowed: watch::Receiver<bool>,
    suppressions: Suppressions,
    scribe: Scribe,
    metrics: Metrics,
    board: Board,
    pace: Arc<Pace>,
    /// How much one bulk request may carry, where requests are combined.
    bounds: Option<Bounds>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "destination {}", self.destination_id)
    }
}

/// A handle on one destination's outlet. When the last one is dropped, the outlet stops at once.
#[derive(Clone, Debug)]
pub struct Outlet {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    inbox: mpsc::UnboundedSender<Arrival>,
    closing: watch::Sender<Option<Instant>>,
    rooms: Rooms,
    door: Arc<Door>,
    shared: Arc<Shared>,
    task: TaskTracker,
}

impl Outlet {
    /// Starts the outlet's task on the current runtime.
    #[must_use]
    pub fn start(setup: Setup) -> Outlet {
        let Setup {
            config,
            destination_id,
            plugin,
            http,
            tracker,
            parked,
            mask,
            attempts_allowed,
            suppressions,
            scribe,
            pace,
        } = setup;
        let metrics = Metrics::new(&destination_id);
        let rooms = Rooms::new(&config);
        let board = Board::default();
        let rate = config.requests_per_second_max.or(plugin.manifest().rate.requests_per_second);
        let pace = pace.unwrap_or_else(|| Arc::new(Pace::new(rate)));
        let bounds = Bounds::of(plugin.manifest(), &config);
        let shared = Arc::new(Shared {
            config,
            destination_id,
            plugin,
            http,
            tracker,
            mask,
            attempts_allowed,
            suppressions,
            scribe,
            metrics,
            board,
            pace,
            bounds,
        });
        let mut state = State::new(shared.clone());
        let now = Instant::now();
        parked.into_iter().for_each(|parked| state.restore(parked, now));
        state.publish(now);
        // Unbounded, because everything in it has taken room before.
        let (inbox, arrivals) = mpsc::unbounded_channel();
        let (closing, closes) = watch::channel(None);
        let door = Arc::new(Door::new());
        let task = TaskTracker::new();
        task.spawn(actor::run(state, arrivals, closes, door.clone()));
        task.close();
        Outlet { inner: Arc::new(Inner { inbox, closing, rooms, door, shared, task }) }
    }

    /// Hands over a delivery. Deliveries of one key are tried in the order of these calls.
    ///
    /// Waits while the outlet is full or its breaker is open: the cursor then stays, and the log is the
    /// backlog.
    ///
    /// # Errors
    /// When the outlet is being closed. The delivery is dropped unsettled.
    pub async fn send(&self, delivery: Delivery) -> Result<(), Closed> {
        let inner = &*self.inner;
        inner.door.pass().await;
        let room = inner.rooms.take(delivery.bytes()).await?;
        inner.inbox.send(Arrival::Delivery(Box::new(delivery), room)).map_err(|_| Closed)
    }

    /// Takes in an event that was parked by somebody else: a dead letter that is to be tried again. It
    /// queues behind what its key has.
    ///
    /// # Errors
    /// When the outlet is being closed; the row stays and is read at the next start.
    pub fn adopt(&self, parked: Parked) -> Result<(), Closed> {
        self.inner.inbox.send(Arrival::Parked(Box::new(parked))).map_err(|_| Closed)
    }

    /// How it is doing.
    #[must_use]
    pub fn status(&self) -> Status {
        self.inner.shared.board.status(self.inner.rooms.taken())
    }

    /// Takes nothing new, and returns when what it holds is settled or `within` has passed. What is not
    /// settled by then is dropped; it comes again from the log. Parked events are settled already.
    pub async fn close(self, within: Duration) {
        let inner = &*self.inner;
        inner.closing.send_replace(Some(Instant::now() + within));
        inner.rooms.close();
        inner.door.open();
        inner.task.wait().await;
    }
}
