//! What can be said on the command line.

use crate::plugin::args::PluginCommand;
use crate::remote::args::{Remote, RemotePlugin, RemoteTransform};
use crate::transform::args::TransformCommand;
use clap::builder::FalseyValueParser;
use clap::{Args as Arguments, Parser, Subcommand, ValueEnum};
use pintle_runtime::egress::Network;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

/// A warehouse-native customer data platform in one binary.
#[derive(Debug, Parser)]
#[command(
    name = "pintle",
    version,
    about = "A warehouse-native customer data platform in one binary",
    after_help = "\
Start with `pintle up`: it needs nothing but Postgres' programs on this machine.

Exit codes: 0 done, 1 it did not work, 64 wrong usage, 65 a file that cannot be used, 69 no Pintle \
answers at the admin address."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start Pintle and serve until Ctrl-C
    Up(UpArgs),
    /// Compile plugins ahead of time, so that a package starts without a compiler
    #[command(hide = true)]
    Precompile(PrecompileArgs),
    #[command(flatten)]
    Client(ClientCommand),
}

/// What `pintle up` was told. A flag goes before its environment variable, that before the
/// configuration file, that before the default.
#[derive(Clone, Arguments)]
#[command(after_help = "\
Without any option Pintle starts a private Postgres in its data directory and serves on \
127.0.0.1:8080. Every option can also be set in the configuration file, which has many more.")]
pub struct UpArgs {
    /// Where SDKs send events [default: 127.0.0.1:8080]
    #[arg(long, env = "PINTLE_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// Where the admin API and /metrics listen [default: 127.0.0.1:8081]
    #[arg(long, env = "PINTLE_ADMIN_LISTEN", value_name = "ADDRESS")]
    pub admin_listen: Option<SocketAddr>,
    /// Let --admin-listen be an address that others can reach without TLS: tokens travel in clear text
    #[arg(long, env = "PINTLE_ADMIN_INSECURE", value_parser = FalseyValueParser::new())]
    pub admin_insecure: bool,
    /// The certificate of the admin API, with its chain, as PEM
    #[arg(long, env = "PINTLE_ADMIN_TLS_CERTIFICATE", value_name = "FILE")]
    pub admin_tls_certificate: Option<PathBuf>,
    /// The private key of that certificate, as PEM
    #[arg(long, env = "PINTLE_ADMIN_TLS_KEY", value_name = "FILE")]
    pub admin_tls_key: Option<PathBuf>,
    /// Where everything is kept: the private Postgres, keys, caches [default: pintle-data]
    #[arg(long, env = "PINTLE_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Use this Postgres instead of a private one: postgres://user:password@host/database
    #[arg(long, env = "PINTLE_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// What to serve: Pintle's YAML, or a RudderStack workspaceConfig.json. Changes apply at once
    #[arg(long, env = "PINTLE_WORKSPACE", value_name = "FILE")]
    pub workspace: Option<PathBuf>,
    /// Where the plugins are: one .wasm file each [default: plugins beside the program]
    #[arg(long, env = "PINTLE_PLUGINS_DIR", value_name = "DIR")]
    pub plugins_dir: Option<PathBuf>,
    /// Let requests of destinations go to this network although it is not public, as in 127.0.0.0/8; for
    /// development, and for receivers of one's own. Can be given more than once
    #[arg(long, env = "PINTLE_EGRESS_ALLOW", value_name = "NETWORK", value_delimiter = ',')]
    pub egress_allow: Vec<Network>,
    /// The configuration file
    #[arg(long, env = "PINTLE_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How log lines look [default: text]
    #[arg(long, env = "PINTLE_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
}

