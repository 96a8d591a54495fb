//! What can be said about events.

use super::Place;
use crate::args::Server;
use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(crate) struct Ledger {
    /// Only of this source
    #[arg(long, value_name = "ID")]
    pub(crate) source: Option<String>,
    /// Only of this destination
    #[arg(long, value_name = "ID")]
    pub(crate) destination: Option<String>,
    /// Only events received in that hour or later: a time, a day, or how long ago, as in 36h or 7d
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Only events received before that hour
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// Show sums by this; can be given more than once [default: by all three]
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    pub(crate) by: Vec<LedgerBy>,
    /// Sources without a connection to the destination as well: it passes over their events
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(flatten)]
    pub(crate) server: Server,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LedgerBy {
    Hour,
    Source,
    Destination,
}

#[derive(Debug, Args)]
pub(crate) struct Audit {
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: u32,
    /// Only older ones than this
    #[arg(long, value_name = "ID")]
    pub(crate) before: Option<String>,
    #[command(flatten)]
    pub(crate) server: Server,
}

#[derive(Debug, Args)]
pub(crate) struct RejectedEvents {
    /// Only of this source
    #[arg(long, value_name = "ID")]
    pub(crate) source: Option<String>,
    /// Only for this reason
    #[arg(long)]
    pub(crate) reason: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: u32,
    /// Only older ones than this
    #[arg(long, value_name = "ID")]
    pub(crate) before: Option<String>,
    #[command(flatten)]
    pub(crate) server: Server,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Suppress {
    /// From now on, neither store nor deliver events of this user
    Add {
        /// The `userId`, as events have it
        user: String,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        #[command(flatten)]
        server: Server,
    },
    /// Take events of this user again
    Remove {
        user: String,
        #[command(flatten)]
        server: Server,
    },
    /// Who is on the list
    List {
        #[command(flatten)]
        server: Server,
    },
}
