//! Which of a source's events a connection takes, as far as the events themselves decide it.

use crate::filter::Sieve;
use crate::integrations::{self, Gate};
use crate::spec::Route;
use pintle_catalog::Destination;
use pintle_events::EventRef;

/// What an event is judged by before any component is called.
#[derive(Debug)]
pub struct Admission {
    /// Nothing when the source has transformations: what they leave on an event decides, behind them.
    gate: Option<Gate>,
    sieve: Option<Sieve>,
}

impl Admission {
    /// To a connection of this destination.
    #[must_use]
    pub fn new(route: &Route, destination_id: &str, destination: &Destination) -> Admission {
        let decides = route.source.transformations.is_empty();
        Admission {
            gate: decides.then(|| Gate::new(destination_id, destination)),
            sieve: route.connection.filter.as_ref().map(Sieve::new),
        }
    }

    /// Why an event is not taken, when it is not.
    #[must_use]
    pub fn refuses(&self, event: &EventRef<'_>) -> Option<String> {
        if self.gate.as_ref().is_some_and(|gate| !gate.lets_through(event.raw)) {
            return Some(integrations::LEFT_OUT.to_owned());
        }
        // What is stored is UTF-8; anything else would be read with replacements, never passed over.
        self.sieve.as_ref()?.stops(event.event_type, &String::from_utf8_lossy(event.raw))
    }
}
