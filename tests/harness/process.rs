//! Child processes that do not outlive us.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// How often an ending process is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// Makes the child get `signal` when the thread that spawns it ends, so that a test run that is killed leaves
/// nothing behind.
pub(crate) fn end_with_us(command: &mut Command, signal: libc::c_int) {
    let arm = move || {
        // SAFETY: a plain system call.
        match unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, signal) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    };
    // SAFETY: the closure makes one system call and allocates nothing.
    unsafe { command.pre_exec(arm) };
}

/// Sends a signal to a process that we started.
pub(crate) fn signal(pid: u32, signal: libc::c_int) {
    if let Ok(pid) = libc::pid_t::try_from(pid) {
        // SAFETY: a plain system call.
        unsafe { libc::kill(pid, signal) };
    }
}

/// Whether the child has ended within this time.
pub(crate) fn ended_within(child: &mut Child, time: Duration) -> bool {
    let until = Instant::now() + time;
    while matches!(child.try_wait(), Ok(None)) {
        if Instant::now() > until {
            return false;
        }
        std::thread::sleep(LOOK);
    }
    true
}

/// Waits until no process with this number works in `folder` any more; one that stays too long is ended.
pub(crate) fn await_end_of(pid: u32, folder: &std::path::Path, patience: Duration) {
    let until = Instant::now() + patience;
    let works_there = || std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == folder);
    while works_there() {
        if Instant::now() > until {
            signal(pid, libc::SIGKILL);
            return;
        }
        std::thread::sleep(LOOK);
    }
}
