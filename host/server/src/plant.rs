//! What the admin API sees of the process.

mod letters;

use crate::{replays, status, why, workspace};
use futures_util::FutureExt;
use pintle_catalog::Catalog;
use pintle_control::views::traces::WhyView;
use pintle_control::{
    Answer, DeadLetter, DeadLetterDetail, DeadLetterFilter, DryRunOutcome, Failure, Order, Plant, Question, ReplayBody,
    ReplayCount, ReplayView, RetryOutcome, Status, TailEvent,
};
use pintle_processor::{Handle, RetryError, batch};
use pintle_store::audit::Action;
use pintle_store::dead_letters;
use pintle_store::log::Log;
use pintle_store::{Error, Store};
use serde_json::value::RawValue;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;

/// Events that a reader of the tail may be behind before it misses some.
const TAIL_BEHIND_MAX: usize = 1_024;

/// The running process.
pub struct Parts {
    /// Our database.
    pub store: Store,
    /// The event log.
    pub log: Log,
    /// The destinations.
    pub processor: Handle,
    /// The catalog in force.
    pub catalog: watch::Receiver<Arc<Catalog>>,
    /// The workspace file.
    pub workspace: Option<PathBuf>,
    /// What is wrong with it.
    pub file_state: Arc<workspace::State>,
    /// Which Postgres, for people.
    pub postgres: String,
    /// When the process started.
    pub started: Instant,
    /// The settings of traces.
    pub trace: pintle_store::traces::Config,
    /// Newly accepted events.
    pub tail: broadcast::Sender<TailEvent>,
}

impl Parts {
    /// A channel for newly accepted events.
    pub fn tail_channel() -> broadcast::Sender<TailEvent> {
        broadcast::Sender::new(TAIL_BEHIND_MAX)
    }
}

