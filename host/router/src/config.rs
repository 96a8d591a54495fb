//! The router's settings: every limit has a name, a unit and a default.

use pintle_catalog::Delivery;
use pintle_events::seconds;
use pintle_runtime::destination::Rate;
use pintle_runtime::egress::Networks;
use serde::Deserialize;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

/// How deliveries are sent, retried, parked and given up. The same for every destination, but for what a
/// destination sets for itself: see [`Config::of`].
#[derive(Clone, Debug, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Config {
    /// Deliveries of one destination that are being sent at the same time. Default: 64.
    pub concurrency_max: NonZeroUsize,
    /// Requests begun in a second for one destination, on average. Default: what the plugin's manifest says.
    pub requests_per_second_max: Option<f64>,
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
    /// How long a connection may take to be made: name, TCP and TLS together. Default: 5 s.
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
    /// Tries after which a delivery becomes a dead letter, also when the destination asked for less each time (429).
    /// Those do not count that showed that the destination is down, nor those in a bulk request that failed as
    /// a whole: they say nothing about the delivery. Default: 1,000, which `retry-time-window` comes before
    /// unless the destination asks to be tried again at once.
    pub attempts_max: NonZeroU32,
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
    /// How often an HTTP/2 connection is asked whether it is still alive. Default: 15 s.
    #[serde(with = "seconds")]
    pub http2_ping_interval: Duration,
    /// How long the answer to that may take; a connection without one is closed. Default: 5 s.
    #[serde(with = "seconds")]
    pub http2_ping_timeout: Duration,
    /// Bytes of a request that a dry run shows. Default: 64 KiB.
    pub preview_bytes_max: NonZeroUsize,
    /// A file with certificates, as PEM, of authorities that are trusted besides the public ones. Default: none.
    pub trusted_certificates: Option<PathBuf>,
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
            requests_per_second_max: None,
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
            attempts_max: small(1_000),
            parked_per_destination_max: count(10_000),
            parked_bytes_max: count(64 << 20),
            breaker_keys: count(5),
            breaker_refusals: 10,
            response_bytes_max: count(64 * KIB),
            response_head_bytes_max: count(64 * KIB),
            excerpt_bytes_max: count(4 * KIB),
            connection_idle_max: Duration::from_secs(60),
            http2_ping_interval: Duration::from_secs(15),
            http2_ping_timeout: Duration::from_secs(5),
            preview_bytes_max: count(64 * KIB),
            trusted_certificates: None,
            egress_allow: Networks::default(),
        }
    }
}

