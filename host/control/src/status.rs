//! How everything is, in one document. All times are Unix milliseconds, all sizes bytes.

pub use pintle_catalog::DestinationState;
use serde::{Deserialize, Serialize};

/// The answer of `GET /admin/v1/status`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// This process.
    pub node: Node,
    /// The event log.
    pub log: LogStatus,
    /// The configuration in force.
    pub catalog: CatalogStatus,
    /// Every destination, by id.
    pub destinations: Vec<DestinationStatus>,
}

/// This process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Pintle's version.
    pub version: String,
    /// Seconds since the start.
    pub uptime_seconds: u64,
    /// Which Postgres, without credentials: `embedded 17.2`, `db.internal 16.4`.
    pub postgres: String,
}

/// The event log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogStatus {
    /// What it takes on disk.
    pub bytes: u64,
    /// What it may take.
    pub bytes_max: u64,
    /// How many segments there are.
    pub segments: u64,
    /// When the oldest event in it was received.
    pub oldest_at_ms: Option<i64>,
    /// What is free on its disk, when this node can see it.
    pub disk_free_bytes: Option<u64>,
    /// Hours until the first limit at the present rate; absent when it is not filling up.
    pub hours_left: Option<f64>,
    /// Whether events are accepted.
    pub accepting: bool,
    /// Why not.
    pub refusal: Option<String>,
    /// Events accepted since the database was made.
    pub accepted: u64,
}

/// The configuration in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogStatus {
    /// The number of the revision.
    pub revision: i64,
    /// Who wrote it: `file`, or a user of the API.
    pub author: String,
    /// The workspace file, when there is one.
    pub file: Option<String>,
    /// Connections that stay off although they are enabled.
    pub off: Vec<Off>,
    /// Why the file as it is now could not be used; the last good revision is in force.
    pub last_error: Option<String>,
}

/// A connection that stays off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Off {
    /// Its id.
    pub connection: String,
    /// Why.
    pub reason: String,
}

/// One destination.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DestinationStatus {
    /// Its id.
    pub id: String,
    /// Its name, for people.
    pub name: String,
    /// What it was told to do with events.
    pub state: DestinationState,
    /// Events delivered, ever.
    pub delivered: u64,
    /// Events filtered, ever.
    pub filtered: u64,
    /// Accepted events it has not settled yet, at most: in the part of the log that it has not read, events
    /// of sources that are not connected to it are counted too, and it passes over them. Zero is exact.
    pub lag_events: u64,
    /// The age of the oldest of them.
    pub lag_seconds: Option<f64>,
    /// Events set aside to be tried again later.
    pub parked: u64,
    /// Dead letters kept for it.
    pub dead_letters: u64,
    /// Whether it is being delivered to.
    pub breaker: Breaker,
    /// Requests under way.
    pub in_flight: u64,
    /// What went wrong last.
    pub last_error: Option<LastError>,
}

/// Whether a destination is being delivered to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Breaker {
    /// It is.
    #[default]
    Closed,
    /// It is not: it failed too often, and its cursor waits.
    Open,
    /// One event is being tried.
    HalfOpen,
}

/// What went wrong last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastError {
    /// In words, secrets masked.
    pub message: String,
    /// When.
    pub at_ms: i64,
}
