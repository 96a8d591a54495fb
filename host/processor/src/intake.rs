//! Reads chunks for one destination and sorts their events by connection.

use crate::admission::Admission;
use crate::batch::{Input, Scope};
use crate::spec::{Mode, Spec};
use pintle_events::{EventRef, Position};
use pintle_router::Scribe;
use pintle_router::trace::Subject;
use pintle_store::Error;
use pintle_store::log::Chunk;
use pintle_store::settle::{Fate, Passed, Ticket, Tracker};
use pintle_store::suppressions::{self, Suppressions};
use pintle_store::traces::{Kind, Seen};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Why a copy of an earlier event is not delivered.
pub(crate) const DUPLICATE: &str = "duplicate: an event with this messageId came before";

/// Takes chunks in for a destination.
pub struct Intake {
    rules: Rules,
    tracker: Arc<Tracker>,
}

/// Says which events a destination gets.
pub(crate) struct Rules {
    spec: Arc<Spec>,
    /// By source: its connection, and from which chunk of each lane on it gets events.
    routes: BTreeMap<String, Way>,
    /// The message types that the plugin takes; empty for all.
    plugin_types: Vec<String>,
    suppressions: Suppressions,
    scribe: Scribe,
}

struct Way {
    source_id: Arc<str>,
    scope: Scope,
    admission: Admission,
    starts: BTreeMap<i64, i64>,
}

/// What a destination has to do with an event.
pub(crate) enum Look {
    /// Nothing.
    Pass(Passed),
    /// It is for it, and a rule keeps it away.
    Filter {
        /// Which event.
        position: Position,
        /// The rule.
        reason: String,
    },
    /// It gets it.
    Take(Input),
}

impl Way {
    fn subject<'a>(&'a self, event: &EventRef<'a>, position: Position) -> Subject<'a> {
        let (source_id, connection_id) = (&*self.source_id, self.scope.connection_id());
        Subject { position, source_id, message_id: event.message_id, connection_id }
    }

    fn seen<'a>(&'a self, event: &EventRef<'a>, position: Position) -> Seen<'a> {
        Seen {
            position,
            source_id: &self.source_id,
            connection_id: self.scope.connection_id(),
            message_id: event.message_id,
            event_type: event.event_type,
            user_id: event.user_id,
            anonymous_id: event.anonymous_id,
            received_at_ms: event.received_at_ms,
        }
    }
}

/// Events of one connection, in the order of the log.
pub type Sorted = BTreeMap<Arc<str>, Vec<Input>>;

impl Intake {
    /// The intake of a destination.
    #[must_use]
    pub(crate) fn new(rules: Rules, tracker: Arc<Tracker>) -> Intake {
        let time = rules.spec.replay.as_ref().map(|replay| replay.since_ms..replay.until_ms);
        tracker.set_scope(rules.spec.sources(), time);
        Intake { rules, tracker }
    }

    /// Whether a chunk can be begun at once. Who holds events back that it has taken must not wait for room:
    /// the window may be full of nothing but them.
    #[must_use]
    pub fn has_room(&self, chunk: &Chunk) -> bool {
        self.tracker.has_room(chunk.lane, chunk.events())
    }

