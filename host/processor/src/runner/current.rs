//! Whether a runner still does what the catalog asks for.

use crate::spec::{Mode, Spec};
use pintle_catalog::Catalog;
use std::sync::Arc;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Whether the catalog in force still asks for what a runner does. A chunk may have been committed under a newer
/// one, before the runner is told to stop: it would take events of a new connection for none of its own.
pub(crate) struct Current {
    catalog: watch::Receiver<Arc<Catalog>>,
    /// The one that was looked at last and asks for it.
    known: Option<Arc<Catalog>>,
}

impl Current {
    pub(crate) fn new(catalog: watch::Receiver<Arc<Catalog>>) -> Current {
        Current { catalog, known: None }
    }

    pub(super) fn is_asked_for(&mut self, spec: &Spec) -> bool {
        let catalog = self.catalog.borrow_and_update().clone();
        if self.known.as_ref().is_some_and(|known| Arc::ptr_eq(known, &catalog)) {
            return true;
        }
        // What is deleted is asked to deal with its backlog.
        let is = match spec.again(&catalog) {
            Some(wanted) => wanted == *spec,
            None => spec.mode != Mode::Deliver && spec.replay.is_none(),
        };
        self.known = is.then_some(catalog);
        is
    }

    /// Waits until it does, for whoever is dropped when it is to stop.
    pub(crate) async fn wait_however_long(&mut self, spec: &Spec) {
        while !self.is_asked_for(spec) {
            if self.catalog.changed().await.is_err() {
                return; // Without anybody who could change it, nobody will stop it either.
            }
        }
    }

    /// Waits until it does; false when the runner is told to stop instead.
    pub(super) async fn wait(&mut self, spec: &Spec, stop: &CancellationToken) -> bool {
        while !self.is_asked_for(spec) {
            tokio::select! {
                () = stop.cancelled() => return false,
                // Without anybody who could change it, nobody will tell it to stop either.
                changed = self.catalog.changed() => if changed.is_err() { return true },
            }
        }
        true
    }
}
