//! What is known of an event at each of the destinations that its source is connected with, also when nobody has
//! followed it.

use crate::admission::Admission;
use crate::intake::DUPLICATE;
use crate::spec::Route;
use crate::supervisor::Handle;
use pintle_catalog::{Catalog, Connection, Destination, DestinationState};
use pintle_events::Position;
use pintle_store::log::search::Occurrence;
use pintle_store::{Error, destinations, revisions, suppressions};
use std::collections::BTreeMap;

/// What is known of an event on one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The destination.
    pub destination_id: String,
    /// The connection.
    pub connection_id: String,
    /// How far it is.
    pub how: How,
    /// Why; empty when there is nothing to say.
    pub reason: String,
}

/// How far an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// It is none for this connection.
    Apart,
    /// It is not decided yet: it waits in the log, or for its delivery.
    Pending,
    /// It goes no further, by rule.
    Filtered,
    /// Its destination has come to an end with it.
    Settled,
}

impl How {
    /// The name in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            How::Apart => "not-for-it",
            How::Pending => "pending",
            How::Filtered => "filtered",
            How::Settled => "settled",
        }
    }
}

impl Handle {
    /// Waits until everything that is settled now is in the database.
    pub async fn flush(&self) {
        self.parts().settlement.flush().await;
    }

    /// What is known of an event on each connection of its source, by the configuration in force.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn whereabouts(&self, catalog: &Catalog, found: &Occurrence) -> Result<Vec<Place>, Error> {
        let (store, source) = (&self.parts().store, found.event().source_id);
        let starts = revisions::connection_starts(store).await?;
        let stored = destinations::all(store).await?;
        let mut places = Vec::new();
        for (id, connection) in catalog.connections.iter().filter(|(_, connection)| connection.source == source) {
            let Some(destination) = catalog.destinations.get(&connection.destination) else { continue };
            let place = |how, reason: String| Place {
                destination_id: connection.destination.clone(),
                connection_id: id.clone(),
                how,
                reason,
            };
            if !connection.is_on() {
                let why = connection.off_because.clone();
                let off = why.unwrap_or_else(|| "somebody has switched it off".to_owned());
                places.push(place(How::Apart, format!("the connection is off: {off}")));
                continue;
            }
            let Position { lane, seq, .. } = found.position;
            if starts.get(id).and_then(|lanes| lanes.get(&lane)).is_some_and(|start| seq < *start) {
                places.push(place(How::Apart, "the event came before the connection was made".to_owned()));
                continue;
            }
            let cursors = stored.get(&connection.destination).map(|stored| &stored.cursors);
            let settled = self.has_settled(&connection.destination, found.position, cursors);
            let rule = self.rule(catalog, id, connection, destination, found).await;
            places.push(match (settled, rule) {
                // Whatever the configuration was: of copies only the first goes anywhere.
                _ if found.is_duplicate => place(How::Filtered, DUPLICATE.to_owned()),
                (false, Some(rule)) => place(How::Filtered, format!("{rule} (by the configuration in force)")),
                (false, None) => place(How::Pending, self.holds(&connection.destination, destination)),
                (true, Some(rule)) => {
                    place(How::Settled, format!("by the configuration in force it would be filtered: {rule}"))
                }
                (true, None) => place(How::Settled, String::new()),
            });
        }
        Ok(places)
    }

    /// Asked of the cursors in memory where there are any: those that are stored are a little behind.
    fn has_settled(&self, id: &str, position: Position, stored: Option<&BTreeMap<i64, (i64, u64)>>) -> bool {
        match self.tracker(id) {
            Some(tracker) => tracker.is_settled(position),
            None => stored.and_then(|lanes| lanes.get(&position.lane)).is_some_and(|(seq, idx)| {
                position.seq < *seq || (position.seq == *seq && u64::from(position.idx) < *idx)
            }),
        }
    }

    /// Why the event is not taken over a connection, when it is not.
    async fn rule(
        &self,
        catalog: &Catalog,
        id: &str,
        connection: &Connection,
        destination: &Destination,
        found: &Occurrence,
    ) -> Option<String> {
        let event = found.event();
        if self.parts().suppressions.contains(event.user_id) {
            return Some(suppressions::REASON.to_owned());
        }
        if destination.state == DestinationState::Disabled {
            return Some("the destination is disabled".to_owned());
        }
        let uploaded = catalog.plugins.get(&destination.plugin).and_then(|plugin| Some(&plugin.live()?.code));
        // One that cannot be loaded says nothing: the destination is held then, and that is told.
        let plugin = self.parts().plugins.destination(&destination.plugin, uploaded).await.ok();
        let types = plugin.map(|plugin| plugin.manifest().message_types.clone()).unwrap_or_default();
        let known = types.is_empty() || types.iter().any(|one| one.eq_ignore_ascii_case(event.event_type));
        if !known || !destination.takes(event.event_type) {
            return Some("Message type not supported".to_owned());
        }
        let source = catalog.sources.get(&connection.source)?.clone();
        let route = Route { connection_id: id.to_owned(), connection: connection.clone(), source };
        Admission::new(&route, &connection.destination, destination).refuses(&event)
    }

    /// What keeps a destination from going on, when anything does.
    fn holds(&self, id: &str, destination: &Destination) -> String {
        if destination.state == DestinationState::Paused {
            return "the destination is paused".to_owned();
        }
        let state = self.destinations().remove(id).unwrap_or_default();
        let outlet = state.outlet.unwrap_or_default();
        match (state.held, outlet.breaker) {
            (Some(held), _) => held,
            (None, Some(why)) => {
                let error =
                    outlet.last_error.map(|(error, _)| format!("; the last error: {error}")).unwrap_or_default();
                format!("the destination is down: {why}{error}")
            }
            (None, None) if state.starting => "the destination is being set up".to_owned(),
            (None, None) => String::new(),
        }
    }
}