    /// Begins a chunk as soon as the cursor's window has room, settles what is not for this destination,
    /// and adds the rest to `sorted`. Returns how many events that was.
    ///
    /// # Errors
    /// When the chunk was begun before, or has expired since it was read.
    pub async fn take(&self, chunk: &Chunk, sorted: &mut Sorted) -> Result<usize, Error> {
        let settled = self.tracker.begin(chunk.lane, chunk.seq, chunk.groups()).await?;
        let (mut passed, mut copies) = (Vec::new(), Vec::new());
        let mut taken = 0;
        for idx in (0..chunk.events()).filter(|idx| !settled[*idx as usize]) {
            match self.look(chunk, idx) {
                Look::Pass(Passed::NotRouted) => passed.push(idx),
                Look::Pass(Passed::Duplicate) => {
                    crate::metrics::ended(&self.rules.spec.id, "filtered");
                    copies.push(idx);
                }
                Look::Filter { position, reason } => {
                    crate::metrics::ended(&self.rules.spec.id, "filtered");
                    Ticket::new(self.tracker.clone(), vec![position], vec![0]).settle(0, Fate::Filtered { reason });
                }
                Look::Take(input) => {
                    sorted.entry(input.connection_id.clone()).or_default().push(input);
                    taken += 1;
                }
            }
        }
        self.tracker.pass(chunk.lane, chunk.seq, passed.into_iter(), Passed::NotRouted);
        self.tracker.pass(chunk.lane, chunk.seq, copies.into_iter(), Passed::Duplicate);
        Ok(taken)
    }

    /// What this destination has to do with an event.
    pub(crate) fn look(&self, chunk: &Chunk, idx: u32) -> Look {
        self.rules.look(chunk, idx)
    }
}

impl Rules {
    /// The rules of a destination. `starts` is what the store says of its connections, `plugin_types` what its
    /// plugin takes.
    pub(crate) fn new(
        spec: Arc<Spec>,
        mut starts: BTreeMap<String, BTreeMap<i64, i64>>,
        plugin_types: Vec<String>,
        suppressions: Suppressions,
        scribe: Scribe,
    ) -> Rules {
        let routes = spec
            .routes
            .iter()
            .map(|(source, route)| {
                let way = Way {
                    source_id: source.as_str().into(),
                    scope: Scope::new(route, &spec.destination_id, &spec.destination),
                    admission: Admission::new(route, &spec.destination_id, &spec.destination),
                    starts: starts.remove(&route.connection_id).unwrap_or_default(),
                };
                (source.clone(), way)
            })
            .collect();
        Rules { spec, routes, plugin_types, suppressions, scribe }
    }

    /// What the destination has to do with an event.
    pub(crate) fn look(&self, chunk: &Chunk, idx: u32) -> Look {
        let event = chunk.event(idx);
        let position = Position { lane: chunk.lane, seq: chunk.seq, idx };
        let way = self.routes.get(event.source_id);
        let is_meant = |way: &&Way| match &self.spec.replay {
            // Also what came before the connection was made: that is what some replays are for.
            Some(replay) => replay.takes(event.received_at_ms),
            None => way.starts.get(&chunk.lane).is_none_or(|start| chunk.seq >= *start),
        };
        let Some(way) = way.filter(is_meant) else { return Look::Pass(Passed::NotRouted) };
        let followed = self.scribe.is_active() && self.scribe.sees(&way.seen(&event, position));
        let record = |reason: &str| {
            if followed {
                let body = json!({"reason": reason, "revision": self.scribe.revision()});
                self.scribe.record(&way.subject(&event, position), Kind::Filtered, body);
            }
        };
        if chunk.is_duplicate(idx) {
            record(DUPLICATE);
            return Look::Pass(Passed::Duplicate);
        }
        if let Some(reason) = self.filtered(&event, way) {
            record(&reason);
            return Look::Filter { position, reason };
        }
        Look::Take(Input::read(&event, position, way.source_id.clone(), &way.scope))
    }

    fn filtered(&self, event: &EventRef<'_>, way: &Way) -> Option<String> {
        // The gateway stores none of them: this one was accepted before the user was on the list.
        if self.suppressions.contains(event.user_id) {
            return Some(suppressions::REASON.to_owned());
        }
        let event_type = event.event_type;
        if let Mode::Filter { reason } = self.spec.mode {
            return Some(reason.to_owned());
        }
        let known =
            self.plugin_types.is_empty() || self.plugin_types.iter().any(|t| t.eq_ignore_ascii_case(event_type));
        if !known || !self.spec.destination.takes(event_type) {
            return Some("Message type not supported".to_owned());
        }
        way.admission.refuses(event)
    }
}
