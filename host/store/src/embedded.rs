//! A private Postgres in a directory of its own, for those who have not brought one.
//!
//! ```text
//!   DIR/lock            held (flock) while a Pintle uses DIR; names its process
//!   DIR/cluster/        the cluster; `pintle.conf` in it is written anew at every start
//!   DIR/socket/         the only way in: a Unix socket in a folder that nobody else may enter
//!   DIR/postgres.log    what Postgres says, bounded
//!
//!   Starting ──ready──▶ Running ──exit──▶ Down ──backoff──▶ Starting …
//!                          └──── stop ────▶ Stopped
//! ```
//!
//! One thread forks Postgres and watches it. It is a thread of ours rather than a task because Linux sends
//! the parent-death signal when the *thread* that forked has ended, and a runtime's threads come and go.
//! That signal asks Postgres for a fast shutdown when the host is killed, so no server is ever left behind
//! with nobody to stop it, and the next start has a server with its own settings: it waits for the old
//! one's shutdown (asking for it again, should the signal have been missed) instead of adopting it.
//!
//! Root may not run Postgres. As root it runs inside a user namespace in which root's files belong to an
//! ordinary user; where namespaces are forbidden it runs as the user `postgres`, and the files become its.

mod binaries;
mod cluster;
mod config;
mod directory;
mod error;
mod identity;
mod launch;
mod output;
mod previous;
mod process;
mod supervisor;

pub use config::Config;
pub use error::Error;

use sqlx::postgres::PgConnectOptions;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use tokio::sync::{oneshot, watch};

/// The superuser of the private cluster.
pub const USER: &str = "pintle";

/// The database of the private cluster that Pintle uses.
pub const DATABASE: &str = "postgres";

/// Only names the socket's file: nothing listens on a port.
const PORT: u16 = 5432;

/// What the private Postgres is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Started, not ready yet; perhaps recovering from a crash.
    Starting,
    /// Accepts connections.
    Running {
        /// Its process.
        pid: u32,
    },
    /// Has exited without being asked to; it is started again shortly.
    Down {
        /// How it exited, with the end of its log.
        reason: String,
    },
    /// Stopped as asked. The directory may be used by others.
    Stopped,
}

/// A running private Postgres. Dropping it asks for a shutdown and does not wait; see [`Postgres::stop`].
#[derive(Debug)]
pub struct Postgres {
    started: Started,
    supervisor: Supervisor,
}

/// What is known once Postgres was ready for the first time.
#[derive(Debug)]
struct Started {
    version: String,
    socket_dir: PathBuf,
    cluster: PathBuf,
}

/// The handle on the thread; asks it to stop when dropped, also while the first start is still going on.
#[derive(Debug)]
struct Supervisor {
    events: mpsc::Sender<supervisor::Event>,
    state: watch::Receiver<State>,
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        // The thread has ended when nobody receives: then there is nothing to stop.
        let _ = self.events.send(supervisor::Event::Stop);
    }
}

/// How to connect to the server that another process of this user runs in a data directory; none when the
/// directory does not say where its socket is.
#[must_use]
pub fn running(data_dir: &Path) -> Option<PgConnectOptions> {
    let recorded = std::fs::read_to_string(data_dir.join("socket-dir")).ok()?;
    Some(options(Path::new(recorded.trim())))
}

fn options(socket_dir: &Path) -> PgConnectOptions {
    // Without a password file or PG… variables: they are about other servers.
    PgConnectOptions::new_without_pgpass()
        .socket(socket_dir)
        .port(PORT)
        .username(USER)
        .database(DATABASE)
        .ssl_mode(sqlx::postgres::PgSslMode::Disable)
}

impl Postgres {
    /// Makes the cluster if there is none, starts Postgres and returns when it accepts connections.
    ///
    /// # Errors
    /// Says what to do: install Postgres, upgrade the cluster, stop the other Pintle, choose another folder.
    pub async fn start(config: Config) -> Result<Postgres, Error> {
        let (events, received) = mpsc::channel();
        let (state, watched) = watch::channel(State::Starting);
        let (ready, first) = oneshot::channel();
        let supervisor = Supervisor { events: events.clone(), state: watched };
        std::thread::Builder::new()
            .name("pintle-postgres".into())
            .spawn(move || supervisor::run(&config, &events, &received, &state, ready))
            .map_err(Error::io("start the thread that watches Postgres"))?;
        let started = first.await.map_err(|_| Error::Supervisor)??;
        Ok(Postgres { started, supervisor })
    }

    /// How to connect.
    #[must_use]
    pub fn connect_options(&self) -> PgConnectOptions {
        options(&self.started.socket_dir)
    }

    /// The folder with the socket, for `psql -h DIR -U pintle postgres`.
    #[must_use]
    pub fn socket_dir(&self) -> &Path {
        &self.started.socket_dir
    }

    /// The cluster's folder: the disk it is on is the one the log fills.
    #[must_use]
    pub fn cluster_dir(&self) -> &Path {
        &self.started.cluster
    }

    /// The server's version, e.g. `15.18`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.started.version
    }

    /// The process, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        match *self.supervisor.state.borrow() {
            State::Running { pid } => Some(pid),
            _ => None,
        }
    }

    /// What it is doing, and every change of that.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<State> {
        self.supervisor.state.clone()
    }

    /// Resolves when the server that runs now has exited, with the reason; at once when none runs. Another is
    /// started unless it was stopped, so this is for those who want to say so.
    pub async fn exited(&self) -> String {
        let mut state = self.state();
        let running = state.borrow_and_update().clone();
        // Compared with the process: its successor may run before this task does.
        let has_exited = |now: &State| !matches!(now, State::Running { .. }) || *now != running;
        match state.wait_for(has_exited).await.as_deref() {
            Ok(State::Down { reason }) => reason.clone(),
            Ok(State::Starting | State::Running { .. }) => "postgres has exited and is started again".into(),
            Ok(State::Stopped) | Err(_) => "postgres was stopped".into(),
        }
    }

    /// Stops Postgres: clients are cut off, everything is written, and the process has ended on return.
    pub async fn stop(&self) {
        let _ = self.supervisor.events.send(supervisor::Event::Stop);
        let mut state = self.state();
        // An error means that the thread is gone, and Postgres with it.
        let _ = state.wait_for(|s| *s == State::Stopped).await;
    }
}
