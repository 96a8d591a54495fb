//! Settings of traces: every limit has a name, a unit and a default.

use pintle_events::seconds;
use serde::Deserialize;
use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::time::Duration;

/// How much is traced, and how long it is kept.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Config {
    /// Switches that are on at the same time. Default: 32.
    pub switches_max: NonZeroU32,
    /// The longest time for which one may be on. Default: 24 h.
    #[serde(with = "seconds")]
    pub switch_time_max: Duration,
    /// The most events that one may trace. Default: 10,000.
    pub switch_events_max: NonZeroU64,
    /// Events whose steps are recorded, however long their delivery takes; of more, the oldest are no longer
    /// followed. Default: 10,000.
    pub followed_events_max: NonZeroUsize,
    /// Steps that are recorded of one event. Default: 200.
    pub steps_per_event_max: NonZeroU32,
    /// Bytes of each text of a step (an input, an output, a request, an answer); longer ones are cut, and a call
    /// whose input was cut cannot be run again. Default: 64 KiB.
    pub step_bytes_max: NonZeroUsize,
    /// Bytes of a whole batch that is recorded because the code was given all of it at once; of a larger one only
    /// the traced event is recorded, and the call cannot be run again. Default: 256 KiB.
    pub batch_bytes_max: NonZeroUsize,
    /// Bytes of steps that wait to be written; beyond it steps are dropped and counted. Default: 16 MiB.
    pub waiting_bytes_max: NonZeroUsize,
    /// Steps that are kept; of more, the oldest go. Default: 100,000.
    pub rows_max: NonZeroU64,
    /// Bytes of steps that are kept, before compression; of more, the oldest go. Default: 512 MiB.
    pub bytes_max: NonZeroU64,
    /// How long steps are kept. Default: 7 d.
    #[serde(with = "seconds")]
    pub retention: Duration,
    /// Bytes of the log that are looked through for one message id, newest first. Default: 8 GiB.
    pub search_bytes_max: NonZeroU64,
}

impl Default for Config {
    fn default() -> Config {
        const DAY: Duration = Duration::from_secs(24 * 3600);
        let positive = |n: u64| NonZeroU64::new(n).expect("the defaults are not zero");
        let positive32 = |n: u32| NonZeroU32::new(n).expect("the defaults are not zero");
        let size = |n: usize| NonZeroUsize::new(n).expect("the defaults are not zero");
        Config {
            switches_max: positive32(32),
            switch_time_max: DAY,
            switch_events_max: positive(10_000),
            followed_events_max: size(10_000),
            steps_per_event_max: positive32(200),
            step_bytes_max: size(64 << 10),
            batch_bytes_max: size(256 << 10),
            waiting_bytes_max: size(16 << 20),
            rows_max: positive(100_000),
            bytes_max: positive(512 << 20),
            retention: 7 * DAY,
            search_bytes_max: positive(8 << 30),
        }
    }
}
