//! The operator's own plugins, in the data directory: a component that is put there, or replaced, runs at once.

use pintle_control::Editor;
use pintle_processor::Files;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};
use tokio_util::sync::CancellationToken;

/// How often the folder is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// When a file was last written, and its size; nothing while it is not there.
pub type Stamp = (PathBuf, Option<(SystemTime, u64)>);

/// What a file is like now.
pub fn stamp(path: PathBuf) -> Stamp {
    let seen = std::fs::metadata(&path).ok().and_then(|seen| Some((seen.modified().ok()?, seen.len())));
    (path, seen)
}

/// Follows the folder until `shutdown`. No revision says that a file was replaced, so whoever runs it is told
/// to look again.
pub async fn follow(files: Files, editor: Editor, shutdown: CancellationToken) {
    let stamps = || -> Vec<Stamp> { files.own().into_iter().map(stamp).collect() };
    let mut seen = stamps();
    let mut ticks = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let now = stamps();
        if now != seen {
            seen = now;
            editor.remind();
        }
    }
}
