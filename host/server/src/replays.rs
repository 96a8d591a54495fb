//! Replays for the admin API.

use crate::plant::Parts;
use pintle_control::{ObjectCount, Order, ReasonCount, ReplayBody, ReplayCount, ReplayView, TypeCount};
use pintle_events::times::now_ms;
use pintle_processor::DestinationState;
use pintle_processor::replay::{Count, Refused, Wish};
use pintle_store::destinations::Stored;
use pintle_store::ledger::{self, Filter};
use pintle_store::replays::{self, Origin, Replay};
use pintle_store::{Error, Store, destinations};

/// The replays, newest first, at most so many; or one.
pub async fn list(parts: &Parts, id: Option<String>, limit: u32) -> Result<Vec<ReplayView>, Error> {
    let replays = match id {
        Some(id) => match id.parse() {
            Ok(id) => replays::get(&parts.store, id).await?.into_iter().collect(),
            Err(_) => Vec::new(),
        },
        None => replays::list(&parts.store, limit).await?,
    };
    views(parts, replays).await
}

/// What a replay would take.
pub async fn count(parts: &Parts, asked: ReplayBody) -> Result<Result<ReplayCount, String>, Error> {
    let catalog = parts.catalog.borrow().clone();
    answer(parts.processor.count_replay(&catalog, &wish(asked)).await.map(counted))
}

/// Starts one.
pub async fn start(parts: &Parts, asked: ReplayBody, by: Order) -> Result<Result<ReplayView, String>, Error> {
    let catalog = parts.catalog.borrow().clone();
    match answer(parts.processor.start_replay(&catalog, &wish(asked), &by.author, &by.reason).await)? {
        Ok(replay) => Ok(Ok(views(parts, vec![replay]).await?.remove(0))),
        Err(refused) => Ok(Err(refused)),
    }
}

/// Lets one go no further.
pub async fn cancel(parts: &Parts, id: &str, by: &Order) -> Result<bool, Error> {
    let Ok(id) = id.parse() else { return Ok(false) };
    parts.processor.cancel_replay(id, &by.author, &by.reason).await
}

fn wish(asked: ReplayBody) -> Wish {
    Wish {
        destination: asked.destination,
        since_ms: asked.since_ms.unwrap_or(0),
        until_ms: asked.until_ms.unwrap_or_else(now_ms),
        archive: asked.archive,
    }
}

fn answer<T>(result: Result<T, Refused>) -> Result<Result<T, String>, Error> {
    match result {
        Ok(done) => Ok(Ok(done)),
        Err(Refused::Store(error)) => Err(error),
        Err(refused) => Ok(Err(refused.to_string())),
    }
}

fn counted(count: Count) -> ReplayCount {
    let by_type = count.by_type.into_iter();
    let filtered = count.filtered.into_iter();
    ReplayCount {
        events: count.events,
        by_type: by_type.map(|((source, event_type), events)| TypeCount { source, event_type, events }).collect(),
        filtered: filtered.map(|(reason, events)| ReasonCount { reason, events }).collect(),
        duplicates: count.duplicates,
        complete: count.is_complete,
        up_to_ms: count.up_to_ms,
        unreadable: count.unreadable,
        unreadable_first: count.unreadable_first,
    }
}

/// How far they are. What is known of all readers is asked for once.
async fn views(parts: &Parts, replays: Vec<Replay>) -> Result<Vec<ReplayView>, Error> {
    let (mut running, mut stored) = (parts.processor.destinations(), destinations::all(&parts.store).await?);
    let mut views = Vec::new();
    for replay in replays {
        let reader = replay.reader();
        let (running, stored) = (running.remove(&reader), stored.remove(&reader).unwrap_or_default());
        views.push(view(parts, replay, running, &stored).await?);
    }
    Ok(views)
}

async fn view(
    parts: &Parts,
    replay: Replay,
    running: Option<DestinationState>,
    stored: &Stored,
) -> Result<ReplayView, Error> {
    let reader = replay.reader();
    let books = running.as_ref().map_or(stored.books, |running| running.books);
    let (state, reason) = state(&replay, running);
    let objects = match &replay.origin {
        Origin::Log(_) => None,
        Origin::Archive { objects, .. } => {
            let all = objects.len() as u64;
            let at = stored.cursors.get(&replay.archive_lane());
            let done = if replay.ended_ms.is_some() || replay.is_read() {
                all
            } else {
                at.map_or(0, |(seq, _)| replay.objects_before(*seq))
            };
            Some(ObjectCount { all, done: done.min(all) })
        }
    };
    let pending = match &replay.origin {
        Origin::Log(_) if replay.ended_ms.is_none() => pending(&parts.store, &reader).await?,
        Origin::Log(_) | Origin::Archive { .. } => 0,
    };
    let archive = match &replay.origin {
        Origin::Archive { prefix, .. } => Some(prefix.clone()),
        Origin::Log(_) => None,
    };
    Ok(ReplayView {
        id: replay.id.to_string(),
        destination: replay.destination,
        reader,
        since_ms: replay.since_ms,
        until_ms: replay.until_ms,
        archive,
        objects,
        author: replay.author,
        created_ms: replay.created_ms,
        state: state.to_owned(),
        reason,
        ended_ms: replay.ended_ms,
        delivered: books.delivered,
        filtered: books.filtered,
        dead: books.dead,
        parked: books.parked,
        pending,
    })
}

/// Events of the log that it has still to settle.
async fn pending(store: &Store, reader: &str) -> Result<u64, Error> {
    let filter = Filter { destination: Some(reader.to_owned()), ..Filter::default() };
    let rows = ledger::look(store, &filter).await?;
    Ok(rows.iter().map(|row| row.pending).sum::<i64>().max(0).cast_unsigned())
}

fn state(replay: &Replay, running: Option<DestinationState>) -> (&'static str, Option<String>) {
    if let Some(by) = &replay.cancelled_by {
        return ("cancelled", Some(format!("by {by}")));
    }
    if replay.ended_ms.is_some() {
        return ("ended", None);
    }
    match running.map(|running| running.held) {
        Some(Some(held)) => ("held", Some(held)),
        Some(None) => ("running", None),
        None => ("waiting", Some(format!("destination \"{}\" does not deliver now", replay.destination))),
    }
}
