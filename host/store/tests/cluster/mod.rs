//! A private Postgres in a temporary folder, for one test.

use pintle_store::embedded;
use sqlx::postgres::{PgConnectOptions, PgPool};
use std::path::PathBuf;

/// A running cluster; its folder goes when it is dropped.
pub struct Cluster {
    postgres: embedded::Postgres,
    pool: PgPool,
    folder: PathBuf,
}

impl Cluster {
    /// Makes and starts a cluster.
    pub async fn start() -> Cluster {
        let folder = std::env::temp_dir().join(format!("pintle-store-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(&folder).unwrap();
        let config = embedded::Config { data_dir: folder.clone(), ..embedded::Config::default() };
        let postgres = embedded::Postgres::start(config).await.unwrap();
        let pool = PgPool::connect_lazy_with(postgres.connect_options());
        Cluster { postgres, pool, folder }
    }

    /// How to connect.
    pub fn options(&self) -> PgConnectOptions {
        self.postgres.connect_options()
    }

    /// Ends every connection but the one that asks.
    #[allow(dead_code, reason = "each suite is a crate of its own, and not each cuts connections")]
    pub async fn end_other_backends(&self) {
        sqlx::query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'",
        )
        .execute(&self.pool)
        .await
        .unwrap();
    }

    /// A destination that begins at the start of the log.
    #[allow(dead_code, reason = "each suite is a crate of its own, and not each has destinations")]
    pub async fn add_destination(&self, id: &str) {
        sqlx::query("INSERT INTO destinations (id) VALUES ($1)").bind(id).execute(&self.pool).await.unwrap();
    }

    /// Where a destination begins in a lane.
    #[allow(dead_code, reason = "each suite is a crate of its own, and not each has destinations that begin later")]
    pub async fn add_cursor(&self, destination: &str, lane: i64, seq: i64) {
        sqlx::query("INSERT INTO cursors (destination, lane, seq, idx) VALUES ($1, $2, $3, 0)")
            .bind(destination)
            .bind(lane)
            .bind(seq)
            .execute(&self.pool)
            .await
            .unwrap();
    }

    /// Does something that Pintle would not do; says how many rows it was done to.
    #[allow(dead_code, reason = "each suite is a crate of its own, and not each meddles")]
    pub async fn meddle(&self, statement: &'static str) -> u64 {
        sqlx::query(statement).execute(&self.pool).await.unwrap().rows_affected()
    }

    /// Forgets which events are copies, as a crash between a commit and the decision would.
    #[allow(dead_code, reason = "each suite is a crate of its own, and not each has copies")]
    pub async fn forget_duplicates(&self) -> u64 {
        sqlx::query("DELETE FROM duplicates").execute(&self.pool).await.unwrap().rows_affected()
    }

    /// Stops it.
    pub async fn stop(self) {
        self.pool.close().await;
        self.postgres.stop().await;
        std::fs::remove_dir_all(&self.folder).unwrap();
    }
}
