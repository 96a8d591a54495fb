//! The configuration file and the command line, as one. Nothing else reads files or the environment for
//! settings.

use pintle_cli::{LogFormat, UpArgs};
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Everything that can be set. A setting on the command line, or in its environment variable, wins over
/// the file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Config {
    /// Where everything is kept. Default: `pintle-data` in the current folder.
    pub data_dir: Option<PathBuf>,
    /// A Postgres to use instead of a private one. May refer to the environment variable PINTLE_DATABASE_URL.
    pub database_url: Option<String>,
    /// The workspace file.
    pub workspace: Option<PathBuf>,
    /// Where the plugins are. Default: `plugins` beside the program.
    pub plugins_dir: Option<PathBuf>,
    /// The file with the key that encrypts what is stored; made when it is not there. Default: `secret.key`
    /// in the data directory. The environment variable PINTLE_SECRET_KEY, with the key itself, goes before.
    pub secret_key_file: Option<PathBuf>,
    /// The key itself.
    #[serde(skip)]
    pub secret_key: Option<String>,
    /// The key before this one: what is sealed with it is sealed anew.
    #[serde(skip)]
    pub secret_key_old: Option<String>,
    /// Where a test wants the process killed: see `store::fail_point`.
    #[serde(skip)]
    pub fail_point: Option<String>,
    /// `text` or `json`. Default: text.
    #[serde(skip)]
    pub log_json: bool,
    /// Threads that serve requests and run plugins. Default: one per core.
    pub worker_threads: Option<std::num::NonZeroUsize>,
    /// The gateway.
    pub gateway: pintle_gateway::Config,
    /// The admin API.
    pub admin: pintle_control::Config,
    /// The log and what is kept about events.
    pub store: pintle_store::Config,
    /// Traces of events.
    pub trace: pintle_store::traces::Config,
    /// The private Postgres.
    pub postgres: pintle_store::embedded::Config,
    /// The component runtime.
    pub runtime: pintle_runtime::Config,
    /// Reading and transforming.
    pub processor: pintle_processor::Config,
    /// Delivering.
    pub router: pintle_router::Config,
    /// Gathering events into objects and writing them.
    pub objects: pintle_objects::Config,
    /// Where raw events are kept, as they were accepted.
    pub archive: pintle_processor::archive::Config,
    /// What transformations may fetch. Networks that are not public are those of the router's `egress-allow`.
    pub fetch: pintle_router::fetch::Config,
}

/// A configuration that cannot be used.
#[derive(Debug)]
pub struct Invalid(String);

impl std::fmt::Display for Invalid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Config {
    /// Reads the file that the command line names, and the command line.
    pub fn load(args: &UpArgs) -> Result<Config, Invalid> {
        let mut config = match &args.config {
            None => Config::default(),
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|error| Invalid(format!("--config {}: {error}", path.display())))?;
                Config::parse(&text).map_err(|error| Invalid(format!("{}: {error}", path.display())))?
            }
        };
        let Config { gateway, admin, router, .. } = &mut config;
        set(&mut gateway.listen, args.listen);
        set(&mut admin.listen, args.admin_listen);
        admin.insecure |= args.admin_insecure;
        router.egress_allow.extend(&args.egress_allow);
        admin.tls_certificate = args.admin_tls_certificate.clone().or(admin.tls_certificate.take());
        admin.tls_key = args.admin_tls_key.clone().or(admin.tls_key.take());
        config.data_dir = args.data_dir.clone().or(config.data_dir);
        config.database_url = args.database_url.clone().or(config.database_url);
        config.workspace = args.workspace.clone().or(config.workspace);
        config.plugins_dir = args.plugins_dir.clone().or(config.plugins_dir);
        config.log_json = args.log_format == Some(LogFormat::Json);
        config.secret_key = std::env::var("PINTLE_SECRET_KEY").ok();
        config.secret_key_old = std::env::var("PINTLE_SECRET_KEY_OLD").ok();
        config.fail_point = std::env::var("PINTLE_FAIL_POINT").ok();
        config.check()?;
        Ok(config)
    }

    fn parse(text: &str) -> Result<Config, String> {
        if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
            return Ok(Config::default());
        }
        serde_saphyr::from_str(text).map_err(|error| error.to_string())
    }

    fn check(&self) -> Result<(), Invalid> {
        self.gateway.check().map_err(Invalid)?;
        self.router.check().map_err(Invalid)?;
        self.processor.check().map_err(Invalid)?;
        self.archive.check().map_err(Invalid)?;
        self.runtime.validate().map_err(|error| Invalid(error.to_string()))
    }

    /// The folder in which everything is kept.
    pub fn data_dir(&self) -> PathBuf {
        self.data_dir.clone().unwrap_or_else(|| PathBuf::from("pintle-data"))
    }
}

fn set(setting: &mut SocketAddr, given: Option<SocketAddr>) {
    if let Some(given) = given {
        *setting = given;
    }
}

#[cfg(test)]
mod tests;
