//! Our Postgres, and the only SQL on our own tables.
//!
//! ```text
//!  gateway ──append──▶ log::lane ──INSERT──▶ chunks_N (a segment)     one durable write per event
//!                          │ after the commit
//!                          ▼
//!                      log::tail ──Reader──▶ processor ──▶ router
//!                      (or the table)                        │ Ticket::settle
//!                                                            ▼
//!                      cursors, parked, dead letters ◀── settle::Flusher     one fenced statement
//! ```
//!
//! [`Store::open`] connects and migrates. [`lease`] makes this process the only one that delivers.
//! [`log`] holds the events, [`settle`] what became of them, [`revisions`] what is configured,
//! [`ledger`] counts both against each other, [`artifacts`] the code that is named there, [`tokens`] who may change it,
//! [`rejected`] what was not taken, [`traces`] every step of events that somebody follows.
//! [`embedded`] runs a private Postgres when no other is given.

pub mod artifacts;
pub mod audit;
pub mod config;
pub mod dead_letters;
pub mod destinations;
pub mod embedded;
pub mod error;
pub mod fail_point;
pub mod lease;
pub mod ledger;
pub mod log;
pub mod metrics;
pub mod parked;
pub mod plans;
pub mod rejected;
pub mod replays;
pub mod revisions;
pub mod rotation;
pub mod seal;
pub mod settle;
pub mod suppressions;
pub mod tokens;
pub mod traces;

pub use config::Config;
pub use error::Error;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

/// The schema, as a list of steps that were and will be run in order.
static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// A connected and migrated database.
#[derive(Clone, Debug)]
pub struct Store {
    pool: PgPool,
    options: PgConnectOptions,
    config: std::sync::Arc<Config>,
}

impl Store {
    /// Connects and brings the schema up to date.
    ///
    /// # Errors
    /// When the database cannot be reached, or its schema is newer than this Pintle.
    pub async fn open(options: PgConnectOptions, config: Config) -> Result<Store, Error> {
        let options = options.application_name("pintle").statement_cache_capacity(64);
        let pool = PgPoolOptions::new()
            .max_connections(config.connections_max.get())
            .acquire_timeout(config.acquire_timeout)
            .connect_with(options.clone())
            .await?;
        migrate(&pool).await?;
        Ok(Store { pool, options, config: std::sync::Arc::new(config) })
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), Error> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }

    /// The version of the server, for people.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn server_version(&self) -> Result<String, Error> {
        Ok(sqlx::query_scalar("SHOW server_version").fetch_one(&self.pool).await?)
    }

    /// The pool, for the modules of this crate.
    pub(crate) fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// The settings it was opened with.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// How to open a connection of one's own (a lane writer must know its backend).
    pub(crate) fn connect_options(&self) -> &PgConnectOptions {
        &self.options
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

async fn migrate(pool: &PgPool) -> Result<(), Error> {
    let mut migrations =
        sqlx::migrate::Migrator { migrations: MIGRATIONS.migrations.clone(), ..sqlx::migrate::Migrator::DEFAULT };
    // Advisory locks do not survive transaction-mode poolers. Two Pintles that migrate an empty database
    // at the same moment would collide on the first CREATE and one of them would start again.
    migrations.set_locking(false);
    match migrations.run(pool).await {
        Ok(()) => Ok(()),
        Err(sqlx::migrate::MigrateError::VersionMissing(version)) => Err(Error::SchemaNewer { version }),
        Err(error) => Err(Error::Migrate(error)),
    }
}
