//! `pintle ledger --data-dir` or `--database-url`: the books without asking the admin API, also while nothing runs.

use crate::offline;
use anyhow::Context;
use pintle_cli::{Exit, OfflineLedger};
use pintle_control::views::ledger::LedgerView;
use pintle_store::{Config, Store};
use sqlx::postgres::PgConnectOptions;

/// Shows the books, and says how to leave.
pub fn run(args: &OfflineLedger) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (options, postgres) = offline::connect(args.database_url.as_deref(), args.data_dir.as_deref()).await?;
        let view = look(args, options).await;
        if let Some(postgres) = postgres {
            postgres.stop().await;
        }
        pintle_cli::show_ledger(&view?, args.json, &mut std::io::stdout().lock(), &mut std::io::stderr().lock())
    })
}

async fn look(args: &OfflineLedger, options: PgConnectOptions) -> anyhow::Result<LedgerView> {
    let store = Store::open(options, Config::default()).await.context("cannot open the database")?;
    // What is configured is sealed: it takes the key to know what is connected.
    let view = LedgerView::gather(&store, &args.query, None).await?;
    store.close().await;
    Ok(view)
}
