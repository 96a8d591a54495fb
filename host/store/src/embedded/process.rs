//! Processes that are not our children: looking at them, signalling them, waiting for their end.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// A process, held so that its number cannot come to mean another one.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) pid: u32,
    descriptor: OwnedFd,
}

impl Process {
    /// The process with this number, if there is one.
    pub(super) fn open(pid: u32) -> io::Result<Option<Process>> {
        // SAFETY: a plain system call; a descriptor that it returns is ours.
        let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
        if fd < 0 {
            let error = io::Error::last_os_error();
            // Numbers that cannot be a process's are invalid rather than unknown.
            let none = matches!(error.raw_os_error(), Some(libc::ESRCH | libc::EINVAL));
            return if none { Ok(None) } else { Err(error) };
        }
        let fd = i32::try_from(fd).map_err(io::Error::other)?;
        // SAFETY: see above.
        Ok(Some(Process { pid, descriptor: unsafe { OwnedFd::from_raw_fd(fd) } }))
    }

    /// Whether it works in this folder.
    pub(super) fn works_in(&self, dir: &Path) -> bool {
        let of = |path: &Path| std::fs::metadata(path).map(|m| (m.dev(), m.ino())).ok();
        let cwd = of(Path::new(&format!("/proc/{}/cwd", self.pid)));
        cwd.is_some() && cwd == of(dir)
    }

    /// Sends a signal. One that has just ended is no error.
    pub(super) fn signal(&self, signal: libc::c_int) -> io::Result<()> {
        let fd = self.descriptor.as_raw_fd();
        let no_details = std::ptr::null::<libc::siginfo_t>();
        // SAFETY: a plain system call on a descriptor that is ours.
        let result = unsafe { libc::syscall(libc::SYS_pidfd_send_signal, fd, signal, no_details, 0) };
        if result == 0 {
            return Ok(());
        }
        let error = io::Error::last_os_error();
        if error.raw_os_error() == Some(libc::ESRCH) { Ok(()) } else { Err(error) }
    }

    /// Waits for its end; false when that did not come in time.
    pub(super) fn wait(&self, most: Duration) -> io::Result<bool> {
        let until = Instant::now() + most;
        let mut watched = libc::pollfd { fd: self.descriptor.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        loop {
            let left = until.saturating_duration_since(Instant::now()).as_millis();
            let left = libc::c_int::try_from(left).unwrap_or(libc::c_int::MAX);
            // SAFETY: one pollfd, as said.
            match unsafe { libc::poll(&raw mut watched, 1, left) } {
                0 => return Ok(false),
                n if n > 0 => return Ok(true),
                _ => {}
            }
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
    }
}
