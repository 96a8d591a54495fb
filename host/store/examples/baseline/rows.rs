//! One row per event, as jsonb, with one index: many rows a statement, a commit each.

use super::{Event, Result, Settings, measure};
use pintle_store::embedded::{Config, Postgres};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::task::JoinSet;

const TABLE: &str = "CREATE TABLE events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    received_at timestamptz NOT NULL DEFAULT now(),
    source_id text NOT NULL,
    message_id text NOT NULL,
    payload jsonb NOT NULL)";
const INSERT: &str = "INSERT INTO events (source_id, message_id, payload) \
                      SELECT 'bench', id, event::jsonb FROM unnest($1::text[], $2::text[]) AS new (id, event)";

pub async fn run(dir: &Path, events: Vec<Event>, settings: Settings) -> Result<()> {
    let postgres = Postgres::start(Config { data_dir: dir.to_owned(), ..Config::default() }).await?;
    let options = postgres.connect_options();
    sqlx::query(TABLE).execute(&mut PgConnection::connect_with(&options).await?).await?;
    let written = Arc::new(AtomicU64::new(0));
    let mut writers = JoinSet::new();
    let share = events.len() / settings.writers;
    for own in events.chunks_exact(share).take(settings.writers) {
        writers.spawn(insert(options.clone(), own.to_vec(), settings.size, written.clone()));
    }
    tokio::select! {
        () = measure(&written, settings) => Ok(()),
        ended = writers.join_next() => Err(format!("a writer has ended: {ended:?}").into()),
    }
}

async fn insert(options: PgConnectOptions, mut events: Vec<Event>, size: usize, written: Arc<AtomicU64>) -> Result<()> {
    let mut connection = PgConnection::connect_with(&options).await?;
    let mut at = 0;
    loop {
        let (mut ids, mut payloads) = (Vec::with_capacity(size), Vec::with_capacity(size));
        for _ in 0..size {
            let count = events.len();
            let event = &mut events[at];
            at = (at + 1) % count;
            event.renew();
            ids.push(event.message_id.clone());
            payloads.push(String::from_utf8(event.raw.clone())?);
        }
        sqlx::query(INSERT).bind(ids).bind(payloads).execute(&mut connection).await?;
        written.fetch_add(size as u64, Ordering::Relaxed);
    }
}