/// Leaves the database URL out: it may hold a password.
impl fmt::Debug for UpArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpArgs")
            .field("listen", &self.listen)
            .field("admin_listen", &self.admin_listen)
            .field("admin_insecure", &self.admin_insecure)
            .field("admin_tls_certificate", &self.admin_tls_certificate)
            .field("admin_tls_key", &self.admin_tls_key)
            .field("data_dir", &self.data_dir)
            .field("database_url", &self.database_url.as_ref().map(|_| "…"))
            .field("workspace", &self.workspace)
            .field("plugins_dir", &self.plugins_dir)
            .field("egress_allow", &self.egress_allow)
            .field("config", &self.config)
            .field("log_format", &self.log_format)
            .finish()
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// What `pintle precompile` was told.
#[derive(Clone, Debug, Arguments)]
pub struct PrecompileArgs {
    /// Where the plugins are
    #[arg(long, env = "PINTLE_PLUGINS_DIR", value_name = "DIR")]
    pub plugins_dir: Option<PathBuf>,
    /// Where the compiled plugins go
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

/// Everything that is done here and not by the server.
#[derive(Debug, Subcommand)]
pub(crate) enum ClientCommand {
    /// How a running Pintle is: its log and every destination
    Status {
        /// Say only what is not as it should be, and leave with 2 when there is anything
        #[arg(long)]
        check: bool,
        /// With --check: how old an unsettled event may be
        #[arg(long, value_name = "SECONDS", requires = "check", default_value_t = 300.0)]
        unsettled_max: f64,
        /// With --check: how many dead letters a destination may have [default: any number]
        #[arg(long, value_name = "N", requires = "check")]
        dead_letters_max: Option<u64>,
        #[command(flatten)]
        server: Server,
    },
    /// Events that could not be delivered
    #[command(subcommand, name = "dead-letters")]
    DeadLetters(DeadLetters),
    /// Events on their way
    #[command(subcommand)]
    Events(Events),
    /// What became of one event, and why: every destination, and every step if it was traced
    Why(crate::why::args::Why),
    /// Look at a workspace file before it is used, or bring in a rudder-cli project
    Import(Import),
    /// Destinations of one's own: made and tested here, uploaded to a running Pintle
    #[command(subcommand)]
    Plugin(Plugin),
    /// Code that changes events on their way: made and tested here, published on a running Pintle
    #[command(subcommand)]
    Transform(Transform),
    #[command(flatten)]
    Remote(Remote),
}

/// What is done here, and what is asked of a server.
#[derive(Debug, Subcommand)]
pub(crate) enum Plugin {
    #[command(flatten)]
    Local(PluginCommand),
    #[command(flatten)]
    Remote(RemotePlugin),
}

/// What is done here, and what is asked of a server.
#[derive(Debug, Subcommand)]
pub(crate) enum Transform {
    #[command(flatten)]
    Local(TransformCommand),
    #[command(flatten)]
    Remote(RemoteTransform),
}

/// Which server, and in which form to show its answer.
#[derive(Arguments)]
pub(crate) struct Server {
    /// The admin address of the Pintle to ask
    #[arg(long, env = "PINTLE_ADMIN", value_name = "URL", default_value = "http://127.0.0.1:8081")]
    pub(crate) admin: String,
    /// The file with the token [default: the environment variable PINTLE_TOKEN]
    #[arg(long, env = "PINTLE_TOKEN_FILE", value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// The token itself. Meant for the environment: what stands on a command line, others can read
    #[arg(long, env = "PINTLE_TOKEN", value_name = "TOKEN", hide = true, hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// Trust the certificates of this file, as PEM, instead of the public authorities
    #[arg(long, env = "PINTLE_ADMIN_CA", value_name = "FILE")]
    pub(crate) admin_ca: Option<PathBuf>,
    /// Print the API's own JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Leaves the token out.
impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("admin", &self.admin).field("json", &self.json).finish_non_exhaustive()
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum DeadLetters {
    /// List them, newest first
    List {
        #[command(flatten)]
        which: WhichLetters,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: u32,
        /// Only those older than this one
        #[arg(long, value_name = "ID")]
        before: Option<String>,
        #[command(flatten)]
        server: Server,
    },
    /// Show one with its whole way: as received, after each transformation, request and response
    Show {
        /// Its id, from the list
        id: String,
        #[command(flatten)]
        server: Server,
    },
    /// Show what a retry of one would send now; nothing is sent
    DryRun {
        /// Its id, from the list
        id: String,
        /// A file with the event that would take the place of its own, as JSON
        #[arg(long, value_name = "FILE")]
        message: Option<PathBuf>,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        #[command(flatten)]
        server: Server,
    },
    /// Deliver one again, or all that are meant, oldest first
    Retry {
        /// Its id, from the list; without one, say which are meant
        id: Option<String>,
        #[command(flatten)]
        which: WhichLetters,
        /// All of them
        #[arg(long)]
        all: bool,
        /// A file with the event that takes the place of its own, as JSON
        #[arg(long, value_name = "FILE", requires = "id")]
        message: Option<PathBuf>,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        #[command(flatten)]
        server: Server,
    },
    /// Give one up, or all that are meant: they are gone for good
    Discard {
        /// Its id, from the list; without one, say which are meant
        id: Option<String>,
        #[command(flatten)]
        which: WhichLetters,
        /// All of them
        #[arg(long)]
        all: bool,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
        #[command(flatten)]
        server: Server,
    },
}

/// Which dead letters are meant.
#[derive(Debug, Arguments)]
pub(crate) struct WhichLetters {
    /// Only those of this destination
    #[arg(long, value_name = "ID")]
    pub(crate) destination: Option<String>,
    /// Only those from this source
    #[arg(long, value_name = "ID")]
    pub(crate) source: Option<String>,
    /// Only those of this connection
    #[arg(long, value_name = "ID")]
    pub(crate) connection: Option<String>,
    /// Only those that died there: transformation or delivery
    #[arg(long)]
    pub(crate) stage: Option<String>,
    /// Only events of this type
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) event_type: Option<String>,
    /// Only the event with this message id
    #[arg(long, value_name = "ID")]
    pub(crate) message_id: Option<String>,
    /// Only those with this text in their reason
    #[arg(long, value_name = "TEXT")]
    pub(crate) because: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Events {
    /// Print events as they are accepted, until Ctrl-C
    Tail {
        #[command(flatten)]
        server: Server,
    },
}

#[derive(Debug, Arguments)]
#[command(subcommand_negates_reqs = true, args_conflicts_with_subcommands = true)]
pub(crate) struct Import {
    #[command(subcommand)]
    pub(crate) what: Option<ImportWhat>,
    /// Say what in this file works, what stays off and why, and what is ignored; needs no server
    #[arg(long, value_name = "FILE", required = true)]
    pub(crate) check: Option<PathBuf>,
    /// Count the plugins of this directory as there [default: those that come with Pintle]
    #[arg(long, env = "PINTLE_PLUGINS_DIR", value_name = "DIR")]
    pub(crate) plugins_dir: Option<PathBuf>,
    /// Print the report as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ImportWhat {
    /// Bring the transformations and libraries of a RudderStack rudder-cli project into a running Pintle
    RudderCli(RudderCli),
}

#[derive(Debug, Arguments)]
pub(crate) struct RudderCli {
    /// The project's folder
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// Publish what is brought in; otherwise drafts are saved
    #[arg(long)]
    pub(crate) publish: bool,
    #[command(flatten)]
    pub(crate) server: Server,
}
