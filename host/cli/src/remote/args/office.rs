//! What can be said about revisions, tokens and keys.

use super::Change;
use crate::args::Server;
use clap::{Args, Subcommand};
use pintle_control::Role;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum Revisions {
    /// List them, newest first
    List {
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: u32,
        /// Only older ones than this
        #[arg(long, value_name = "REVISION")]
        before: Option<i64>,
        #[command(flatten)]
        server: Server,
    },
    /// Show one with the catalog as it was
    Show {
        revision: i64,
        #[command(flatten)]
        server: Server,
    },
    /// What differs between two
    Diff {
        revision: i64,
        /// The other one [default: the one before]
        #[arg(long, value_name = "REVISION")]
        from: Option<i64>,
        #[command(flatten)]
        server: Server,
    },
    /// Apply an older one again, as a new one
    Rollback {
        revision: i64,
        #[command(flatten)]
        change: Change,
        #[command(flatten)]
        server: Server,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The folder; it must be empty or not there
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) server: Server,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    /// Make one; its secret is printed this once
    Create {
        /// Who or what it is for
        #[arg(long)]
        name: String,
        /// viewer reads, editor changes the catalog, admin makes tokens and rotates keys
        #[arg(long, value_name = "ROLE")]
        role: Role,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        server: Server,
    },
    /// List them, without their secrets
    List {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        server: Server,
    },
    /// Make one worthless
    Revoke {
        /// Its id, from the list
        id: String,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        server: Server,
    },
}

/// A database to go to instead of asking the admin API: whoever may read it needs no token.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Place {
    /// The data directory of a Pintle on this machine, whether it runs or not
    #[arg(long, value_name = "DIR", conflicts_with = "database_url")]
    pub(crate) data_dir: Option<PathBuf>,
    /// The Postgres that Pintle uses
    #[arg(long, value_name = "URL")]
    pub(crate) database_url: Option<String>,
}

impl Place {
    pub(crate) fn is_named(&self) -> bool {
        self.data_dir.is_some() || self.database_url.is_some()
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Secrets {
    /// Seal everything that is stored with a new key
    Rotate {
        #[command(flatten)]
        server: Server,
    },
}
