//! The server that a killed Pintle may have left in the cluster.

use super::{Error, process::Process};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// How long a process gets to end after a signal that leaves it no choice.
const KILL_TIME_MAX: Duration = Duration::from_secs(10);

/// The file in which a running server says who it is.
const PID_FILE: &str = "postmaster.pid";

/// Returns when no server runs in `cluster`. One that does was told to stop when its Pintle died; it is told
/// again and waited for. The caller holds the folder's lock, so that nobody else uses that server.
pub(super) fn await_end(cluster: &Path, stop_time_max: Duration) -> Result<(), Error> {
    let Some(pid) = recorded(cluster) else { return Ok(()) };
    let Some(process) = Process::open(pid).map_err(Error::io(format!("look at process {pid}")))? else {
        return Ok(());
    };
    if !process.works_in(cluster) {
        return disown(cluster);
    }
    tracing::info!(pid, "waiting for the previous postgres to stop");
    let steps = [(libc::SIGINT, stop_time_max), (libc::SIGQUIT, KILL_TIME_MAX), (libc::SIGKILL, KILL_TIME_MAX)];
    for (signal, patience) in steps {
        process.signal(signal).map_err(Error::io(format!("signal the previous postgres, process {pid}")))?;
        if process.wait(patience).map_err(Error::io(format!("wait for process {pid}")))? {
            return Ok(());
        }
    }
    Err(Error::Lingers { pid })
}

/// Whether the server with this number accepts connections.
pub(super) fn is_ready(cluster: &Path, pid: u32) -> bool {
    let text = fs::read_to_string(cluster.join(PID_FILE)).unwrap_or_default();
    let mut lines = text.lines();
    // The status is on the eighth line, since PostgreSQL 10. The number keeps an old file from counting.
    lines.next().and_then(|line| line.trim().parse().ok()) == Some(pid)
        && lines.nth(6).is_some_and(|s| s.trim() == "ready")
}

/// The process that the file names.
fn recorded(cluster: &Path) -> Option<u32> {
    let text = fs::read_to_string(cluster.join(PID_FILE)).ok()?;
    text.lines().next()?.trim().parse().ok()
}

/// The number in the file has come to mean another process: after a crash of the machine, or in a restarted
/// container, where numbers start over. Postgres would take that process for a server and refuse to start.
///
/// Removing the file would also remove the note about shared memory with which Postgres makes sure that no
/// orphan of the old server still writes. So only the number is replaced, by ours: Postgres knows that its
/// own parent is no server.
fn disown(cluster: &Path) -> Result<(), Error> {
    let path = cluster.join(PID_FILE);
    let rewrite = || {
        let text = fs::read_to_string(&path)?;
        let rest = text.split_once('\n').map_or("", |(_, rest)| rest);
        let owner = fs::metadata(&path)?;
        fs::write(&path, format!("{}\n{rest}", std::process::id()))?;
        std::os::unix::fs::chown(&path, Some(std::os::unix::fs::MetadataExt::uid(&owner)), None)
    };
    rewrite().map_err(Error::io(format!("rewrite {}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_means_another_process_becomes_ours_and_the_rest_stays() {
        let dir = std::env::temp_dir().join(format!("pintle-previous-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let mut other = std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
        let rest = "/data\n1700000000\n5432\n/data/socket\n\n  5432001   32770\nready   \n";
        fs::write(dir.join(PID_FILE), format!("{}\n{rest}", other.id())).unwrap();
        assert!(is_ready(&dir, other.id()));

        await_end(&dir, Duration::from_secs(1)).unwrap();

        assert_eq!(fs::read_to_string(dir.join(PID_FILE)).unwrap(), format!("{}\n{rest}", std::process::id()));
        assert!(other.try_wait().unwrap().is_none(), "a stranger was signalled");
        drop(other.stdin.take());
        other.wait().unwrap();
        fs::remove_dir_all(&dir).unwrap();
    }
}
