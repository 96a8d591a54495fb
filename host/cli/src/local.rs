//! Components run here, in this process, as they would in the server.

use crate::failure::{Exit, Failure};
use crate::plugin::args::Local;
use pintle_runtime::fetch::Network;
use pintle_runtime::{Config, Error, Runtime};
use std::path::Path;
use std::sync::Arc;

/// A runtime with the server's limits, which remembers what it has compiled. Nothing in it can fetch.
pub(crate) fn runtime(local: &Local) -> Result<Runtime, Failure> {
    Runtime::new(config(local)).map_err(failed)
}

/// The same with a way out.
pub(crate) fn runtime_with(local: &Local, network: Arc<dyn Network>) -> Result<Runtime, Failure> {
    Runtime::with_network(config(local), network).map_err(failed)
}

fn config(local: &Local) -> Config {
    let home = || std::env::home_dir().map(|home| home.join(".cache/pintle/compiled"));
    Config { cache_dir: local.cache_dir.clone().or_else(home), ..Config::default() }
}

fn failed(error: Error) -> Failure {
    Failure::new(Exit::Failed, error.to_string())
}

/// The bytes of a file that somebody named.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| Failure::new(Exit::BadFile, format!("{}: {error}", path.display())))
}
