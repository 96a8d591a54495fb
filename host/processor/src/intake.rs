//! Reads chunks for one destination and sorts their events by connection.

use crate::admission::Admission;
use crate::batch::{Input, Scope};
use crate::spec::{Mode, Spec};
use pintle_events::{EventRef, Position};
use pintle_store::Error;
use pintle_store::log::Chunk;
use pintle_store::settle::{Fate, Passed, Ticket, Tracker};
use pintle_store::suppressions::{self, Suppressions};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Decides which events of a chunk a destination gets.
pub struct Intake {
    spec: Arc<Spec>,
    tracker: Arc<Tracker>,
    /// By source: its connection, and from which chunk of each lane on it gets events.
    routes: BTreeMap<String, Way>,
    /// The message types that the plugin takes; empty for all.
    plugin_types: Vec<String>,
    suppressions: Suppressions,
}

struct Way {
    source_id: Arc<str>,
    scope: Scope,
    admission: Admission,
    starts: BTreeMap<i64, i64>,
}

/// Events of one connection, in the order of the log.
pub type Sorted = BTreeMap<Arc<str>, Vec<Input>>;

impl Intake {
    /// The intake of a destination. `starts` is what the store says of its connections.
    #[must_use]
    pub fn new(
        spec: Arc<Spec>,
        tracker: Arc<Tracker>,
        mut starts: BTreeMap<String, BTreeMap<i64, i64>>,
        plugin_types: Vec<String>,
        suppressions: Suppressions,
    ) -> Intake {
        let routes = spec
            .routes
            .iter()
            .map(|(source, route)| {
                let way = Way {
                    source_id: source.as_str().into(),
                    scope: Scope::new(route, &spec.id, &spec.destination),
                    admission: Admission::new(route, &spec.id, &spec.destination),
                    starts: starts.remove(&route.connection_id).unwrap_or_default(),
                };
                (source.clone(), way)
            })
            .collect();
        tracker.set_sources(spec.sources());
        Intake { spec, tracker, routes, plugin_types, suppressions }
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
            let event = chunk.event(idx);
            let position = Position { lane: chunk.lane, seq: chunk.seq, idx };
            let way = self.routes.get(event.source_id);
            let way = way.filter(|way| way.starts.get(&chunk.lane).is_none_or(|start| chunk.seq >= *start));
            let Some(way) = way else {
                passed.push(idx);
                continue;
            };
            if chunk.is_duplicate(idx) {
                crate::metrics::ended(&self.spec.id, "filtered");
                copies.push(idx);
                continue;
            }
            if let Some(reason) = self.filtered(&event, way) {
                crate::metrics::ended(&self.spec.id, "filtered");
                Ticket::new(self.tracker.clone(), vec![position], vec![0]).settle(0, Fate::Filtered { reason });
                continue;
            }
            let input = Input::read(&event, position, way.source_id.clone(), &way.scope);
            sorted.entry(input.connection_id.clone()).or_default().push(input);
            taken += 1;
        }
        self.tracker.pass(chunk.lane, chunk.seq, passed.into_iter(), Passed::NotRouted);
        self.tracker.pass(chunk.lane, chunk.seq, copies.into_iter(), Passed::Duplicate);
        Ok(taken)
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
