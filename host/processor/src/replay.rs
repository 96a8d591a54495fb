//! Sends events of the past to one destination again.
//!
//! ```text
//!   wish ──▶ count (dry run)              how many events, of which types, and how many are kept away by rules
//!     └────▶ start ──▶ Supervisor ──▶ Runner `$replay-N` ──▶ outlet (a share of the rate, header `pintle-replay`)
//!                                       ▲ Feed: the log up to an end, or the archive
//! ```
//! A replay takes the way of live events, with the connections, filters, transformations and configuration that are in
//! force when it runs, and with cursors, dead letters and books of its own. It also takes what came before a
//! connection was made. Within it keys keep their order; between it and live traffic there is none.

pub(crate) mod archived;
pub(crate) mod count;

pub use count::Count;

use crate::runner::{Held, Loaded};
use crate::spec::{Mode, Spec};
use crate::supervisor::Handle;
use archived::{Listing, Window};
use pintle_catalog::Catalog;
use pintle_runtime::destination::Wire;
use pintle_store::replays::{self, Order, Replay, Source};
use pintle_store::{Error, log::Span};
use std::sync::Arc;

/// What somebody wants to be sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The destination that gets the events.
    pub destination: String,
    /// Events received from then on, milliseconds since 1970.
    pub since_ms: i64,
    /// Events received before then, milliseconds since 1970.
    pub until_ms: i64,
    /// A folder of the archive, below its own prefix; without one the events come from the log.
    pub archive: Option<String>,
}

/// Why nothing is sent again.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// There is no such destination.
    #[error("there is no destination \"{0}\"")]
    NoDestination(String),
    /// It does not deliver.
    #[error("destination \"{0}\" does not deliver now; enable it first")]
    NotRunning(String),
    /// Nothing can have been received then.
    #[error("the time of the replay is empty: it begins at {since_ms} and ends at {until_ms}")]
    NoTime {
        /// Its beginning.
        since_ms: i64,
        /// Its end.
        until_ms: i64,
    },
    /// Nothing of that time is left.
    #[error(
        "the log has nothing that was received in that time: it is kept as long as some destination needs it and for \
         `store: replay-window`; what is older may be in the archive (--from-archive)"
    )]
    NothingLeft,
    /// Too many are not over yet.
    #[error("{0} replays are not over yet, and there are no more at once (replays-max); wait, or cancel one")]
    TooMany(u32),
    /// The archive cannot be read, or has nothing there.
    #[error("{0}")]
    Archive(String),
    /// The destination cannot be set up, so that nobody can say what it takes.
    #[error("destination \"{destination}\" cannot be set up: {why}")]
    NotSetUp {
        /// The destination.
        destination: String,
        /// Why not.
        why: String,
    },
    /// The database does not answer.
    #[error(transparent)]
    Store(#[from] Error),
}

impl Handle {
    /// Counts what a replay would take, for so long as `replay-count-time-max`. Sends nothing.
    ///
    /// # Errors
    /// [`Refused`] says why there would be none.
    pub async fn count_replay(&self, catalog: &Catalog, wish: &Wish) -> Result<Count, Refused> {
        let (spec, source) = self.prepare(catalog, wish).await?;
        self.count(spec, source).await
    }

    /// Starts a replay of everything that is there now.
    ///
    /// # Errors
    /// [`Refused`] says why there is none.
    pub async fn start_replay(
        &self,
        catalog: &Catalog,
        wish: &Wish,
        author: &str,
        reason: &str,
    ) -> Result<Replay, Refused> {
        let (_, source) = self.prepare(catalog, wish).await?;
        let Wish { destination, since_ms, until_ms, .. } = wish.clone();
        let order =
            Order { destination, since_ms, until_ms, source, author: author.to_owned(), reason: reason.to_owned() };
        let max = self.parts().config.replays_max;
        let replay = replays::start(&self.parts().store, &order, max).await?.ok_or(Refused::TooMany(max))?;
        self.ask();
        Ok(replay)
    }

    /// Lets a replay go no further. What it has parked becomes dead letters. False when it is over already.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn cancel_replay(&self, id: i64, author: &str, reason: &str) -> Result<bool, Error> {
        let is_new = replays::cancel(&self.parts().store, id, author, reason).await?;
        self.ask();
        Ok(is_new)
    }

    /// What the destination would do, and where the events are.
    async fn prepare(&self, catalog: &Catalog, wish: &Wish) -> Result<(Spec, Source), Refused> {
        let Wish { destination, since_ms, until_ms, archive } = wish;
        if !catalog.destinations.contains_key(destination) {
            return Err(Refused::NoDestination(destination.clone()));
        }
        if since_ms >= until_ms {
            return Err(Refused::NoTime { since_ms: *since_ms, until_ms: *until_ms });
        }
        let spec = Spec::one(catalog, destination).filter(|spec| spec.mode == Mode::Deliver);
        let spec = spec.ok_or_else(|| Refused::NotRunning(destination.clone()))?;
        let source = match archive {
            Some(prefix) => self.objects(prefix, *since_ms, *until_ms).await?,
            None => Source::Log(self.span(*since_ms, *until_ms)?),
        };
        if archive.is_some() {
            let loaded = self.load(&spec).await?;
            if loaded.plugin.manifest().wire == Wire::Objects {
                return Err(Refused::Archive(format!(
                    "destination \"{destination}\" writes objects itself: copy those of the archive instead"
                )));
            }
        }
        let replay = Replay::planned(destination, *since_ms, *until_ms, &source);
        Ok((Spec { replay: Some(Arc::new(replay)), ..spec }, source))
    }

    /// Its plugin, as it is configured.
    async fn load(&self, spec: &Spec) -> Result<Loaded, Refused> {
        let not_set_up =
            |held: Held| Refused::NotSetUp { destination: spec.destination_id.clone(), why: held.to_string() };
        Loaded::load(self.parts(), spec).await.map_err(not_set_up)
    }

    /// The objects of the archive in which such events may be.
    async fn objects(&self, prefix: &str, since_ms: i64, until_ms: i64) -> Result<Source, Refused> {
        let archive = |error: archived::Error| Refused::Archive(error.to_string());
        let origin = archived::Origin::of(self.parts()).map_err(Refused::Archive)?;
        let window = Window { since_ms: Some(since_ms), until_ms: Some(until_ms) };
        let listing = archived::list(&origin, prefix, window).await.map_err(archive)?;
        if listing.objects.is_empty() {
            let Listing { outside, others, .. } = listing;
            return Err(Refused::Archive(format!(
                "the archive has no events of that time in \"{prefix}\": {outside} objects are of another time, {others} \
                 are none of an archive's"
            )));
        }
        let objects = listing.objects.into_iter().map(|listed| listed.name).collect();
        Ok(Source::Archive { prefix: prefix.to_owned(), objects })
    }

    fn span(&self, since_ms: i64, until_ms: i64) -> Result<Span, Refused> {
        let span = self.parts().log.span(since_ms, until_ms);
        if span.is_empty() { Err(Refused::NothingLeft) } else { Ok(span) }
    }
}
