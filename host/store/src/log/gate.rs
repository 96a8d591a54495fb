//! Whether the log takes events: its size, the disk, the database.

use crate::{Config, metrics};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Why events are not taken. The client keeps them and sends them again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The log may not grow.
    #[error("{limit} is reached; delivery goes on, send again later")]
    Full {
        /// The setting that says so.
        limit: &'static str,
        /// When to try again.
        retry_after: Duration,
    },
    /// The database does not commit in time.
    #[error("the event log is not reachable; send again later")]
    Unavailable {
        /// When to try again.
        retry_after: Duration,
    },
    /// The process is stopping.
    #[error("shutting down; send again")]
    Closed,
}

impl Refused {
    /// When the client should try again.
    #[must_use]
    pub fn retry_after(&self) -> Duration {
        match self {
            Refused::Full { retry_after, .. } | Refused::Unavailable { retry_after } => *retry_after,
            Refused::Closed => Duration::from_secs(1),
        }
    }
}

const RETRY_FULL: Duration = Duration::from_secs(10);
const RETRY_UNAVAILABLE: Duration = Duration::from_secs(2);
/// How old a reading of the free disk space may be.
const DISK_AGE_MAX: Duration = Duration::from_secs(1);
/// Without a disk to look at, a log may take this much.
const BYTES_MAX_UNKNOWN_DISK: u64 = 100 << 30;

#[derive(Debug)]
pub(super) struct Gate {
    bytes: AtomicU64,
    added: AtomicU64,
    started: Instant,
    bytes_max: u64,
    disk: Option<PathBuf>,
    disk_free_min: u64,
    disk_free: Mutex<Option<(Instant, u64)>>,
    /// Set while a lane cannot commit.
    down: [AtomicBool; super::LANES],
    /// Woken when the log is full: settled segments are dropped before their replay window ends.
    pub(super) pressure: Notify,
}

impl Gate {
    pub(super) fn new(config: &Config, disk: Option<PathBuf>, bytes: u64) -> Gate {
        let bytes_max = config.log_bytes_max.map_or_else(
            || disk.as_deref().and_then(disk_size).map_or(BYTES_MAX_UNKNOWN_DISK, |size| size / 5 * 4),
            std::num::NonZeroU64::get,
        );
        Gate {
            bytes: AtomicU64::new(bytes),
            added: AtomicU64::new(0),
            started: Instant::now(),
            bytes_max,
            disk,
            disk_free_min: config.disk_free_min,
            disk_free: Mutex::new(None),
            down: Default::default(),
            pressure: Notify::new(),
        }
    }

    pub(super) fn refusal(&self) -> Option<Refused> {
        if self.down.iter().any(|down| down.load(Ordering::Relaxed)) {
            return Some(self.unavailable());
        }
        if self.is_over() {
            self.pressure.notify_one();
            return Some(Refused::Full { limit: "log-bytes-max", retry_after: RETRY_FULL });
        }
        if self.disk_free().is_some_and(|free| free < self.disk_free_min) {
            self.pressure.notify_one();
            return Some(Refused::Full { limit: "disk-free-min", retry_after: RETRY_FULL });
        }
        None
    }

    pub(super) fn unavailable(&self) -> Refused {
        Refused::Unavailable { retry_after: RETRY_UNAVAILABLE }
    }

    /// Whether settled segments should go before their replay window ends.
    pub(super) fn is_over(&self) -> bool {
        self.bytes() >= self.bytes_max
    }

    pub(super) fn lane_is_down(&self, lane: usize, down: bool) {
        self.down[lane].store(down, Ordering::Relaxed);
    }

    pub(super) fn grew(&self, bytes: u64) {
        self.added.fetch_add(bytes, Ordering::Relaxed);
        let now = self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        metrics::log_bytes(now);
    }

    pub(super) fn shrank(&self, bytes: u64) {
        let before =
            self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| Some(now.saturating_sub(bytes)));
        metrics::log_bytes(before.unwrap_or_default().saturating_sub(bytes));
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(super) fn bytes_max(&self) -> u64 {
        self.bytes_max
    }

    pub(super) fn bytes_per_hour(&self) -> u64 {
        let hours = self.started.elapsed().as_secs_f64() / 3600.0;
        (self.added.load(Ordering::Relaxed) as f64 / hours.max(1.0 / 3600.0)) as u64
    }

    /// The segments' size limit: small enough that a full log can give something back.
    pub(super) fn segment_bytes_max(&self, config: &Config) -> u64 {
        config.segment_bytes_max.get().min(self.bytes_max / 8).max(super::chunk::PIECE_BYTES as u64)
    }

    /// Free bytes on the embedded Postgres' disk, at most a second old.
    pub(super) fn disk_free(&self) -> Option<u64> {
        let disk = self.disk.as_deref()?;
        let mut seen = self.disk_free.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, free)) = *seen
            && at.elapsed() < DISK_AGE_MAX
        {
            return Some(free);
        }
        let free = statvfs(disk).map(|stat| stat.f_bavail * stat.f_frsize)?;
        *seen = Some((Instant::now(), free));
        Some(free)
    }
}

fn disk_size(path: &std::path::Path) -> Option<u64> {
    statvfs(path).map(|stat| stat.f_blocks * stat.f_frsize)
}

fn statvfs(path: &std::path::Path) -> Option<libc::statvfs> {
    use std::os::unix::ffi::OsStrExt;
    let path = std::ffi::CString::new(path.as_os_str().as_bytes()).ok()?;
    let mut stat = std::mem::MaybeUninit::uninit();
    // SAFETY: `path` ends in NUL and `stat` has room for what the call writes; it is read only on success.
    unsafe { (libc::statvfs(path.as_ptr(), stat.as_mut_ptr()) == 0).then(|| stat.assume_init()) }
}
