//! What can be said about the catalog.

mod events;
mod office;

pub(crate) use events::{Audit, Ledger, LedgerBy, RejectedEvents, Suppress};
pub(crate) use office::{Export, Place, Revisions, Secrets, Token};

use crate::args::Server;
use clap::{Args, Subcommand};
use pintle_catalog::Language;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum Remote {
    /// Libraries that transformations import
    #[command(subcommand)]
    Library(Versioned),
    /// Where events come from
    #[command(subcommand)]
    Source(Source),
    /// Where events go
    #[command(subcommand)]
    Destination(Destination),
    /// Which source feeds which destination
    #[command(subcommand)]
    Connection(Connection),
    /// Secrets that code asks for by name
    #[command(subcommand)]
    Credential(Credential),
    /// Events that the gateway did not take, and why
    RejectedEvents(RejectedEvents),
    /// Users whose events are neither stored nor delivered
    #[command(subcommand)]
    Suppress(Suppress),
    /// Events of the past that go to one destination again: start, list, show, cancel
    #[command(subcommand)]
    Replay(super::replays::Replay),
    /// What was accepted against what became of it, per source, destination and hour; leaves with 1 when the books
    /// do not balance
    Ledger(Ledger),
    /// Whose events are recorded step by step; `pintle why` shows the steps
    #[command(subcommand)]
    Trace(super::traces::Trace),
    /// What people did to events by hand, and why
    Audit(Audit),
    /// Every change of the catalog: look back, compare, go back
    #[command(subcommand)]
    Revisions(Revisions),
    /// Write the whole catalog into a folder, in file form; secrets become references
    Export(Export),
    /// Tokens for the admin API
    #[command(subcommand)]
    Token(Token),
    /// The key that everything stored is sealed with
    #[command(subcommand)]
    Secrets(Secrets),
}

