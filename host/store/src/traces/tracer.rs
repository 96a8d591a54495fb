//! Which events are traced, in memory, and where their steps are handed in.

use super::config::Config;
use super::steps::{self, Kind, Step};
use super::switches::{self, Refused, Switch, Wanted};
use super::writer::Writer;
use crate::{Error, Store, metrics};
use pintle_events::Position;
use pintle_events::times::now_ms;
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Steps that may wait to be written; `waiting-bytes-max` bounds their bytes.
const WAITING_MAX: usize = 8_192;
/// How often other processes' changes are looked for.
const LOOK: Duration = Duration::from_millis(500);
/// What a step costs in memory besides its texts.
const STEP_BYTES: usize = 256;

/// Follows events. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tracer {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: Config,
    /// A switch is on, or an event is followed: mostly neither, and then events cost nothing.
    is_active: AtomicBool,
    /// Read for every event while anything is active, written only for those that are meant.
    state: RwLock<State>,
    waiting: mpsc::Sender<(Step, usize)>,
    waiting_bytes: Arc<AtomicUsize>,
}

#[derive(Debug, Default)]
struct State {
    switches: Vec<Switch>,
    /// Switches whose count is not written yet.
    counted: bool,
    followed: HashMap<Position, Followed>,
    /// The same, oldest first, each with when it was begun.
    order: VecDeque<(Position, i64)>,
}

#[derive(Debug)]
struct Followed {
    /// The only connection on which it is; empty for all.
    connection: Box<str>,
    steps: u32,
}

/// An event on its way over a connection.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Where it stands.
    pub position: Position,
    /// Its source.
    pub source_id: &'a str,
    /// The connection.
    pub connection_id: &'a str,
    /// Its message id.
    pub message_id: &'a str,
    /// Its type.
    pub event_type: &'a str,
    /// Its user; empty when it has none.
    pub user_id: &'a str,
    /// Its anonymous id; empty when it has none.
    pub anonymous_id: &'a str,
    /// When it was received, milliseconds since 1970.
    pub received_at_ms: i64,
}

impl Tracer {
    /// A tracer that follows nothing yet, and the service that writes for it.
    #[must_use]
    pub fn new(store: &Store, config: Config) -> (Tracer, Writer) {
        let (waiting, queue) = mpsc::channel(WAITING_MAX);
        let waiting_bytes = Arc::new(AtomicUsize::new(0));
        let (is_active, state) = (AtomicBool::new(false), RwLock::default());
        let inner = Inner { config, is_active, state, waiting, waiting_bytes: waiting_bytes.clone() };
        let tracer = Tracer { inner: Arc::new(inner) };
        let writer = Writer::new(store.clone(), tracer.clone(), queue, waiting_bytes);
        (tracer, writer)
    }

    /// A tracer that never follows anything.
    #[must_use]
    pub fn off() -> Tracer {
        let (waiting, _) = mpsc::channel(1);
        let (is_active, state) = (AtomicBool::new(false), RwLock::default());
        let inner = Inner { config: Config::default(), is_active, state, waiting, waiting_bytes: Arc::default() };
        Tracer { inner: Arc::new(inner) }
    }

