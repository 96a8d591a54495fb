//! The gateway's settings: every limit has a name, a unit and a default.

use pintle_events::{Network, seconds};
use serde::Deserialize;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::{NonZeroU8, NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

/// Settings of the gateway. In files, durations are seconds.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Config {
    /// Where to listen. Default: 127.0.0.1:8080.
    pub listen: SocketAddr,
    /// Bytes of a body as it travels, at most. Default: 4,096,000, as in RudderStack.
    pub body_bytes_max: NonZeroUsize,
    /// Bytes of a body after decompression, at most. Default: 4,096,000.
    pub decompressed_bytes_max: NonZeroUsize,
    /// Bytes of all bodies that are in memory at the same time, at most. Default: 256 MiB.
    pub bodies_bytes_max: NonZeroUsize,
    /// How long a body may take to arrive. Default: 60 s.
    #[serde(with = "seconds")]
    pub body_time_max: Duration,
    /// Events in one batch, at most. Default: 20,000.
    pub batch_events_max: NonZeroUsize,
    /// Bytes of one event, at most. Default: 4,096,000.
    pub event_bytes_max: NonZeroUsize,
    /// What becomes of a batch in which some events are bad. Default: `per-event`.
    pub batch_verdicts: Verdicts,
    /// Events that a source may send in a second, unless the source has a limit of its own. Default: no limit.
    pub source_events_per_second_max: Option<NonZeroU32>,
    /// The proxies whose `X-Forwarded-For` is believed, as in `10.0.0.0/8`. Default: none.
    pub trusted_proxies: Vec<Network>,
    /// The file with the certificate and its chain, in PEM form: the gateway then speaks TLS alone. Default: none.
    pub tls_certificate: Option<PathBuf>,
    /// The file with the certificate's private key, in PEM form. Default: none.
    pub tls_key: Option<PathBuf>,
    /// How long a TLS handshake may take. Default: 10 s.
    #[serde(with = "seconds")]
    pub handshake_time_max: Duration,
    /// Objects and arrays within each other in one event, at most. Default: 100.
    pub nesting_max: NonZeroU8,
    /// Event requests in progress, at most; health checks are always answered. Default: 8,192.
    pub requests_max: NonZeroUsize,
    /// Open connections, at most; more of them wait in the listen queue. Default: 16,384.
    pub connections_max: NonZeroU32,
    /// Bytes of a request's line and headers, at most; no less than 8,192. Default: 64 KiB.
    pub header_bytes_max: NonZeroUsize,
    /// Requests in progress on one HTTP/2 connection, at most. Default: 128.
    pub streams_max: NonZeroU32,
    /// How long a connection may go without a request in progress. It is also the time that a request's
    /// headers may take. Default: 120 s.
    #[serde(with = "seconds")]
    pub idle_time_max: Duration,
    /// Bytes read and thrown away behind a refusal, so that a client that is still sending sees it. Default: 128 MiB.
    pub drain_bytes_max: usize,
    /// How long that may take. Default: 10 s.
    #[serde(with = "seconds")]
    pub drain_time_max: Duration,
    /// How long a shutdown waits for requests in progress. Default: 15 s.
    #[serde(with = "seconds")]
    pub shutdown_time_max: Duration,
}

/// What becomes of a batch in which some events are bad.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdicts {
    /// The good ones are taken, the bad ones are recorded with their reasons.
    #[default]
    PerEvent,
    /// None is taken, as RudderStack does.
    AllOrNothing,
}

impl Default for Config {
    fn default() -> Config {
        const DEFAULT: &str = "the defaults are not zero";
        let size = |n| NonZeroUsize::new(n).expect(DEFAULT);
        let count = |n| NonZeroU32::new(n).expect(DEFAULT);
        Config {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            body_bytes_max: size(4_096_000),
            decompressed_bytes_max: size(4_096_000),
            bodies_bytes_max: size(256 << 20),
            body_time_max: Duration::from_secs(60),
            batch_events_max: size(20_000),
            event_bytes_max: size(4_096_000),
            batch_verdicts: Verdicts::PerEvent,
            source_events_per_second_max: None,
            trusted_proxies: Vec::new(),
            tls_certificate: None,
            tls_key: None,
            handshake_time_max: Duration::from_secs(10),
            nesting_max: NonZeroU8::new(100).expect(DEFAULT),
            requests_max: size(8_192),
            connections_max: count(16_384),
            header_bytes_max: size(64 << 10),
            streams_max: count(128),
            idle_time_max: Duration::from_secs(120),
            drain_bytes_max: 128 << 20,
            drain_time_max: Duration::from_secs(10),
            shutdown_time_max: Duration::from_secs(15),
        }
    }
}

impl Config {
    /// Says which settings do not go together.
    ///
    /// # Errors
    /// A sentence that names the key, the value and the fix.
    pub fn check(&self) -> Result<(), String> {
        const HEADER_BYTES_MIN: usize = 8_192;
        if self.header_bytes_max.get() < HEADER_BYTES_MIN {
            return Err(format!("header-bytes-max = {}: set it to {HEADER_BYTES_MIN} or more", self.header_bytes_max));
        }
        let body = self.body_bytes_max.max(self.decompressed_bytes_max).get();
        if self.bodies_bytes_max.get() < body {
            return Err(format!(
                "bodies-bytes-max = {}: set it to {body} or more, so that one body of the largest size fits",
                self.bodies_bytes_max
            ));
        }
        if self.tls_certificate.is_some() != self.tls_key.is_some() {
            return Err("tls-certificate and tls-key belong together: set both, or neither".to_owned());
        }
        // Frames count their events' bytes in 32 bits, and ids stand in them a second time.
        if body > u32::MAX as usize / 4 {
            return Err(format!("body-bytes-max or decompressed-bytes-max = {body}: set it to 1 GiB or less"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_go_together() {
        assert_eq!(Config::default().check(), Ok(()));
    }

    #[test]
    fn settings_that_cannot_work_are_named() {
        let config = Config { header_bytes_max: NonZeroUsize::MIN, ..Config::default() };
        assert!(config.check().unwrap_err().starts_with("header-bytes-max = 1:"));
        let config = Config { bodies_bytes_max: NonZeroUsize::MIN, ..Config::default() };
        assert!(config.check().unwrap_err().starts_with("bodies-bytes-max = 1:"));
    }
}
