//! The settings of object storage: every limit has a name, a unit and a default.

use serde::{Deserialize, Deserializer, de::Error as _};
use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

/// How events are gathered into objects, and how those are written and read back.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Config {
    /// Folders of this machine below which destinations may write. Default: none.
    pub local_folders: Vec<PathBuf>,
    /// Events that are written together, at most, unless one chunk of the log alone has more. Default: 100,000.
    pub range_events_max: NonZeroU32,
    /// Bytes of records before compression that are written together; what a chunk adds beyond is not cut. What
    /// is gathered is kept in memory, and takes less than this: large objects are compressed as they grow. Default: 256 MiB.
    pub range_bytes_max: NonZeroU64,
    /// How long events are gathered before they are written. Default: 5 min.
    #[serde(deserialize_with = "seconds")]
    pub range_time_max: Duration,
    /// Objects that are written together; what a chunk adds beyond is not cut. Default: 1,000.
    pub range_objects_max: NonZeroUsize,
    /// Uploads of one destination that are under way at the same time. Default: 4.
    pub uploads_at_once_max: NonZeroUsize,
    /// How long the upload of one object may take. Default: 5 min.
    #[serde(deserialize_with = "seconds")]
    pub upload_timeout: Duration,
    /// Objects of one listing. Default: 250,000, whose names take some 50 MB.
    pub listed_objects_max: NonZeroUsize,
    /// Bytes of an object that is read back, as it is stored. It is read in pieces: memory does not grow with it.
    /// Default: 1 GiB.
    pub object_bytes_max: NonZeroU64,
    /// Bytes of one line of an object that is read back. Default: 8 MiB.
    pub line_bytes_max: NonZeroUsize,
    /// How long one answer may take when objects are read back: a page of a listing, or a piece of an object.
    /// Default: 1 min.
    #[serde(deserialize_with = "seconds")]
    pub read_timeout: Duration,
}

impl Default for Config {
    fn default() -> Config {
        let positive = |number| NonZeroUsize::new(number).expect("the defaults are not zero");
        Config {
            local_folders: Vec::new(),
            range_events_max: NonZeroU32::new(100_000).expect("the defaults are not zero"),
            range_bytes_max: NonZeroU64::new(256 << 20).expect("the defaults are not zero"),
            range_time_max: Duration::from_secs(300),
            range_objects_max: positive(1_000),
            uploads_at_once_max: positive(4),
            upload_timeout: Duration::from_secs(300),
            listed_objects_max: positive(250_000),
            object_bytes_max: NonZeroU64::new(1 << 30).expect("the defaults are not zero"),
            line_bytes_max: positive(8 << 20),
            read_timeout: Duration::from_secs(60),
        }
    }
}

/// Durations in files are seconds, whole or with a fraction.
fn seconds<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let seconds = f64::deserialize(from)?;
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| D::Error::custom(format!("{seconds} is not a duration in seconds")))
}
