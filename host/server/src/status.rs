//! How everything is, gathered from where it is known.

use crate::plant::Parts;
use pintle_catalog::DestinationState;
use pintle_control::{Breaker, CatalogStatus, DestinationStatus, LastError, LogStatus, Node, Off, Status};
use pintle_events::times::now_ms;
use pintle_store::replays::of_reader;
use pintle_store::{Error, dead_letters, destinations, revisions};
use std::time::UNIX_EPOCH;

/// The whole status.
pub async fn gather(parts: &Parts) -> Result<Status, Error> {
    let catalog = parts.catalog.borrow().clone();
    let running = parts.processor.destinations();
    let letters = dead_letters::counts(&parts.store).await?;
    let stored = destinations::all(&parts.store).await?;
    let newest = revisions::list(&parts.store, None, 1).await?;
    let mut statuses = Vec::new();
    let mut ids: Vec<String> = catalog.destinations.keys().cloned().collect();
    // Replays have a list of their own: an end is what they are measured by, not how far they are behind.
    let others = running.keys().filter(|id| !catalog.destinations.contains_key(*id) && of_reader(id).is_none());
    ids.extend(others.cloned());
    for id in ids {
        let configured = catalog.destinations.get(&id);
        let now = running.get(&id).cloned().unwrap_or_default();
        let kept = stored.get(&id).cloned().unwrap_or_default();
        let is_running = running.contains_key(&id);
        let cursors = if is_running { now.cursors } else { kept.cursors };
        let lag = parts.log.lag(&cursors, is_running || !cursors.is_empty()).await?;
        let books = if is_running { now.books } else { kept.books };
        let outlet = now.outlet.unwrap_or_default();
        let held = now.held.map(|message| LastError { message, at_ms: now_ms() });
        let outlet_error = outlet.last_error.map(|(message, at_ms)| LastError { message, at_ms });
        let last_error =
            held.or(outlet_error).or_else(|| kept.last_error.map(|(message, at_ms)| LastError { message, at_ms }));
        statuses.push(DestinationStatus {
            name: configured.map_or_else(|| id.clone(), |destination| destination.name.clone()),
            state: match configured {
                Some(destination) => destination.state,
                // Readers of our own are on while they run.
                None if id.starts_with('$') => DestinationState::Enabled,
                None => DestinationState::Disabled,
            },
            delivered: books.delivered,
            filtered: books.filtered,
            lag_events: lag.events,
            lag_seconds: lag.oldest_ms.map(|at| (now_ms() - at).max(0) as f64 / 1000.0),
            parked: books.parked,
            dead_letters: letters.get(&id).copied().unwrap_or_default().max(0) as u64,
            breaker: if outlet.breaker.is_some() { Breaker::Open } else { Breaker::Closed },
            in_flight: outlet.in_flight as u64,
            last_error,
            id,
        });
    }
    let log = parts.log.status();
    let room = log.bytes_max.saturating_sub(log.bytes).min(log.disk_free.unwrap_or(u64::MAX));
    Ok(Status {
        node: Node {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_seconds: parts.started.elapsed().as_secs(),
            postgres: parts.postgres.clone(),
        },
        log: LogStatus {
            bytes: log.bytes,
            bytes_max: log.bytes_max,
            segments: log.segments as u64,
            oldest_at_ms: log.oldest.and_then(|at| Some(at.duration_since(UNIX_EPOCH).ok()?.as_millis() as i64)),
            disk_free_bytes: log.disk_free,
            hours_left: (log.bytes_per_hour > 0).then(|| room as f64 / log.bytes_per_hour as f64),
            accepting: log.refusal.is_none(),
            refusal: log.refusal.map(|refused| refused.to_string()),
            accepted: log.accepted,
        },
        catalog: CatalogStatus {
            revision: catalog.revision,
            author: newest.first().map(|revision| revision.author.clone()).unwrap_or_default(),
            file: parts.workspace.as_ref().map(|path| path.display().to_string()),
            off: catalog
                .connections
                .iter()
                .filter_map(|(id, connection)| {
                    Some(Off { connection: id.clone(), reason: connection.off_because.clone()? })
                })
                .collect(),
            last_error: parts.file_state.error(),
        },
        destinations: statuses,
    })
}
