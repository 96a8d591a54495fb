//! Limits of what transformations may fetch.

use serde::{Deserialize, Deserializer, de::Error as _};
use std::num::NonZeroUsize;
use std::time::Duration;

/// How requests of transformations are sent. Where they may go is said by the transformation's `hosts`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Config {
    /// Requests of one call that are under way at the same time. Default: 100.
    pub concurrency_max: NonZeroUsize,
    /// How long one request may take, redirects included. A call ends with the runtime's `call-time-max` in
    /// any case. Default: 30 s.
    #[serde(deserialize_with = "seconds")]
    pub request_timeout: Duration,
    /// How long a connection may take to be made, TLS included. Default: 5 s.
    #[serde(deserialize_with = "seconds")]
    pub connect_timeout: Duration,
    /// How long an unused connection is kept. Default: 30 s.
    #[serde(deserialize_with = "seconds")]
    pub connection_idle_max: Duration,
    /// Redirects that are followed for one request. Default: 5.
    pub redirects_max: u32,
    /// Bytes of a request's body. Default: 1 MiB.
    pub request_bytes_max: NonZeroUsize,
    /// Bytes of an answer's body; a longer one is a failure. Default: 1 MiB.
    pub response_bytes_max: NonZeroUsize,
    /// Bytes of an answer's head; a longer one is a failure. At least 8 KiB. Default: 64 KiB.
    pub response_head_bytes_max: NonZeroUsize,
}

impl Default for Config {
    fn default() -> Config {
        let positive = |number| NonZeroUsize::new(number).expect("the defaults are not zero");
        Config {
            concurrency_max: positive(100),
            request_timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(5),
            connection_idle_max: Duration::from_secs(30),
            redirects_max: 5,
            request_bytes_max: positive(1 << 20),
            response_bytes_max: positive(1 << 20),
            response_head_bytes_max: positive(64 << 10),
        }
    }
}

/// Durations in files are seconds, whole or with a fraction.
fn seconds<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let seconds = f64::deserialize(from)?;
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| D::Error::custom(format!("{seconds} is not a duration in seconds")))
}
