//! The log as Pintle runs it, without a gateway before it.

use super::{Event, Result, Settings, measure};
use pintle_events::Frame;
use pintle_store::embedded::{self, Postgres};
use pintle_store::lease::Lease;
use pintle_store::log::{Log, Services};
use pintle_store::settle::Settlement;
use pintle_store::{Config, Store};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio_util::sync::CancellationToken;

pub async fn run(dir: &Path, events: Vec<Event>, settings: Settings) -> Result<()> {
    let config = embedded::Config { data_dir: dir.to_owned(), ..embedded::Config::default() };
    let postgres = Postgres::start(config).await?;
    let store = Store::open(postgres.connect_options(), Config::default()).await?;
    let lease = Lease::acquire(&store, true).await?;
    let (settlement, flusher) = Settlement::new(store.clone(), lease);
    let (log, mut services) = Log::open(&store, lease, &settlement, Some(postgres.cluster_dir().to_owned())).await?;
    let running = CancellationToken::new();
    tokio::spawn(flusher.run(running.clone()));
    let lanes = services.take_lanes();
    let lanes = tokio::spawn(Services::run_lanes(lanes));
    tokio::spawn(services.janitor.run(running));

    let written = Arc::new(AtomicU64::new(0));
    let share = events.len() / settings.writers;
    for own in events.chunks_exact(share).take(settings.writers) {
        tokio::spawn(produce(log.clone(), own.to_vec(), settings.size, written.clone()));
    }
    tokio::select! {
        () = measure(&written, settings) => Ok(()),
        ended = lanes => Err(format!("the lanes have ended: {ended:?}").into()),
    }
}

/// Appends batch after batch, each when the one before is committed, as a connection of a client would.
async fn produce(log: Log, mut events: Vec<Event>, size: usize, written: Arc<AtomicU64>) {
    let mut at = 0;
    loop {
        let mut batch = log.batch();
        for _ in 0..size {
            let count = events.len();
            let event = &mut events[at];
            at = (at + 1) % count;
            event.renew();
            batch.push(&frame(event));
        }
        match log.append(batch).await {
            Ok(()) => written.fetch_add(size as u64, Ordering::Relaxed),
            Err(refused) => return eprintln!("baseline: {refused}"),
        };
    }
}

/// The frame that the gateway would make.
fn frame(event: &Event) -> Frame<'_> {
    Frame {
        source_id: "bench",
        received_at_ms: 1_772_366_400_000,
        request_ip: "127.0.0.1",
        message_id: &event.message_id,
        user_id: &event.user_id,
        anonymous_id: &event.anonymous_id,
        event_type: "track",
        forced_kind: None,
        message_id_added: false,
        received_at_added: true,
        request_ip_added: true,
        times: pintle_events::Times::default(),
        raw: &event.raw,
    }
}