impl Config {
    /// The settings of one destination: what it sets for itself, else what its plugin's manifest says, else these.
    #[must_use]
    pub fn of(&self, rate: &Rate, own: Option<&Delivery>) -> Config {
        let mut config = self.clone();
        config.requests_per_second_max = config.requests_per_second_max.or(rate.requests_per_second);
        if let Some(concurrency) = rate.concurrency {
            config.concurrency_max = config.concurrency_max.min(concurrency);
        }
        let Some(own) = own else { return config };
        // The catalog has checked them: what is out of range leaves the setting as it is.
        let seconds = |setting: &mut Duration, given: Option<f64>| {
            *setting = given.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).unwrap_or(*setting);
        };
        let bytes_or_count = |setting: &mut NonZeroUsize, given: Option<u32>| {
            *setting = given.and_then(|number| NonZeroUsize::new(number as usize)).unwrap_or(*setting);
        };
        let tries = |setting: &mut NonZeroU32, given: Option<u32>| {
            *setting = given.and_then(NonZeroU32::new).unwrap_or(*setting);
        };
        config.requests_per_second_max = own.requests_per_second_max.or(config.requests_per_second_max);
        bytes_or_count(&mut config.concurrency_max, own.concurrency_max);
        bytes_or_count(&mut config.response_bytes_max, own.response_bytes_max);
        seconds(&mut config.connect_timeout, own.connect_timeout);
        seconds(&mut config.first_byte_timeout, own.first_byte_timeout);
        seconds(&mut config.attempt_timeout, own.attempt_timeout);
        if own.first_byte_timeout.is_none() && own.attempt_timeout.is_some() {
            // Whoever gives a request more time means the wait for its answer as well.
            config.first_byte_timeout = config.first_byte_timeout.max(config.attempt_timeout);
        }
        seconds(&mut config.retry_time_window, own.retry_time_window);
        seconds(&mut config.retry_base, own.retry_base);
        seconds(&mut config.retry_max, own.retry_max);
        seconds(&mut config.retry_after_max, own.retry_after_max);
        tries(&mut config.attempts_min, own.attempts_min);
        tries(&mut config.attempts_max, own.attempts_max);
        config
    }

    /// The settings of somebody who sends to a destination besides its live traffic, and leaves it the rest: a share
    /// of what may be under way and may wait.
    #[must_use]
    pub fn share(mut self, share: f64) -> Config {
        let part = |count: usize| NonZeroUsize::new((count as f64 * share) as usize).unwrap_or(NonZeroUsize::MIN);
        self.concurrency_max = part(self.concurrency_max.get());
        self.waiting_events_max = part(self.waiting_events_max.get());
        self
    }

    /// Whether the settings can be used together.
    ///
    /// # Errors
    /// Says which cannot, and what to write.
    pub fn check(&self) -> Result<(), String> {
        if self.requests_per_second_max.is_some_and(|rate| !(rate.is_finite() && rate > 0.0)) {
            return Err("router: requests-per-second-max must be more than 0; leave it out for no limit".to_owned());
        }
        if self.attempts_min > self.attempts_max {
            let (min, max) = (self.attempts_min, self.attempts_max);
            return Err(format!("router: attempts-min is {min}, more than attempts-max, which is {max}"));
        }
        if self.http2_ping_interval.is_zero() || self.http2_ping_timeout.is_zero() {
            return Err("router: http2-ping-interval and http2-ping-timeout must be more than 0".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destinations_own_settings_go_before_its_manifest_and_that_before_the_servers() {
        let server = Config { attempt_timeout: Duration::from_secs(7), ..Config::default() };
        let rate = Rate { concurrency: NonZeroUsize::new(8), requests_per_second: Some(20.0) };
        let plain = server.of(&rate, None);
        assert_eq!((plain.concurrency_max.get(), plain.requests_per_second_max), (8, Some(20.0)));
        assert_eq!((plain.attempt_timeout.as_secs(), plain.attempts_max.get()), (7, 1_000));
        let own = Delivery {
            requests_per_second_max: Some(50.0),
            concurrency_max: Some(32),
            attempt_timeout: Some(30.0),
            connect_timeout: Some(0.5),
            attempts_max: Some(4),
            retry_base: Some(0.25),
            retry_time_window: Some(60.0),
            response_bytes_max: Some(1_024),
            ..Delivery::default()
        };
        let config = server.of(&rate, Some(&own));
        assert_eq!((config.concurrency_max.get(), config.requests_per_second_max), (32, Some(50.0)));
        assert_eq!((config.attempt_timeout.as_secs(), config.first_byte_timeout.as_secs()), (30, 30));
        assert_eq!((config.connect_timeout.as_millis(), config.retry_base.as_millis()), (500, 250));
        assert_eq!((config.attempts_max.get(), config.attempts_min), (4, server.attempts_min));
        assert_eq!((config.retry_time_window.as_secs(), config.response_bytes_max.get()), (60, 1_024));
        assert_eq!((config.retry_max, config.retry_after_max), (server.retry_max, server.retry_after_max));
    }

    #[test]
    fn settings_that_contradict_each_other_are_named() {
        assert_eq!(Config::default().check(), Ok(()));
        let of = |text: &str| serde_json::from_str::<Config>(text).unwrap().check().unwrap_err();
        assert!(of(r#"{"requests-per-second-max": 0}"#).contains("requests-per-second-max must be more than 0"));
        assert!(of(r#"{"attempts-min": 9, "attempts-max": 4}"#).contains("attempts-min is 9, more than attempts-max"));
        assert!(of(r#"{"http2-ping-interval": 0}"#).contains("http2-ping-interval"));
    }

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
