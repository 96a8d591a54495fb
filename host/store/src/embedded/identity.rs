//! As whom Postgres runs: it refuses to be root, and wants a user that has a name.

use super::Error;
use std::ffi::CStr;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// As whom Postgres and its tools run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Identity {
    /// As whoever we are.
    Own,
    /// In a user namespace where our files belong to this user. Outside it they stay ours.
    Namespace(User),
    /// As this user, to whom the files must belong.
    Other(User),
}

/// A user of this system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct User {
    name: &'static str,
    uid: libc::uid_t,
    gid: libc::gid_t,
}

impl Identity {
    /// The first that works here, tried with `postgres --version`.
    pub(super) fn resolve(binaries: &Path) -> Result<Identity, Error> {
        // SAFETY: both only return numbers.
        let (uid, gid) = unsafe { (libc::geteuid(), libc::getegid()) };
        if uid != 0 && has_name(uid) {
            return Ok(Identity::Own);
        }
        // initdb looks its user up, so it has to be one with a name.
        let Some(user) = named(c"postgres", "postgres").or_else(|| named(c"nobody", "nobody")) else {
            let missing = || "there is no such user".to_owned();
            return Err(Error::Root { namespace: missing(), user: missing() });
        };
        let namespace = Identity::Namespace(user.clone());
        let refused = match namespace.works(binaries, uid, gid) {
            Ok(()) => return Ok(namespace),
            Err(error) => error.to_string(),
        };
        let other = Identity::Other(user);
        match other.works(binaries, uid, gid) {
            Ok(()) => Ok(other),
            Err(error) => Err(Error::Root { namespace: refused, user: error.to_string() }),
        }
    }

    /// Who must own the files, as seen from here.
    pub(super) fn owner(&self) -> (libc::uid_t, libc::gid_t) {
        match self {
            // SAFETY: both only return numbers.
            Identity::Own | Identity::Namespace(_) => unsafe { (libc::geteuid(), libc::getegid()) },
            Identity::Other(user) => (user.uid, user.gid),
        }
    }

    /// The user, where it is not us.
    pub(super) fn other(&self) -> Option<&str> {
        match self {
            Identity::Own | Identity::Namespace(_) => None,
            Identity::Other(user) => Some(user.name),
        }
    }

    /// Makes `command` run as this, in a session of its own, and get `on_our_death` when the thread that
    /// spawns it ends.
    ///
    /// The session keeps Ctrl-C in a terminal from reaching Postgres directly: it must outlive the events
    /// that are still being written.
    pub(super) fn apply(&self, command: &mut Command, on_our_death: libc::c_int) {
        // SAFETY: both only return numbers.
        let (uid, gid) = unsafe { (libc::geteuid(), libc::getegid()) };
        // Formatted here: the forked child of a process with threads may not allocate.
        let maps = match self {
            Identity::Namespace(user) => Some((format!("{} {uid} 1", user.uid), format!("{} {gid} 1", user.gid))),
            Identity::Own | Identity::Other(_) => None,
        };
        let other = match self {
            Identity::Other(user) => Some((user.uid, user.gid)),
            Identity::Own | Identity::Namespace(_) => None,
        };
        let parent = std::process::id();
        let become_it = move || {
            if let Some((uid_map, gid_map)) = &maps {
                enter_namespace(uid_map, gid_map)?;
            }
            if let Some((uid, gid)) = other {
                // SAFETY: plain system calls; the one list passed has the length given.
                check(unsafe { libc::setgroups(1, &raw const gid) })?;
                check(unsafe { libc::setgid(gid) })?;
                check(unsafe { libc::setuid(uid) })?;
            }
            // SAFETY: plain system calls.
            check(unsafe { libc::setsid() })?;
            // After the identity: changing that would clear it.
            check(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, on_our_death) })?;
            // Had the parent died before, nobody would send the signal.
            if u32::try_from(unsafe { libc::getppid() }) != Ok(parent) {
                return Err(io::Error::from_raw_os_error(libc::ESRCH));
            }
            Ok(())
        };
        // SAFETY: the closure only makes system calls on memory that exists already.
        unsafe { command.pre_exec(become_it) };
    }

    /// Whether a program of `binaries` can be run as this.
    fn works(&self, binaries: &Path, uid: libc::uid_t, gid: libc::gid_t) -> io::Result<()> {
        if matches!(self, Identity::Other(user) if uid != 0 && (user.uid, user.gid) != (uid, gid)) {
            return Err(io::Error::from_raw_os_error(libc::EPERM));
        }
        let mut probe = Command::new(binaries.join("postgres"));
        probe.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.apply(&mut probe, libc::SIGKILL);
        let status = probe.status()?;
        if status.success() { Ok(()) } else { Err(io::Error::other(status.to_string())) }
    }
}

/// Enters a user namespace with one user and one group in it.
fn enter_namespace(uid_map: &str, gid_map: &str) -> io::Result<()> {
    // SAFETY: a plain system call.
    check(unsafe { libc::unshare(libc::CLONE_NEWUSER) })?;
    // The kernel wants this before an unprivileged process maps its group.
    write_file(c"/proc/self/setgroups", "deny")?;
    write_file(c"/proc/self/uid_map", uid_map)?;
    write_file(c"/proc/self/gid_map", gid_map)
}

/// Writes a whole small file without allocating.
fn write_file(path: &CStr, text: &str) -> io::Result<()> {
    // SAFETY: the path ends in NUL, the text has the length given, and the descriptor is ours.
    unsafe {
        let file = libc::open(path.as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC);
        check(file)?;
        let written = libc::write(file, text.as_ptr().cast(), text.len());
        let error = io::Error::last_os_error();
        libc::close(file);
        if written < 0 { Err(error) } else { Ok(()) }
    }
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Whether the user has an entry, in whatever directory service the system asks.
fn has_name(uid: libc::uid_t) -> bool {
    let mut buffer = [0 as libc::c_char; 4096];
    // SAFETY: zeroes are a valid passwd, and the buffer has the length given.
    unsafe {
        let mut entry: libc::passwd = std::mem::zeroed();
        let mut found = std::ptr::null_mut();
        libc::getpwuid_r(uid, &raw mut entry, buffer.as_mut_ptr(), buffer.len(), &raw mut found) == 0
            && !found.is_null()
    }
}

/// The user of this name.
fn named(c_name: &CStr, name: &'static str) -> Option<User> {
    let mut buffer = [0 as libc::c_char; 4096];
    // SAFETY: zeroes are a valid passwd, the name ends in NUL, and the buffer has the length given.
    unsafe {
        let mut entry: libc::passwd = std::mem::zeroed();
        let mut found = std::ptr::null_mut();
        let result =
            libc::getpwnam_r(c_name.as_ptr(), &raw mut entry, buffer.as_mut_ptr(), buffer.len(), &raw mut found);
        (result == 0 && !found.is_null()).then_some(User { name, uid: entry.pw_uid, gid: entry.pw_gid })
    }
}
