//! Components run here, in this process, as they would in the server.

use crate::failure::{Exit, Failure};
use crate::plugin::args::Local;
use pintle_runtime::{Config, Runtime};
use std::path::Path;

/// A runtime with the server's limits, which remembers what it has compiled.
pub(crate) fn runtime(local: &Local) -> Result<Runtime, Failure> {
    let home = || std::env::home_dir().map(|home| home.join(".cache/pintle/compiled"));
    let config = Config { cache_dir: local.cache_dir.clone().or_else(home), ..Config::default() };
    Runtime::new(config).map_err(|error| Failure::new(Exit::Failed, error.to_string()))
}

/// The bytes of a file that somebody named.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| Failure::new(Exit::BadFile, format!("{}: {error}", path.display())))
}
