//! A Postgres of the test's own, for a Pintle that is given a URL.

use crate::folder::Folder;
use crate::process;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const START_TIME_MAX: Duration = Duration::from_secs(60);
const STOP_TIME_MAX: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(20);

/// A running server that listens on a Unix socket only. It stops when this is dropped.
#[derive(Debug)]
pub struct Postgres {
    child: Child,
    folder: Folder,
}

impl Postgres {
    /// Makes a cluster and starts it.
    ///
    /// # Panics
    /// When there is no Postgres on this machine, or it does not start.
    #[must_use]
    pub fn start() -> Postgres {
        let folder = Folder::new("pg");
        let user = User::of_server();
        if let User::Other { uid, gid } = user {
            std::os::unix::fs::chown(folder.path(), Some(uid), Some(gid)).expect("root may give folders away");
        }
        let cluster = folder.path().join("cluster");
        let mut initdb = user.command("initdb");
        initdb.args(["--username=pintle", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--pgdata"]);
        let made = initdb.arg(&cluster).stdin(Stdio::null()).output().expect("initdb runs");
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let mut server = user.command("postgres");
        server.arg("-D").arg(&cluster).arg("-k").arg(folder.path());
        server.args(["-c", "listen_addresses=", "-c", "max_connections=60", "-c", "shared_buffers=64MB"]);
        let log = std::fs::File::create(folder.path().join("log")).expect("our folder can be written");
        server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        process::end_with_us(&mut server, libc::SIGQUIT);
        let child = server.spawn().expect("postgres runs");
        let mut postgres = Postgres { child, folder };
        postgres.await_ready(&cluster);
        postgres
    }

    fn await_ready(&mut self, cluster: &Path) {
        let until = Instant::now() + START_TIME_MAX;
        let ready = || {
            let text = std::fs::read_to_string(cluster.join("postmaster.pid")).unwrap_or_default();
            text.lines().nth(7).is_some_and(|status| status.trim() == "ready")
        };
        while !ready() {
            let said = || std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(matches!(self.child.try_wait(), Ok(None)), "postgres ended: {}", said());
            assert!(Instant::now() < until, "postgres is not ready in time: {}", said());
            std::thread::sleep(LOOK);
        }
    }

    /// Does what nobody but a person with `psql` would do to a database of ours; gives what that says.
    ///
    /// # Panics
    /// When it fails.
    #[must_use]
    pub fn meddle(&self, statement: &str) -> String {
        let beside = binaries().join("psql");
        let mut psql = Command::new(if beside.is_file() { beside } else { PathBuf::from("psql") });
        psql.arg("--host").arg(self.folder.path()).args(["--username=pintle", "--dbname=postgres", "--no-psqlrc"]);
        let output = psql.args(["--command", statement]).stdin(Stdio::null()).output().expect("psql runs");
        assert!(output.status.success(), "{statement}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Its socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join(".s.PGSQL.5432")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        process::signal(self.child.id(), libc::SIGINT);
        if !process::ended_within(&mut self.child, STOP_TIME_MAX) {
            process::signal(self.child.id(), libc::SIGKILL);
            _ = self.child.wait();
        }
    }
}

/// As whom the server runs: it refuses to be root.
#[derive(Clone, Copy, Debug)]
enum User {
    Own,
    Other {
        uid: u32,
        gid: u32,
    },
    /// In a user namespace in which our files belong to this user: where root may not become another.
    Namespace {
        uid: u32,
        gid: u32,
    },
}

impl User {
    fn of_server() -> User {
        // SAFETY: it only returns a number.
        if unsafe { libc::geteuid() } != 0 {
            return User::Own;
        }
        let users = std::fs::read_to_string("/etc/passwd").expect("there are users");
        let entry = |name: &str| {
            let line = users.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
            let mut fields = line.split(':').skip(1).map(str::parse::<u32>);
            Some((fields.next()?.ok()?, fields.next()?.ok()?))
        };
        let (uid, gid) = entry("postgres").or_else(|| entry("nobody")).expect("there is a user that is not root");
        let other = User::Other { uid, gid };
        let probe = other.command("postgres").arg("--version").output();
        if probe.is_ok_and(|probe| probe.status.success()) { other } else { User::Namespace { uid, gid } }
    }

    fn command(self, program: &str) -> Command {
        let program = binaries().join(program);
        let mut command = match self {
            User::Namespace { uid, gid } => {
                let mut command = Command::new("unshare");
                command
                    .args(["--user", &format!("--map-user={uid}"), &format!("--map-group={gid}"), "--"])
                    .arg(program);
                command
            }
            User::Own | User::Other { .. } => Command::new(program),
        };
        if let User::Other { uid, gid } = self {
            command.uid(uid).gid(gid);
        }
        command.current_dir("/").env("LC_ALL", "C");
        command
    }
}

/// The folder with the newest server's programs.
fn binaries() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut installed: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    installed.sort();
    places.extend(installed.into_iter().rev().map(|(_, place)| place));
    let found = places.into_iter().find(|place| place.join("initdb").is_file() && place.join("postgres").is_file());
    found.expect("Postgres' programs are on this machine")
}
