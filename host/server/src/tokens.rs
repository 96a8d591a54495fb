//! `pintle token … --data-dir` or `--database-url`: tokens without asking the admin API, so that the first one
//! can be made where the API is not open to anybody.

use crate::offline;
use anyhow::Context;
use pintle_cli::{OfflineToken, TokenAction};
use pintle_control::views::{NewToken, Page, TokenView};
use pintle_store::{Config, Store, tokens};
use sqlx::postgres::PgConnectOptions;

/// Who made a token this way.
const BY: &str = "local";

/// Does what was asked, in the database itself.
pub fn run(args: &OfflineToken) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (options, postgres) = offline::connect(args.database_url.as_deref(), args.data_dir.as_deref()).await?;
        let result = act(args, options).await;
        if let Some(postgres) = postgres {
            postgres.stop().await;
        }
        result
    })
}

async fn act(args: &OfflineToken, options: PgConnectOptions) -> anyhow::Result<()> {
    let store = Store::open(options, Config::default()).await.context("cannot open the database")?;
    let out = &mut std::io::stdout().lock();
    match &args.action {
        TokenAction::Create { name, role } => {
            let (token, secret) = tokens::create(&store, name, role.as_str(), BY).await?;
            pintle_cli::show_new_token(&NewToken { token: token.into(), secret }, args.json, out)?;
        }
        TokenAction::List => {
            let items = tokens::list(&store).await?.into_iter().map(TokenView::from).collect();
            pintle_cli::show_tokens(&Page { items, next: None }, args.json, out)?;
        }
        TokenAction::Revoke { id } => {
            if !tokens::revoke(&store, id).await? {
                anyhow::bail!("there is no token {id}");
            }
            eprintln!("{id} is revoked");
        }
    }
    store.close().await;
    Ok(())
}
