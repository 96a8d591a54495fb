//! One reader's part of the catalog: what a runner works by, and what makes it be replaced.

use crate::given::Given;
use pintle_catalog::{Catalog, Code, Connection, Destination, DestinationState, Source, Transformation};
use pintle_store::replays::Replay;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a runner does with its destination's events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Delivers them.
    Deliver,
    /// Filters the backlog with this reason, up to the chunks that were the last ones then.
    Filter {
        /// Why.
        reason: &'static str,
    },
}

/// One destination's part of the catalog.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// The reader's id: the destination's, or that of a replay to it.
    pub id: String,
    /// The destination's id.
    pub destination_id: String,
    /// The replay that it is; none of live traffic.
    pub replay: Option<Arc<Replay>>,
    /// What to do.
    pub mode: Mode,
    /// The destination.
    pub destination: Destination,
    /// Its connections, by their source.
    pub routes: BTreeMap<String, Route>,
    /// The live versions of the transformations that they use.
    pub transformations: BTreeMap<String, Running>,
    /// What those may import and ask for.
    pub given: Given,
    /// The destination's component, when it was uploaded.
    pub plugin: Option<Code>,
}

/// A version of a transformation that runs. A draft that is saved meanwhile is no part of it, and disturbs
/// nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// The transformation's name: the file in stack traces.
    pub name: String,
    /// Its code.
    pub code: Code,
    /// The hosts that it may fetch from.
    pub hosts: Vec<String>,
}

impl Running {
    /// The live version, if anything was published.
    #[must_use]
    pub fn live(transformation: &Transformation) -> Option<Running> {
        let live = transformation.history.live()?;
        Some(Running {
            name: transformation.name.clone(),
            code: live.code.clone(),
            hosts: transformation.hosts.clone(),
        })
    }

    /// What the code itself is told about its version, and what seeds its randomness.
    #[must_use]
    pub fn version(&self) -> String {
        self.code.digest.chars().take(16).collect()
    }
}

/// A connection that is on, and its source.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// The connection's id.
    pub connection_id: String,
    /// The connection.
    pub connection: Connection,
    /// Its source.
    pub source: Source,
}

impl Route {
    /// The transformations that its events go through: the source's, then its own.
    pub fn transformations(&self) -> impl Iterator<Item = &String> {
        self.source.transformations.iter().chain(&self.connection.transformations)
    }
}

impl Spec {
    /// The parts of all destinations that have anything to do. Paused ones have not.
    #[must_use]
    pub fn all(catalog: &Catalog) -> BTreeMap<String, Spec> {
        let specs = catalog.destinations.keys().filter_map(|id| Some((id.clone(), Spec::one(catalog, id)?)));
        specs.collect()
    }

    /// The part of one destination; none when it is paused or not there.
    #[must_use]
    pub fn one(catalog: &Catalog, id: &str) -> Option<Spec> {
        let destination = catalog.destinations.get(id)?;
        let mode = match destination.state {
            DestinationState::Enabled => Mode::Deliver,
            DestinationState::Disabled => Mode::Filter { reason: "the destination is disabled" },
            DestinationState::Paused => return None,
        };
        Some(Spec::of(catalog, id, destination, mode))
    }

    /// The part of a replay; none while its destination does not deliver.
    #[must_use]
    pub fn of_replay(catalog: &Catalog, replay: &Arc<Replay>) -> Option<Spec> {
        let spec = Spec::one(catalog, &replay.destination).filter(|spec| spec.mode == Mode::Deliver)?;
        Some(Spec { id: replay.reader(), replay: Some(replay.clone()), ..spec })
    }

    /// What the catalog asks of this reader now; none when it has nothing to do, or is not there.
    #[must_use]
    pub fn again(&self, catalog: &Catalog) -> Option<Spec> {
        match &self.replay {
            Some(replay) => Spec::of_replay(catalog, replay),
            None => Spec::one(catalog, &self.id),
        }
    }

    fn of(catalog: &Catalog, id: &str, destination: &Destination, mode: Mode) -> Spec {
        let mut routes = BTreeMap::new();
        for (connection_id, connection) in catalog.connections_to(id).filter(|(_, c)| c.is_on()) {
            if let Some(source) = catalog.sources.get(&connection.source) {
                routes.insert(
                    connection.source.clone(),
                    Route {
                        connection_id: connection_id.to_owned(),
                        connection: connection.clone(),
                        source: source.clone(),
                    },
                );
            }
        }
        let used: BTreeSet<&String> = routes.values().flat_map(Route::transformations).collect();
        let live = |id: &String| Some((id.clone(), Running::live(catalog.transformations.get(id)?)?));
        let transformations: BTreeMap<String, Running> = used.into_iter().filter_map(live).collect();
        // Without a transformation they concern nobody: a change of them replaces no runner then.
        let given = if transformations.is_empty() { Given::default() } else { Given::of(catalog) };
        let plugin = catalog.plugins.get(&destination.plugin).and_then(|plugin| Some(plugin.live()?.code.clone()));
        let (destination_id, destination) = (id.to_owned(), destination.clone());
        let id = destination_id.clone();
        Spec { id, destination_id, replay: None, mode, destination, routes, transformations, given, plugin }
    }

    /// The same destination after it was taken out of the catalog: its backlog is filtered by its old routes.
    #[must_use]
    pub fn removed(mut self) -> Spec {
        self.mode = Mode::Filter { reason: "the destination was removed" };
        self
    }

    /// A destination of which nothing is left but its cursors: whatever it was fed by is not known any more.
    #[must_use]
    pub fn unknown(id: &str) -> Spec {
        Spec {
            id: id.to_owned(),
            destination_id: id.to_owned(),
            replay: None,
            mode: Mode::Filter { reason: "the destination was removed" },
            destination: Destination {
                name: id.to_owned(),
                plugin: String::new(),
                config: serde_json::Value::Null,
                state: DestinationState::Disabled,
                message_types: None,
                integration: None,
                delivery: None,
            },
            routes: BTreeMap::new(),
            transformations: BTreeMap::new(),
            given: Given::default(),
            plugin: None,
        }
    }

    /// The sources whose events it takes.
    #[must_use]
    pub fn sources(&self) -> BTreeSet<String> {
        self.routes.keys().cloned().collect()
    }
}