/// What is said with a change.
#[derive(Debug, Args)]
pub(crate) struct Change {
    /// Why; it stands in the revision
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// Change it only if it is still in this state: the ETag that `show --json` gave
    #[arg(long, value_name = "ETAG")]
    pub(crate) if_match: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Versioned {
    /// List them
    List {
        #[command(flatten)]
        server: Server,
    },
    /// Show one
    Show {
        id: String,
        #[command(flatten)]
        server: Server,
    },
    /// List what was published, newest first
    Versions {
        id: String,
        #[command(flatten)]
        server: Server,
    },
    /// Print the code as it was sent
    Code {
        id: String,
        /// `draft`, `live` or a number [default: the draft, else the live one]
        #[arg(long, value_name = "VERSION")]
        version: Option<String>,
        #[command(flatten)]
        server: Server,
    },
    /// Save source code or a component (.wasm) as the draft, when it would run; `-` reads stdin
    Push {
        id: String,
        file: PathBuf,
        /// [default: by how the file's name ends]
        #[arg(long, value_parser = language, value_name = "LANGUAGE")]
        language: Option<Language>,
        /// Publish it at once
        #[arg(long)]
        publish: bool,
        /// Why, for the version
        #[arg(long, value_name = "TEXT", default_value = "")]
        note: String,
        #[command(flatten)]
        change: Change,
        #[command(flatten)]
        server: Server,
    },
    /// Make the draft the next version, and live
    Publish {
        id: String,
        /// Why, for the version
        #[arg(long, value_name = "TEXT", default_value = "")]
        note: String,
        #[command(flatten)]
        change: Change,
        #[command(flatten)]
        server: Server,
    },
    /// Make an older version live again
    Rollback {
        id: String,
        /// Its number [default: the one before the live one]
        #[arg(long, value_name = "N")]
        to: Option<u32>,
        #[command(flatten)]
        change: Change,
        #[command(flatten)]
        server: Server,
    },
    /// Change its name, its description, or the hosts that it may fetch from
    Set {
        id: String,
        #[arg(long)]
        name: Option<String>,
        #[arg(long)]
        description: Option<String>,
        /// A host that a transformation may fetch from; can be given more than once
        #[arg(long = "host", value_name = "HOST")]
        hosts: Vec<String>,
        /// Grant no host at all
        #[arg(long, conflicts_with = "hosts")]
        no_hosts: bool,
        #[command(flatten)]
        change: Change,
        #[command(flatten)]
        server: Server,
    },
    /// Delete it with all its versions
    Delete {
        id: String,
        #[command(flatten)]
        change: Change,
        #[command(flatten)]
        server: Server,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum RemoteTransform {
    #[command(flatten)]
    Versioned(Versioned),
    /// What it logged last
    Logs {
        id: String,
        /// At most so many lines
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: u32,
        /// Go on with what comes, until Ctrl-C
        #[arg(long)]
        follow: bool,
        #[command(flatten)]
        server: Server,
    },
    /// Run it on the server over events of a file; nothing is delivered
    TestRun {
        id: String,
        /// A JSON array of events, or one event a line; `-` reads stdin
        #[arg(long, value_name = "FILE")]
        events: PathBuf,
        /// `draft`, `live` or a number [default: the draft, else the live one]
        #[arg(long, value_name = "VERSION")]
        version: Option<String>,
        #[command(flatten)]
        server: Server,
    },
    /// Compare a version with the live one over the last events that went through a connection
    Shadow {
        id: String,
        /// Whose events
        #[arg(long, value_name = "ID")]
        connection: String,
        /// The last so many
        #[arg(long, value_name = "N", default_value_t = 100)]
        events: usize,
        /// `draft` or a number
        #[arg(long, value_name = "VERSION", default_value = "draft")]
        version: String,
        /// `text`, `json` or `markdown`
        #[arg(long, value_name = "FORMAT", default_value = "text")]
        format: Format,
        /// Leave with code 1 when anything differs
        #[arg(long)]
        check: bool,
        #[command(flatten)]
        server: Server,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
    Markdown,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RemotePlugin {
    /// List them, bundled and uploaded
    List {
        #[command(flatten)]
        server: Server,
    },
    /// Show one with the schema of its configuration
    Show {
        id: String,
        #[command(flatten)]
        server: Server,
    },
    /// List what was uploaded, newest first
    Versions {
        id: String,
        #[command(flatten)]
        server: Server,
    },
    /// Upload a component of the destination world; it is live at once
    Push {
        file: PathBuf,
        #[command(flatten)]
        change: Change,
        #[command(flatten)]
        server: Server,
    },
    /// Make an older version live again
    Rollback {
        id: String,
        /// Its number [default: the one before the live one]
        #[arg(long, value_name = "N")]
        to: Option<u32>,
        #[command(flatten)]
        change: Change,
        #[command(flatten)]
        server: Server,
    },
    /// Delete an uploaded plugin
    Delete {
        id: String,
        #[command(flatten)]
        change: Change,
        #[command(flatten)]
        server: Server,
    },
}

/// What every kind of thing has.
#[derive(Debug, Subcommand)]
pub(crate) enum Common {
    /// List them
    List {
        #[command(flatten)]
        server: Server,
    },
    /// Show one
    Show {
        id: String,
        #[command(flatten)]
        server: Server,
    },
    /// Delete one
    Delete {
        id: String,
        #[command(flatten)]
        change: Change,
        #[command(flatten)]
        server: Server,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Source {
    #[command(flatten)]
    Common(Common),
    /// Make one, or change what is given; the rest stays
    Put {
        id: String,
        #[arg(long)]
        name: Option<String>,
        /// What SDKs authenticate with [default: as it was, else a new random key]
        #[arg(long, value_name = "KEY")]
        write_key: Option<String>,
        #[arg(long, value_name = "true|false")]
        enabled: Option<bool>,
        /// A transformation that runs before fan-out; can be given more than once, `none` for none
        #[arg(long = "transformation", value_name = "ID")]
        transformations: Vec<String>,
        /// How many events it may send in a second, `none` for no limit
        #[arg(long, value_name = "N")]
        events_per_second_max: Option<String>,
        /// Whether the address that an event came from loses its last part before it is stored
        #[arg(long, value_name = "true|false")]
        anonymize_ip: Option<bool>,
        #[command(flatten)]
        change: Change,
        #[command(flatten)]
        server: Server,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Destination {
    #[command(flatten)]
    Common(Common),
    /// Make one, or change what is given; the rest stays
    Put {
        id: String,
        #[arg(long)]
        name: Option<String>,
        /// The plugin that maps events for it
        #[arg(long, value_name = "ID")]
        plugin: Option<String>,
        /// The plugin's settings, a JSON object; `-` reads stdin. Secrets are best written as ${env:NAME}
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// `enabled`, `paused` or `disabled`
        #[arg(long, value_name = "STATE")]
        state: Option<String>,
        /// An event type that it takes; can be given more than once, `any` for any
        #[arg(long = "message-type", value_name = "TYPE")]
        message_types: Vec<String>,
        /// What events call it in their `integrations`, besides id, name and plugin; `none` for nothing
        #[arg(long, value_name = "NAME")]
        integration: Option<String>,
        /// How its deliveries are sent, e.g. attempts-max=20 or attempt-timeout=30; can be given more than once.
        /// NAME=none for the server's setting, `none` for all of them
        #[arg(long, value_name = "NAME=NUMBER")]
        delivery: Vec<String>,
        #[command(flatten)]
        change: Change,
        #[command(flatten)]
        server: Server,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Connection {
    #[command(flatten)]
    Common(Common),
    /// Make one, or change what is given; the rest stays
    Put {
        id: String,
        #[arg(long, value_name = "ID")]
        source: Option<String>,
        #[arg(long, value_name = "ID")]
        destination: Option<String>,
        #[arg(long, value_name = "true|false")]
        enabled: Option<bool>,
        /// A transformation; can be given more than once, in their order, `none` for none
        #[arg(long = "transformation", value_name = "ID")]
        transformations: Vec<String>,
        #[command(flatten)]
        filter: Filter,
        #[command(flatten)]
        change: Change,
        #[command(flatten)]
        server: Server,
    },
}

/// Which events a connection lets through.
#[derive(Debug, Args)]
pub(crate) struct Filter {
    /// An event type that passes; can be given more than once, `any` for any
    #[arg(long = "message-type", value_name = "TYPE")]
    pub(crate) message_types: Vec<String>,
    /// A track event that passes while others do not; can be given more than once, `any` for any
    #[arg(long = "only-event", value_name = "NAME", conflicts_with = "except_events")]
    pub(crate) only_events: Vec<String>,
    /// A track event that does not pass; can be given more than once, `none` for none
    #[arg(long = "except-event", value_name = "NAME")]
    pub(crate) except_events: Vec<String>,
    /// Consents without which nothing passes, e.g. `custom:or:ads,mail`: whose (`any` for any provider), whether all
    /// (`and`) or one of them (`or`) must not be denied, and their ids; can be given more than once, `none` for none
    #[arg(long = "consent", value_name = "PROVIDER:and|or:ID,...")]
    pub(crate) consents: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Credential {
    #[command(flatten)]
    Common(Common),
    /// Make one, or change what is given; the secret itself is read from a file, `-` reads stdin
    Put {
        id: String,
        /// What it is for
        #[arg(long)]
        description: Option<String>,
        /// The file with the secret; its last line break is left out
        #[arg(long, value_name = "FILE")]
        value_file: Option<PathBuf>,
        #[command(flatten)]
        change: Change,
        #[command(flatten)]
        server: Server,
    },
}

fn language(text: &str) -> Result<Language, String> {
    let known = [Language::JavaScript, Language::Python];
    let found = known.into_iter().find(|language| language.as_str() == text);
    found.ok_or_else(|| format!("{text:?} is not a language; use javascript or python"))
}
