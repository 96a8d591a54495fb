//! Why the private Postgres does not start, and what to do about it.

use std::path::PathBuf;
use std::time::Duration;

/// Why the private Postgres does not start. Each message says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There are no server binaries on this machine.
    #[error(
        "PostgreSQL is not installed (looked in {searched}). Install it with `{install}`: Pintle runs a private server \
         from it, and the system's own server may be off. Or name a database with --database-url"
    )]
    NotInstalled {
        /// Where they were looked for.
        searched: String,
        /// The command for this system.
        install: String,
    },
    /// The folder in the settings is not one of server binaries.
    #[error("the folder of PostgreSQL binaries {} has no working {program}: {why}", .dir.display())]
    Binaries {
        /// The folder.
        dir: PathBuf,
        /// What is missing in it.
        program: &'static str,
        /// What was tried.
        why: String,
    },
    /// Only releases that are too old are installed.
    #[error("PostgreSQL {least} or newer is needed, here is only {found}. Install it with `{install}`")]
    TooOld {
        /// The oldest release that does.
        least: u32,
        /// What is there.
        found: String,
        /// The command for this system.
        install: String,
    },
    /// The cluster was made by a release that is not installed.
    #[error(
        "the cluster in {} was made by PostgreSQL {major}, here is only {found}. Install that release with `{install}`, \
         or upgrade the cluster with pg_upgrade while Pintle is stopped (it needs the binaries of both releases)",
        .cluster.display()
    )]
    OtherMajor {
        /// The cluster.
        cluster: PathBuf,
        /// The release that made it.
        major: u32,
        /// What is installed.
        found: String,
        /// The command for this system.
        install: String,
    },
    /// Another Pintle uses the folder.
    #[error(
        "{} is in use by another Pintle (process {holder}): stop it, or choose another --data-dir",
        .dir.display()
    )]
    InUse {
        /// The folder.
        dir: PathBuf,
        /// The process that has it, as far as is known.
        holder: String,
    },
    /// The folder belongs to another user.
    #[error(
        "{} belongs to user {owner}, and this is user {us}: run Pintle as that user, or choose another --data-dir",
        .dir.display()
    )]
    NotOurs {
        /// The folder.
        dir: PathBuf,
        /// Its owner's number.
        owner: u32,
        /// Our number.
        us: u32,
    },
    /// Root, without a way to be somebody else.
    #[error(
        "PostgreSQL refuses to run as root, and here it can neither run in a user namespace ({namespace}) nor as the \
         user postgres or nobody ({user}): start Pintle as an ordinary user"
    )]
    Root {
        /// Why not in a namespace.
        namespace: String,
        /// Why not as that user.
        user: String,
    },
    /// The user that Postgres runs as cannot get at its files.
    #[error(
        "Postgres runs as user {user}, who may not enter {}: choose a --data-dir that others may enter, such as \
         /var/lib/pintle, or allow it with `chmod o+x`",
        .dir.display()
    )]
    Barred {
        /// The user.
        user: String,
        /// The folder that keeps it out.
        dir: PathBuf,
    },
    /// The new cluster could not be made.
    #[error("initdb failed ({status}): {output}")]
    Init {
        /// How it ended.
        status: String,
        /// What it said.
        output: String,
    },
    /// Postgres ended before it was ready.
    #[error("Postgres did not start: {reason}")]
    Died {
        /// How, with the end of its log.
        reason: String,
    },
    /// Postgres took too long to be ready.
    #[error("Postgres was not ready after {after:?} (see {}); a longer `start-time-max` may help", .log.display())]
    Slow {
        /// How long was waited.
        after: Duration,
        /// Its log.
        log: PathBuf,
    },
    /// The previous server would not end.
    #[error("the previous Postgres (process {pid}) does not end: stop it, then start Pintle again")]
    Lingers {
        /// Its process.
        pid: u32,
    },
    /// Stopped while it was starting.
    #[error("Postgres was told to stop while it was starting")]
    Stopped,
    /// The thread that watches Postgres has panicked.
    #[error("the thread that watches Postgres has ended unexpectedly")]
    Supervisor,
    /// A file or a process could not be handled.
    #[error("could not {doing}: {source}")]
    Io {
        /// What was being done.
        doing: String,
        /// What the system said.
        source: std::io::Error,
    },
}

impl Error {
    /// Says what was being done when the system refused it.
    pub(super) fn io(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> Error {
        move |source| Error::Io { doing: doing.into(), source }
    }
}
