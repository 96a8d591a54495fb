//! Settings of the private Postgres.

use pintle_events::seconds;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// Settings of the private Postgres.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Config {
    /// The folder that holds the cluster, its socket and its log. Set by the server: `postgres` in Pintle's
    /// data directory.
    #[serde(skip)]
    pub data_dir: PathBuf,
    /// The folder with `initdb` and `postgres`. Default: the one that fits the cluster, or the newest, among
    /// those of PATH, `/usr/lib/postgresql/*/bin` and `/usr/pgsql-*/bin`.
    pub binaries: Option<PathBuf>,
    /// Settings for `postgresql.conf` beyond Pintle's own, or instead of them, e.g. `shared_buffers = "1GB"`.
    /// Default: none.
    pub settings: BTreeMap<String, String>,
    /// How long the first start may take, recovery after a crash included. Default: 5 min.
    #[serde(with = "seconds")]
    pub start_time_max: Duration,
    /// How long a shutdown may take before Postgres is made to stop without its last checkpoint (nothing is
    /// lost, but the next start takes longer). Default: 30 s.
    #[serde(with = "seconds")]
    pub stop_time_max: Duration,
    /// The longest pause before Postgres is started again after it has died; pauses begin at 50 ms and
    /// double. Default: 5 s.
    #[serde(with = "seconds")]
    pub restart_pause_max: Duration,
    /// Bytes of `postgres.log`; one older file of the same size is kept. Default: 8 MiB.
    pub log_bytes_max: u64,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            data_dir: PathBuf::new(),
            binaries: None,
            settings: BTreeMap::new(),
            start_time_max: Duration::from_secs(300),
            stop_time_max: Duration::from_secs(30),
            restart_pause_max: Duration::from_secs(5),
            log_bytes_max: 8 << 20,
        }
    }
}
