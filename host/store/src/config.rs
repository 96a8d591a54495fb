//! The store's settings: every limit has a name, a unit and a default.

use pintle_events::seconds;
use serde::Deserialize;
use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

/// Settings of the log and of what is kept about events.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Config {
    /// Pooled connections for everything but the lanes, which have one each. Default: 8.
    pub connections_max: NonZeroU32,
    /// How long a task waits for a pooled connection. Default: 10 s.
    #[serde(with = "seconds")]
    pub acquire_timeout: Duration,
    /// How long a client waits for its commit before it is told to try again. Default: 10 s.
    #[serde(with = "seconds")]
    pub append_timeout: Duration,
    /// Collect events for this long before a commit. Zero commits as soon as the previous commit has
    /// ended, which is the quickest; a few milliseconds cost latency and save CPU at middling load. Default: 0.
    #[serde(with = "seconds")]
    pub commit_window: Duration,
    /// A lane that finds this many events waiting when a commit has ended is busy. Default: 32.
    pub busy_commit_events: NonZeroU32,
    /// A busy lane collects for this long before it commits: fewer, larger commits, for less CPU per event
    /// just when there is none to spare. Zero commits at once. Default: 4 ms.
    #[serde(with = "seconds")]
    pub busy_commit_window: Duration,
    /// Events in one chunk, at most. Default: 4,000.
    pub chunk_events_max: NonZeroU32,
    /// Bytes of events in one chunk before compression, at most, unless one event alone is larger. Default: 4 MiB.
    pub chunk_bytes_max: NonZeroU32,
    /// Bytes that may wait for one lane's commit; beyond that clients are told to try again. Default: 64 MiB.
    pub lane_waiting_bytes_max: NonZeroU64,
    /// Bytes of committed events kept in memory for destinations that are caught up. Default: 32 MiB.
    pub tail_bytes_max: NonZeroU64,
    /// A segment is sealed at this size. Default: 256 MiB, and never more than an eighth of `log-bytes-max`.
    pub segment_bytes_max: NonZeroU64,
    /// A segment that holds anything is sealed at this age. Default: 10 min.
    #[serde(with = "seconds")]
    pub segment_age_max: Duration,
    /// How long settled segments are kept for replays, while `log-bytes-max` allows. Default: 24 h.
    #[serde(with = "seconds")]
    pub replay_window: Duration,
    /// After this long, what a destination has not taken becomes a dead-letter range. Default: 7 d.
    #[serde(with = "seconds")]
    pub log_retention: Duration,
    /// How long dead letters are kept. Default: 30 d.
    #[serde(with = "seconds")]
    pub dead_letter_retention: Duration,
    /// How long records of events that were not taken are kept. Default: 7 d.
    #[serde(with = "seconds")]
    pub rejected_retention: Duration,
    /// How many of them are kept, at most. Default: 100,000.
    pub rejected_events_max: NonZeroU64,
    /// The log's size beyond which the gateway answers 503. Default: 80 % of the disk that holds an
    /// embedded Postgres, otherwise 100 GiB.
    pub log_bytes_max: Option<NonZeroU64>,
    /// Free bytes on the embedded Postgres' disk below which the gateway answers 503. Default: 1 GiB.
    pub disk_free_min: u64,
    /// How long settled events may wait before their cursors are written; after a crash they come again. Default: 50 ms.
    #[serde(with = "seconds")]
    pub cursor_flush_interval: Duration,
    /// Events settled beyond a cursor's position that it remembers; no destination runs further ahead. Default and most: 8,192.
    pub cursor_window_events: NonZeroU32,
    /// How often what is counted with the cursors is folded into the tables of the books; `pintle ledger` shows both
    /// at any time. Default: 60 s.
    #[serde(with = "seconds")]
    pub ledger_fold_interval: Duration,
    /// How long the books are kept, and never shorter than `log-retention` and a day. Default: 35 d.
    #[serde(with = "seconds")]
    pub ledger_retention: Duration,
    /// How often it is looked whether the books balance; zero never looks. Default: 300 s.
    #[serde(with = "seconds")]
    pub ledger_check_interval: Duration,
    /// Bytes of code and components kept in memory. Default: 64 MiB.
    pub artifact_cache_bytes_max: NonZeroU64,
    /// For how long the message ids of events are remembered: a copy that comes later is no duplicate. Zero
    /// remembers none. Default: 1 h.
    #[serde(with = "seconds")]
    pub dedup_window: Duration,
    /// How many message ids are remembered, at most, of about 16 bytes of memory each. Default: 4,000,000.
    pub dedup_ids_max: NonZeroU32,
    /// With a database that other processes can reach: how long the lease's owner must have been silent
    /// before this process takes over. Default: 1 s.
    #[serde(with = "seconds")]
    pub lease_silence: Duration,
}

impl Default for Config {
    fn default() -> Config {
        const MIB: u64 = 1 << 20;
        let positive = |n: u64| NonZeroU64::new(n).expect("the defaults are not zero");
        let positive32 = |n: u32| NonZeroU32::new(n).expect("the defaults are not zero");
        Config {
            connections_max: positive32(8),
            acquire_timeout: Duration::from_secs(10),
            append_timeout: Duration::from_secs(10),
            commit_window: Duration::ZERO,
            busy_commit_events: positive32(32),
            busy_commit_window: Duration::from_millis(4),
            chunk_events_max: positive32(4_000),
            chunk_bytes_max: positive32(4 << 20),
            lane_waiting_bytes_max: positive(64 * MIB),
            tail_bytes_max: positive(32 * MIB),
            segment_bytes_max: positive(256 * MIB),
            segment_age_max: Duration::from_secs(600),
            replay_window: Duration::from_secs(24 * 3600),
            log_retention: Duration::from_secs(7 * 24 * 3600),
            dead_letter_retention: Duration::from_secs(30 * 24 * 3600),
            rejected_retention: Duration::from_secs(7 * 24 * 3600),
            rejected_events_max: positive(100_000),
            log_bytes_max: None,
            disk_free_min: 1 << 30,
            cursor_flush_interval: Duration::from_millis(50),
            cursor_window_events: positive32(8_192),
            ledger_fold_interval: Duration::from_secs(60),
            ledger_retention: Duration::from_secs(35 * 24 * 3600),
            ledger_check_interval: Duration::from_secs(300),
            artifact_cache_bytes_max: positive(64 * MIB),
            dedup_window: Duration::from_secs(3600),
            dedup_ids_max: positive32(4_000_000),
            lease_silence: Duration::from_secs(1),
        }
    }
}
