//! The router's settings: every limit has a name, a unit and a default.

use pintle_events::seconds;
use pintle_runtime::egress::Networks;
use serde::Deserialize;
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

/// How deliveries are sent, retried, parked and given up. The same for every destination unless the
/// server hands an outlet its own copy.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Config {
    /// Deliveries of one destination that are being sent at the same time. Default: 64.
    pub concurrency_max: NonZeroUsize,
    /// Deliveries of one destination that wait in memory, those being sent included; `send` waits beyond. Default: 4,096.
    pub waiting_events_max: NonZeroUsize,
    /// Bytes of those deliveries; `send` waits beyond. Default: 32 MiB.
    pub waiting_bytes_max: NonZeroU32,
    /// Events in one bulk request, for plugins that combine requests; what the plugin's manifest says counts when
    /// it is less. 1: every event goes by itself. Default: 1,000.
    pub bulk_events_max: NonZeroUsize,
    /// Bytes of the body of a bulk request before compression; what the plugin's manifest says counts when it
    /// is less. A larger event goes by itself. Default: 4 MiB.
    pub bulk_bytes_max: NonZeroUsize,
    /// How long one request may take, connection and body of the answer included. Default: 10 s.
    #[serde(with = "seconds")]
    pub attempt_timeout: Duration,
    /// How long a TCP connection may take to be made. Default: 5 s.
    #[serde(with = "seconds")]
    pub connect_timeout: Duration,
    /// How long the head of the answer may take to come, connection included. Default: 10 s.
    #[serde(with = "seconds")]
    pub first_byte_timeout: Duration,
    /// Tries in memory before a delivery parks, while others of its destination get through. Default: 3.
    pub memory_tries: NonZeroU32,
    /// A delivery that has failed for this long, or would wait beyond it, parks before `memory-tries` are used up. Default: 30 s.
    #[serde(with = "seconds")]
    pub memory_retry_time: Duration,
    /// The first wait after a failure; each further one doubles it, and up to half of each is random. Default: 1 s.
    #[serde(with = "seconds")]
    pub retry_base: Duration,
    /// The longest wait between two tries that the destination did not ask for itself. Default: 5 min.
    #[serde(with = "seconds")]
    pub retry_max: Duration,
    /// The longest `Retry-After` that is honoured; longer ones are cut to it. Default: 1 h.
    #[serde(with = "seconds")]
    pub retry_after_max: Duration,
    /// A delivery that keeps failing while others get through becomes a dead letter when its first failure
    /// is this long ago and `attempts-min` tries were made. Default: 180 min.
    #[serde(with = "seconds")]
    pub retry_time_window: Duration,
    /// Tries that a delivery gets however long they take. Default: 3.
    pub attempts_min: NonZeroU32,
    /// Parked events of one destination; beyond it the breaker opens instead of parking more. Default: 10,000.
    pub parked_per_destination_max: NonZeroUsize,
    /// Bytes of parked events of one destination held in memory; beyond it the breaker opens instead. Default: 64 MiB.
    pub parked_bytes_max: NonZeroUsize,
    /// Different keys that have to fail in a row, without a success between them, to open the breaker. Default: 5.
    pub breaker_keys: NonZeroUsize,
    /// Answers 401 or 403 in a row, to more than one key, that open the breaker instead of making more
    /// dead letters. 0: never. Default: 10.
    pub breaker_refusals: u32,
    /// Bytes of an answer's body that are read; the rest is cut. Default: 64 KiB.
    pub response_bytes_max: NonZeroUsize,
    /// Bytes of an answer's head; a longer one is a failed attempt. At least 8 KiB. Default: 64 KiB.
    pub response_head_bytes_max: NonZeroUsize,
    /// Bytes of a request or an answer that a dead letter shows. Default: 4 KiB.
    pub excerpt_bytes_max: NonZeroUsize,
    /// How long an unused connection is kept. Default: 60 s.
    #[serde(with = "seconds")]
    pub connection_idle_max: Duration,
    /// Networks that are not public and that requests may go to all the same, as in `[127.0.0.0/8, fd00::/8]`.
    /// Without it a request to a private, loopback or link-local address is refused and its event becomes a
    /// dead letter: whoever writes a configuration or an event could reach what the operator meant to keep
    /// to the machine. Default: none.
    pub egress_allow: Networks,
}

impl Default for Config {
    fn default() -> Config {
        const KIB: usize = 1 << 10;
        let count = |n: usize| NonZeroUsize::new(n).expect("the defaults are not zero");
        let small = |n: u32| NonZeroU32::new(n).expect("the defaults are not zero");
        Config {
            concurrency_max: count(64),
            waiting_events_max: count(4_096),
            waiting_bytes_max: small(32 << 20),
            bulk_events_max: count(1_000),
            bulk_bytes_max: count(4 << 20),
            attempt_timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(5),
            first_byte_timeout: Duration::from_secs(10),
            memory_tries: small(3),
            memory_retry_time: Duration::from_secs(30),
            retry_base: Duration::from_secs(1),
            retry_max: Duration::from_secs(300),
            retry_after_max: Duration::from_secs(3600),
            retry_time_window: Duration::from_secs(180 * 60),
            attempts_min: small(3),
            parked_per_destination_max: count(10_000),
            parked_bytes_max: count(64 << 20),
            breaker_keys: count(5),
            breaker_refusals: 10,
            response_bytes_max: count(64 * KIB),
            response_head_bytes_max: count(64 * KIB),
            excerpt_bytes_max: count(4 * KIB),
            connection_idle_max: Duration::from_secs(60),
            egress_allow: Networks::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_document_gives_the_defaults_and_an_unknown_name_is_refused() {
        let config: Config = serde_json::from_str(r#"{"retry-base": 0.25}"#).unwrap();
        assert_eq!(config.retry_base, Duration::from_millis(250));
        assert_eq!(config.concurrency_max.get(), 64);
        assert!(serde_json::from_str::<Config>(r#"{"retry-bases": 1}"#).is_err());
        assert!(serde_json::from_str::<Config>(r#"{"retry-base": -1}"#).is_err());
        assert!(serde_json::from_str::<Config>(r#"{"concurrency-max": 0}"#).is_err());
        assert!(serde_json::from_str::<Config>(r#"{"egress-allow": ["127.0.0.0/8", "::1"]}"#).is_ok());
        assert!(serde_json::from_str::<Config>(r#"{"egress-allow": ["localhost"]}"#).is_err());
    }
}
