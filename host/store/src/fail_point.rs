//! Places at which a test may kill the process: between each two steps of an event's way, and of a change of
//! the catalog.
//!
//! Only debug builds have them. A release build passes every point for free. The fault tests kill the process
//! at each of [`POINTS`], so a new one is tried as soon as it stands there.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The points on an event's way, in the order in which they are passed.
pub const POINTS: [&str; 10] = [
    "log:before-append",
    "log:after-append",
    "log:after-hand-over",
    "gateway:before-answer",
    "processor:after-begin",
    "processor:after-transform",
    "router:before-attempt",
    "router:before-settle",
    "settle:before-write",
    "settle:after-write",
];

/// Those between the steps of a change of the catalog, and behind a rotation of the key.
pub const CATALOG_POINTS: [&str; 4] =
    ["catalog:after-artifact", "catalog:before-commit", "catalog:after-commit", "secrets:after-rotate"];

/// Those of who writes objects: behind a plan, behind each object, and behind all of them.
pub const OBJECT_POINTS: [&str; 3] = ["objects:after-plan", "objects:after-upload", "objects:before-settle"];

static ARMED: OnceLock<Armed> = OnceLock::new();

struct Armed {
    point: &'static str,
    passes: AtomicU64,
}

/// Arms one point: the process is killed when it is passed for the `passes`-th time. Written `point=passes`.
///
/// # Errors
/// A sentence when there is no such point, or the build has none.
pub fn arm(text: &str) -> Result<(), String> {
    if !cfg!(debug_assertions) {
        return Err("this build has no fail points; use a debug build".to_owned());
    }
    let (name, passes) = text.split_once('=').ok_or("a fail point is written point=passes")?;
    let point = all().find(|point| *point == name).ok_or_else(|| {
        format!("there is no fail point \"{name}\"; there are {}", all().collect::<Vec<_>>().join(", "))
    })?;
    let passes = passes.parse().map_err(|_| format!("{passes} is not a number of passes"))?;
    ARMED.get_or_init(|| Armed { point, passes: AtomicU64::new(passes) });
    Ok(())
}

fn all() -> impl Iterator<Item = &'static str> {
    POINTS.into_iter().chain(CATALOG_POINTS).chain(OBJECT_POINTS)
}

/// Passes a point.
#[inline]
pub fn pass(point: &str) {
    debug_assert!(all().any(|known| known == point), "fail point \"{point}\" is not in the list: no test can arm it");
    if cfg!(debug_assertions)
        && let Some(armed) = ARMED.get()
        && armed.point == point
        && armed.passes.fetch_sub(1, Ordering::Relaxed) == 1
    {
        // SAFETY: a signal to ourselves touches no memory. Nothing may run after it: that is the point.
        unsafe {
            libc::kill(libc::getpid(), libc::SIGKILL);
        }
        loop {
            std::thread::park();
        }
    }
}
