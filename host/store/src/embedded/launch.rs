//! From a folder to a running server, step by step.

use super::{Error, Started, binaries, binaries::Binaries, cluster, config::Config, directory::Directory};
use super::{identity::Identity, output, output::Tail, previous, supervisor::Event};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, ExitStatus};
use std::sync::mpsc;
use std::time::Duration;

/// How long the end of its output is waited for when the server has exited. It is there at once, unless a
/// process of that server's outlives it.
const LAST_WORDS_TIME_MAX: Duration = Duration::from_secs(1);

/// A folder that is ours, with a cluster that can be started.
pub(super) struct Site {
    directory: Directory,
    binaries: Binaries,
    identity: Identity,
    socket_dir: PathBuf,
}

/// A server that was started. Only [`Server::reap`] forgets its process: until then its number is not reused.
pub(super) struct Server {
    child: Child,
    tail: Tail,
    /// Disconnected as soon as all of its output is in the tail.
    speaking: mpsc::Receiver<()>,
}

impl Site {
    /// Takes the folder, waits for a previous server's end, and makes the cluster if there is none.
    pub(super) fn prepare(config: &Config) -> Result<Site, Error> {
        let directory = Directory::open(&config.data_dir)?;
        let cluster = directory.cluster();
        let major = cluster::major(&cluster)?;
        let binaries = binaries::find(config.binaries.as_deref(), major.map(|major| (cluster.as_path(), major)))?;
        let identity = Identity::resolve(&binaries.dir)?;
        previous::await_end(&cluster, config.stop_time_max)?;
        directory.remove_unfinished()?;
        directory.give_to(&identity)?;
        if major.is_none() {
            cluster::make(&directory, &binaries, &identity)?;
        }
        let socket_dir = directory.socket_dir(&identity)?;
        cluster::configure(config, &cluster, &socket_dir, &binaries, &identity)?;
        Ok(Site { directory, binaries, identity, socket_dir })
    }

    /// What callers want to know about it.
    pub(super) fn describe(&self) -> Started {
        Started {
            version: self.binaries.version.clone(),
            socket_dir: self.socket_dir.clone(),
            cluster: self.directory.cluster(),
        }
    }

    /// Where the log is.
    pub(super) fn log(&self) -> PathBuf {
        self.directory.log()
    }

    /// Starts the server; its exit becomes an event.
    pub(super) fn start(&self, config: &Config, events: &mpsc::Sender<Event>) -> Result<Server, Error> {
        let doing = || Error::io("start postgres");
        let (said, say) = std::io::pipe().map_err(doing())?;
        let mut command = cluster::tool(&self.binaries, "postgres", &self.identity);
        command.arg("-D").arg(self.directory.cluster());
        command.stdout(say.try_clone().map_err(doing())?).stderr(say);
        let child = command.spawn().map_err(doing())?;
        // The command still holds our ends of the pipe.
        drop(command);
        let (spoken, speaking) = mpsc::channel();
        let server = Server { child, tail: Tail::default(), speaking };
        let (path, bytes_max, tail) = (self.directory.log(), config.log_bytes_max, server.tail.clone());
        let copying = move || {
            output::copy(said, &path, bytes_max, &tail);
            drop(spoken);
        };
        std::thread::Builder::new().name("pintle-pg-log".into()).spawn(copying).map_err(doing())?;
        let (pid, events) = (server.child.id(), events.clone());
        let watching = move || {
            await_exit(pid);
            let _ = events.send(Event::Exited);
        };
        std::thread::Builder::new().name("pintle-pg-wait".into()).spawn(watching).map_err(doing())?;
        Ok(server)
    }

    /// Whether that server accepts connections.
    pub(super) fn is_ready(&self, server: &Server) -> bool {
        previous::is_ready(&self.directory.cluster(), server.pid())
    }
}

impl Server {
    /// Its process.
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The end of what it said; for one that has exited, to its last word.
    pub(super) fn last_words(&self) -> &Tail {
        let _ = self.speaking.recv_timeout(LAST_WORDS_TIME_MAX);
        &self.tail
    }

    /// Sends a signal.
    pub(super) fn signal(&self, signal: libc::c_int) {
        if let Ok(pid) = libc::pid_t::try_from(self.child.id()) {
            // SAFETY: a plain system call, on a child that was not reaped: the number is still its own.
            unsafe { libc::kill(pid, signal) };
        }
    }

    /// Takes leave of one that has exited, and says how it ended.
    pub(super) fn reap(mut self) -> String {
        let ended = self.child.wait().map_or_else(|error| error.to_string(), describe_exit);
        format!("{ended}; the end of its log: {}", self.last_words().complaint())
    }
}

fn describe_exit(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("it exited with code {code}"),
        (None, Some(signal)) => format!("it was killed by signal {signal}"),
        (None, None) => "it ended".into(),
    }
}

/// Waits for the end of a child and leaves it to be reaped, so that nobody signals a stranger in between.
fn await_exit(pid: u32) {
    loop {
        // SAFETY: zeroes are a valid siginfo_t to write into.
        let result = unsafe {
            let mut info: libc::siginfo_t = std::mem::zeroed();
            libc::waitid(libc::P_PID, pid, &raw mut info, libc::WEXITED | libc::WNOWAIT)
        };
        if result == 0 || std::io::Error::last_os_error().raw_os_error() != Some(libc::EINTR) {
            return;
        }
    }
}
