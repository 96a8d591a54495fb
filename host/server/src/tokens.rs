//! `pintle token … --data-dir` or `--database-url`: tokens without asking the admin API, so that the first one
//! can be made where the API is not open to anybody.

use anyhow::Context;
use pintle_cli::{OfflineToken, TokenAction};
use pintle_control::views::{NewToken, Page, TokenView};
use pintle_store::embedded::{self, Postgres};
use pintle_store::{Config, Store, tokens};
use sqlx::postgres::PgConnectOptions;

/// Who made a token this way.
const BY: &str = "local";

/// Does what was asked, in the database itself.
pub fn run(args: &OfflineToken) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (options, postgres) = connect(args).await?;
        let result = act(args, options).await;
        if let Some(postgres) = postgres {
            postgres.stop().await;
        }
        result
    })
}

/// The database: the given one, that of a running Pintle, or the private Postgres of one that does not run.
async fn connect(args: &OfflineToken) -> anyhow::Result<(PgConnectOptions, Option<Postgres>)> {
    if let Some(url) = &args.database_url {
        return Ok((url.parse().context("--database-url is not a Postgres URL")?, None));
    }
    let data_dir = args.data_dir.as_deref().context("name the data directory with --data-dir")?.join("postgres");
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
