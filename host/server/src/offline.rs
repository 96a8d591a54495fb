//! The database of a Pintle that need not run.

use anyhow::Context;
use pintle_store::embedded::{self, Postgres};
use sqlx::postgres::PgConnectOptions;
use std::path::Path;

/// The database: the given one, that of a running Pintle, or the private Postgres of one that does not run.
pub async fn connect(
    database_url: Option<&str>,
    data_dir: Option<&Path>,
) -> anyhow::Result<(PgConnectOptions, Option<Postgres>)> {
    if let Some(url) = database_url {
        return Ok((url.parse().context("--database-url is not a Postgres URL")?, None));
    }
    let data_dir = data_dir.context("name the data directory with --data-dir")?.join("postgres");
    if !data_dir.is_dir() {
        anyhow::bail!("{} is not there; start Pintle once, or name another with --data-dir", data_dir.display());
    }
    let config = embedded::Config { data_dir: data_dir.clone(), ..embedded::Config::default() };
    match Postgres::start(config).await {
        Ok(postgres) => Ok((postgres.connect_options(), Some(postgres))),
        Err(embedded::Error::InUse { .. }) => {
            Ok((embedded::running(&data_dir).context("the running Pintle's Postgres cannot be found")?, None))
        }
        Err(error) => Err(error.into()),
    }
}