/// Feeds the tail while anybody reads it.
pub async fn feed_tail(log: Log, tail: broadcast::Sender<TailEvent>, shutdown: CancellationToken) {
    let mut chunks = log.follow();
    loop {
        let chunk = tokio::select! {
            () = shutdown.cancelled() => return,
            chunk = chunks.recv() => chunk,
        };
        match chunk {
            Ok(chunk) if tail.receiver_count() > 0 => {
                for idx in 0..chunk.events() {
                    let event = chunk.event(idx);
                    let mut message = Vec::new();
                    event.write_message(&mut message);
                    let Some(message) = String::from_utf8(message).ok().and_then(|m| RawValue::from_string(m).ok())
                    else {
                        continue;
                    };
                    // Nobody reads any more: no harm.
                    _ = tail.send(TailEvent {
                        source_id: event.source_id.into(),
                        message_id: event.message_id.to_owned(),
                        event_type: event.event_type.to_owned(),
                        received_at_ms: event.received_at_ms,
                        event: message.into(),
                    });
                }
            }
            Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}

impl Plant for Parts {
    fn status(&self) -> Answer<'_, Status> {
        async { status::gather(self).await.map_err(failure) }.boxed()
    }

    fn dead_letters(&self, filter: DeadLetterFilter, limit: u32) -> Answer<'_, Vec<DeadLetter>> {
        async move {
            let Some(filter) = meant(filter) else { return Ok(Vec::new()) };
            let stored = dead_letters::list(&self.store, &filter, limit).await.map_err(failure)?;
            Ok(stored.iter().map(letters::summary).collect())
        }
        .boxed()
    }

    fn oldest_dead_letters(&self, filter: DeadLetterFilter, limit: u32) -> Answer<'_, Vec<String>> {
        async move {
            let Some(filter) = meant(filter) else { return Ok(Vec::new()) };
            let ids = dead_letters::oldest(&self.store, &filter, limit).await.map_err(failure)?;
            Ok(ids.iter().map(ToString::to_string).collect())
        }
        .boxed()
    }

    fn discard(&self, filter: DeadLetterFilter, limit: u32, by: Order) -> Answer<'_, u64> {
        async move {
            let Some(filter) = meant(filter) else { return Ok(0) };
            let action = action("dead-letter.discard", by);
            dead_letters::discard(&self.store, &filter, limit, action).await.map_err(failure)
        }
        .boxed()
    }

    fn edit(&self, id: String, message: Box<RawValue>, by: Order) -> Answer<'_, bool> {
        async move {
            let Ok(id) = id.parse() else { return Ok(false) };
            let Some(stored) = dead_letters::get(&self.store, id).await.map_err(failure)? else { return Ok(false) };
            let payload = batch::edited(&stored.letter.payload, message.get().as_bytes());
            dead_letters::edit(&self.store, id, &payload, &action("dead-letter.edit", by)).await.map_err(failure)
        }
        .boxed()
    }

    fn dead_letter(&self, id: String) -> Answer<'_, Option<DeadLetterDetail>> {
        async move {
            let Ok(id) = id.parse() else { return Ok(None) };
            let Some(stored) = dead_letters::get(&self.store, id).await.map_err(failure)? else { return Ok(None) };
            let trace = self.processor.trace(&stored).await.map_err(failure)?;
            Ok(Some(letters::detail(&stored, trace)))
        }
        .boxed()
    }

    fn retry(&self, id: String) -> Answer<'_, RetryOutcome> {
        async move {
            let Ok(id) = id.parse() else { return Ok(RetryOutcome::NotFound) };
            match self.processor.retry(id).await {
                Ok(()) => Ok(RetryOutcome::Queued),
                Err(RetryError::Missing(_)) => Ok(RetryOutcome::NotFound),
                Err(RetryError::Store(error)) => Err(failure(error)),
                Err(refused) => Ok(RetryOutcome::Refused { reason: refused.to_string() }),
            }
        }
        .boxed()
    }

    fn dry_run(&self, id: String, message: Option<Box<RawValue>>) -> Answer<'_, DryRunOutcome> {
        async move {
            let Ok(id) = id.parse() else { return Ok(DryRunOutcome::NotFound) };
            let message = message.as_ref().map(|message| message.get().as_bytes());
            match self.processor.dry_run(id, message).await {
                Ok(run) => Ok(DryRunOutcome::Done(letters::dry_run(run))),
                Err(RetryError::Missing(_)) => Ok(DryRunOutcome::NotFound),
                Err(RetryError::Store(error)) => Err(failure(error)),
                Err(refused) => Ok(DryRunOutcome::Refused { reason: refused.to_string() }),
            }
        }
        .boxed()
    }

    fn why(&self, question: Question) -> Answer<'_, WhyView> {
        async move { why::answer(self, question).await.map_err(failure) }.boxed()
    }

    fn replays(&self, id: Option<String>, limit: u32) -> Answer<'_, Vec<ReplayView>> {
        async move { replays::list(self, id, limit).await.map_err(failure) }.boxed()
    }

    fn count_replay(&self, asked: ReplayBody) -> Answer<'_, Result<ReplayCount, String>> {
        async move { replays::count(self, asked).await.map_err(failure) }.boxed()
    }

    fn start_replay(&self, asked: ReplayBody, by: Order) -> Answer<'_, Result<ReplayView, String>> {
        async move { replays::start(self, asked, by).await.map_err(failure) }.boxed()
    }

    fn cancel_replay(&self, id: String, by: Order) -> Answer<'_, bool> {
        async move { replays::cancel(self, &id, &by).await.map_err(failure) }.boxed()
    }

    fn tail(&self) -> broadcast::Receiver<TailEvent> {
        self.tail.subscribe()
    }
}

/// A filter of the API as the store's; none when it names an id that nothing has. Ids are opaque to clients and
/// numbers to us.
fn meant(filter: DeadLetterFilter) -> Option<dead_letters::Filter> {
    let id = |id: Option<String>| id.map(|id| id.parse().ok()).map_or(Some(None), |id| id.map(Some));
    Some(dead_letters::Filter {
        destination: filter.destination,
        source: filter.source,
        connection: filter.connection,
        stage: filter.stage,
        event_type: filter.event_type,
        message_id: filter.message_id,
        reason: filter.reason,
        since_ms: filter.since_ms,
        until_ms: filter.until_ms,
        before: id(filter.before)?,
        after: id(filter.after)?,
    })
}

fn action(action: &'static str, by: Order) -> Action {
    Action { author: by.author, action, subject: by.subject, reason: by.reason, count: 1 }
}

fn failure(error: Error) -> Failure {
    match error {
        Error::Database(error) => {
            // The inside message may name tables, hosts and users: it stays inside.
            tracing::warn!(%error, "the database did not answer an admin request");
            Failure::Unavailable("the database does not answer now: the log of the server says why".to_owned())
        }
        error => Failure::Broken(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_database_says_stays_inside() {
        let said = std::io::Error::other("connect to db.internal as pintle: refused");
        let told = failure(Error::Database(said.into())).to_string();
        assert_eq!(told, "the database does not answer now: the log of the server says why");
        let told = failure(Error::Fenced);
        assert!(matches!(told, Failure::Broken(_)), "{told:?}");
    }
}