    /// Reads the switches, and which events are followed: what waits for its delivery is so across a restart.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn load(&self, store: &Store) -> Result<(), Error> {
        let config = &self.inner.config;
        let since_ms = now_ms().saturating_sub(millis(config.retention));
        let followed = steps::followed(store, since_ms, config.followed_events_max.get()).await?;
        self.change(|state| {
            for (position, connection, at_ms) in followed {
                state.follow(position, &connection, at_ms, config.followed_events_max.get());
            }
        });
        self.read(store).await
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    /// Whether any event may be followed. Asked once per batch: where it says no, nothing else is to be asked.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.inner.is_active.load(Ordering::Relaxed)
    }

    /// Whether an event is to be followed on this connection. One that a switch means is from now on, and counts
    /// for it once, however many destinations see it.
    #[must_use]
    pub fn sees(&self, seen: &Seen<'_>) -> bool {
        if !self.is_active() || !self.state().may_mean(seen) {
            return false;
        }
        let now = now_ms();
        let mut guard = self.state_mut();
        let state = &mut *guard;
        if let Some(followed) = state.followed.get_mut(&seen.position) {
            // Seen on one connection, and on another that is traced as well: from here on it is followed on all.
            if !followed.is_on(seen.connection_id) && state.switches.iter().any(|switch| is_meant(switch, seen, now)) {
                followed.connection = "".into();
            }
            return followed.is_on(seen.connection_id);
        }
        let Some(switch) = state.switches.iter_mut().find(|switch| is_meant(switch, seen, now)) else {
            return false;
        };
        switch.events_taken += 1;
        let connection = if switch.connection.is_some() { seen.connection_id.to_owned() } else { String::new() };
        let (id, note) = (switch.id, switch.note.clone());
        state.counted = true;
        state.follow(seen.position, &connection, now, self.inner.config.followed_events_max.get());
        drop(guard);
        let body = json!({
            "received_at_ms": seen.received_at_ms,
            "event_type": seen.event_type,
            "user_id": seen.user_id,
            "anonymous_id": seen.anonymous_id,
            "trace": id,
            "note": note,
        });
        self.record(Step {
            at_ms: now,
            position: seen.position,
            source_id: seen.source_id.to_owned(),
            message_id: seen.message_id.to_owned(),
            destination_id: String::new(),
            connection_id: connection,
            kind: Kind::Accepted,
            body,
        });
        true
    }

    /// Whether an event is followed on this connection.
    #[must_use]
    pub fn follows(&self, position: Position, connection: &str) -> bool {
        self.is_active() && self.state().followed.get(&position).is_some_and(|followed| followed.is_on(connection))
    }

    /// Hands a step in. Never waits: what there is no room for is dropped and counted.
    pub fn record(&self, step: Step) {
        let max = self.inner.config.steps_per_event_max.get();
        match self.state_mut().followed.get_mut(&step.position) {
            Some(followed) if followed.steps < max => followed.steps += 1,
            Some(_) => return metrics::trace_dropped("steps-per-event-max", 1),
            // It is no longer followed: others have taken its place meanwhile.
            None => return metrics::trace_dropped("followed-events-max", 1),
        }
        let bytes = STEP_BYTES + text_bytes(&step.body);
        let waiting = self.inner.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        let fits = waiting + bytes <= self.inner.config.waiting_bytes_max.get();
        if !fits || self.inner.waiting.try_send((step, bytes)).is_err() {
            self.inner.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
            metrics::trace_dropped("waiting-bytes-max", 1);
        }
    }

    /// Switches a trace on; in this process it counts from now on, in others within a second.
    ///
    /// # Errors
    /// [`Refused`] says why not. Then nothing has changed.
    pub async fn add(&self, store: &Store, wanted: Wanted, author: &str) -> Result<Switch, Refused> {
        let switch = switches::add(store, &self.inner.config, wanted, author).await?;
        self.change(|state| {
            // Who follows changes may have read it meanwhile.
            if state.switches.iter().all(|known| known.id != switch.id) {
                state.switches.push(switch.clone());
            }
        });
        Ok(switch)
    }

    /// Switches a trace off; what was recorded stays, and events that are followed are so to their end. None when
    /// no such trace is on.
    ///
    /// # Errors
    /// When the database does not answer. Then nothing has changed.
    pub async fn end(&self, store: &Store, id: i64, author: &str) -> Result<Option<Switch>, Error> {
        // One that has had its events has ended, also when that is not written yet.
        switches::write_taken(store, &self.taken()).await?;
        let ended = switches::end(store, id, author).await?;
        self.change(|state| state.switches.retain(|switch| switch.id != id));
        Ok(ended)
    }

    /// How many events each switch has taken, as this process knows it.
    #[must_use]
    pub fn taken(&self) -> Vec<(i64, u64)> {
        self.state().switches.iter().map(|switch| (switch.id, switch.events_taken)).collect()
    }

    /// Follows other processes' changes until `shutdown`.
    pub async fn follow(self, store: Store, shutdown: CancellationToken) {
        let mut seen = None;
        loop {
            match switches::version(&store).await {
                Ok(version) if seen == Some(version) => {}
                Ok(version) => match self.read(&store).await {
                    Ok(()) => seen = Some(version),
                    Err(error) => tracing::warn!(%error, "the traces could not be read, trying again"),
                },
                Err(error) => tracing::debug!(%error, "the traces could not be looked at"),
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    async fn read(&self, store: &Store) -> Result<(), Error> {
        let on = switches::on(store).await?;
        self.change(|state| {
            let known = std::mem::take(&mut state.switches);
            state.switches = on;
            for switch in &mut state.switches {
                // What was counted here and is not written yet.
                let here = known.iter().find(|known| known.id == switch.id).map_or(0, |known| known.events_taken);
                switch.events_taken = switch.events_taken.max(here);
            }
        });
        Ok(())
    }

    /// The counts that have changed since this was asked last; forgets switches that have ended, and events that
    /// are followed for longer than steps are kept.
    pub(super) fn tidy(&self) -> Vec<(i64, u64)> {
        let now = now_ms();
        let oldest = now.saturating_sub(millis(self.inner.config.retention));
        let mut counts = Vec::new();
        self.change(|state| {
            if std::mem::take(&mut state.counted) {
                counts = state.switches.iter().map(|switch| (switch.id, switch.events_taken)).collect();
            }
            state.switches.retain(|switch| switch.is_on(now));
            while state.order.front().is_some_and(|(_, at_ms)| *at_ms < oldest) {
                state.forget_oldest();
            }
        });
        counts
    }

    /// Counts could not be written: they are to be written with the next ones.
    pub(super) fn uncounted(&self) {
        self.state_mut().counted = true;
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state_mut();
        change(&mut state);
        let is_active = !(state.switches.is_empty() && state.followed.is_empty());
        self.inner.is_active.store(is_active, Ordering::Relaxed);
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.inner.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.inner.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether it is worth a closer look: nearly no event is.
    fn may_mean(&self, seen: &Seen<'_>) -> bool {
        self.followed.contains_key(&seen.position)
            || (!self.switches.is_empty() && {
                let now = now_ms();
                self.switches.iter().any(|switch| is_meant(switch, seen, now))
            })
    }

    fn follow(&mut self, position: Position, connection: &str, at_ms: i64, max: usize) {
        while self.followed.len() >= max {
            self.forget_oldest();
        }
        if self.followed.insert(position, Followed { connection: connection.into(), steps: 0 }).is_none() {
            self.order.push_back((position, at_ms));
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((position, _)) = self.order.pop_front() {
            self.followed.remove(&position);
        }
    }
}

impl Followed {
    fn is_on(&self, connection: &str) -> bool {
        self.connection.is_empty() || *self.connection == *connection
    }
}

fn is_meant(switch: &Switch, seen: &Seen<'_>, now_ms: i64) -> bool {
    let is = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|wanted| wanted == found);
    let is_user = |wanted: &String| wanted == seen.user_id || wanted == seen.anonymous_id;
    switch.is_on(now_ms)
        && is(&switch.source, seen.source_id)
        && is(&switch.connection, seen.connection_id)
        && switch.user_id.as_ref().is_none_or(is_user)
}

/// The bytes of the texts in a document, near enough.
fn text_bytes(body: &Value) -> usize {
    match body {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(|item| 16 + text_bytes(item)).sum(),
        Value::Object(fields) => fields.iter().map(|(name, value)| 32 + name.len() + text_bytes(value)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 8,
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
