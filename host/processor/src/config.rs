//! The processor's settings.

use serde::Deserialize;
use std::num::NonZeroUsize;
use std::time::Duration;

/// Settings of reading and transforming.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Config {
    /// Events in one call of a component, at most. Default: 200.
    pub batch_events_max: NonZeroUsize,
    /// Bytes of events in one call of a component, at most, unless one event alone is larger. Default: 256 KiB.
    pub batch_bytes_max: NonZeroUsize,
    /// How often in a row a transformation may crash or time out, with no event getting through, before it
    /// counts as broken: its destination then waits for a new version instead of burying every event. Default: 100.
    pub transformation_failures_max: NonZeroUsize,
    /// Bytes of events that the trace of a dead letter shows after each transformation; what does not fit is
    /// counted. Default: 256 KiB.
    pub trace_bytes_max: NonZeroUsize,
    /// Log lines kept of one transformation; older ones go. Default: 1,000.
    pub log_lines_max: NonZeroUsize,
    /// Bytes of log lines kept of one transformation. Default: 256 KiB.
    pub log_bytes_max: NonZeroUsize,
    /// How long a destination that is replaced or stopped may take to finish what it has begun, in seconds;
    /// the rest is read again. Default: 10.
    pub drain_seconds_max: u64,
    /// The part of a destination's requests per second, and of what may be under way, that a replay gets. More
    /// than 0, at most 1. Default: 0.25.
    pub replay_share: f64,
    /// Replays that are not over, at most; each has a reader of its own. Default: 10.
    pub replays_max: u32,
    /// How long the count before a replay may take; beyond it, it says how far it came. Default: 30 s.
    #[serde(with = "pintle_events::seconds")]
    pub replay_count_time_max: Duration,
}

impl Config {
    /// Whether the settings can be used.
    ///
    /// # Errors
    /// Says which cannot, and what to write.
    pub fn check(&self) -> Result<(), String> {
        if self.replay_share > 0.0 && self.replay_share <= 1.0 {
            return Ok(());
        }
        Err("processor: replay-share must be more than 0 and at most 1, as in 0.25".to_owned())
    }

    pub(crate) fn drain_time_max(&self) -> Duration {
        Duration::from_secs(self.drain_seconds_max)
    }
}

impl Default for Config {
    fn default() -> Config {
        let positive = |n| NonZeroUsize::new(n).expect("the defaults are not zero");
        Config {
            batch_events_max: positive(200),
            batch_bytes_max: positive(256 << 10),
            transformation_failures_max: positive(100),
            trace_bytes_max: positive(256 << 10),
            log_lines_max: positive(1_000),
            log_bytes_max: positive(256 << 10),
            drain_seconds_max: 10,
            replay_share: 0.25,
            replays_max: 10,
            replay_count_time_max: Duration::from_secs(30),
        }
    }
}
