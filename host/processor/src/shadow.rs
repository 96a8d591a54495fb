//! Runs a candidate beside the live version, over events that really went through a connection.

use crate::admission::Admission;
use crate::batch::{Input, Scope};
use crate::chain::Chain;
use crate::config::Config;
use crate::given::Given;
use crate::plugins::{Plugins, Unloadable};
use crate::runner::{context, now_ms};
use crate::spec::{Route, Running};
use crate::trial::{self, Event, Trial};
use pintle_catalog::Catalog;
use pintle_events::Position;
use pintle_store::log::Log;
use pintle_store::{Error, Store, revisions};
use std::sync::Arc;

/// Which transformation, on which connection, over how many events.
#[derive(Clone, Debug)]
pub struct Request {
    /// The connection.
    pub connection: String,
    /// The transformation: one that the connection or its source uses.
    pub transformation: String,
    /// The code to compare with the live version.
    pub candidate: Running,
    /// The last so many events.
    pub events: usize,
}

/// What both made of the same events.
#[derive(Debug)]
pub struct Shadow {
    /// The message ids of the events, oldest first.
    pub message_ids: Vec<String>,
    /// What the live version makes of them.
    pub live: Trial,
    /// What the candidate makes of them.
    pub candidate: Trial,
}

/// Why there is no shadow run.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// There is no such connection.
    #[error("there is no connection \"{0}\"")]
    NoConnection(String),
    /// The connection does not use the transformation.
    #[error("connection \"{connection}\" does not run transformation \"{transformation}\"; attach it first")]
    NotAttached {
        /// The connection.
        connection: String,
        /// The transformation.
        transformation: String,
    },
    /// One of the versions does not load.
    #[error("transformation \"{name}\" does not load: {error}")]
    Unloadable {
        /// Which.
        name: String,
        /// Why.
        error: Unloadable,
    },
    /// The log cannot be read now.
    #[error(transparent)]
    Store(#[from] Error),
}

/// Where a shadow run reads and what it loads.
#[derive(Clone)]
pub struct Stage {
    /// The processor's settings.
    pub config: Config,
    /// Our database.
    pub store: Store,
    /// The event log.
    pub log: Log,
    /// The components.
    pub plugins: Plugins,
}

impl Stage {
    /// Runs both versions. `settled` says whether an event has gone through the destination.
    ///
    /// # Errors
    /// [`Refused`] says why not.
    pub async fn run(
        &self,
        catalog: &Catalog,
        request: &Request,
        settled: impl Fn(Position) -> bool + Send + Sync,
    ) -> Result<Shadow, Refused> {
        let connection = catalog.connections.get(&request.connection);
        let connection = connection.ok_or_else(|| Refused::NoConnection(request.connection.clone()))?;
        let not_attached = || Refused::NotAttached {
            connection: request.connection.clone(),
            transformation: request.transformation.clone(),
        };
        let (Some(source), Some(destination)) =
            (catalog.sources.get(&connection.source), catalog.destinations.get(&connection.destination))
        else {
            return Err(not_attached());
        };
        let route =
            Route { connection_id: request.connection.clone(), connection: connection.clone(), source: source.clone() };
        let ids: Vec<String> = route.transformations().cloned().collect();
        let place = ids.iter().position(|id| *id == request.transformation).ok_or_else(not_attached)?;
        let live = |id: &String| catalog.transformations.get(id).and_then(Running::live).ok_or_else(not_attached);

        let given = Given::of(catalog);
        let mut before = Chain::default();
        for id in &ids[..place] {
            let running = live(id)?;
            before.push(&running.name, context(id, &running), self.load(id, &running, &given).await?, None);
        }
        let running = live(&request.transformation)?;
        let loaded = self.load(&request.transformation, &running, &given).await?;
        let candidate = self.load(&request.transformation, &request.candidate, &given).await?;

        let scope = Scope::new(&route, &connection.destination, destination);
        let admission = Admission::new(&route, &connection.destination, destination);
        let starts = revisions::connection_starts(&self.store).await?.remove(&request.connection).unwrap_or_default();
        let goes = |event: &pintle_events::EventRef<'_>, position: Position| {
            event.source_id == connection.source
                && destination.takes(event.event_type)
                && admission.refuses(event).is_none()
                && starts.get(&position.lane).is_none_or(|start| position.seq >= *start)
                && settled(position)
        };
        let read = |event: &pintle_events::EventRef<'_>, position| {
            Input::read(event, position, connection.source.as_str().into(), &scope)
        };
        let inputs: Vec<Input> = self.log.last(request.events, &goes, &read).await?;

        let now_ms = now_ms();
        let mut events = Vec::with_capacity(inputs.len());
        let mut message_ids = Vec::with_capacity(inputs.len());
        for range in crate::batch::calls(&inputs, &self.config, |input| input.members.len()) {
            let part = &inputs[range];
            for product in before.run(part, now_ms, &self.config).await {
                if let Ok(members) = product.result {
                    let input = &part[product.owner];
                    events.push(Event { members, position: input.position });
                    message_ids.push(input.message_id.clone());
                }
            }
        }
        let id = &request.transformation;
        let live = trial::run(id, &running, &loaded, &events, &self.config).await;
        let candidate = trial::run(id, &request.candidate, &candidate, &events, &self.config).await;
        Ok(Shadow { message_ids, live, candidate })
    }

    async fn load(
        &self,
        id: &str,
        running: &Running,
        given: &Given,
    ) -> Result<Arc<pintle_runtime::transformation::Transformation>, Refused> {
        let loaded = self.plugins.transformation(id, running, given).await;
        loaded.map_err(|error| Refused::Unloadable { name: running.name.clone(), error })
    }
}
