//! The ways out of a destination: requests one by one, or objects.

use crate::ranges::{Keeper, Shelf};
use bytes::Bytes;
use pintle_router::{Outlet, Rehearsal};
use pintle_store::settle::{DeadLetter, Parked};
use std::sync::Arc;

/// How deliveries leave.
pub(super) enum Way {
    /// One by one, as requests.
    Outlet(Outlet),
    /// Many at a time, as objects.
    Objects(Box<Keeper>),
}

/// A way out, for those who ask how it is doing or bring back a dead letter. Cheap to clone.
#[derive(Clone)]
pub(crate) enum Exit {
    Outlet(Outlet),
    Objects(Arc<Shelf>),
}

impl Way {
    pub(super) fn exit(&self) -> Exit {
        match self {
            Way::Outlet(outlet) => Exit::Outlet(outlet.clone()),
            Way::Objects(keeper) => Exit::Objects(keeper.shelf().clone()),
        }
    }
}

impl Exit {
    pub(crate) fn status(&self) -> pintle_router::Status {
        match self {
            Exit::Outlet(outlet) => outlet.status(),
            Exit::Objects(shelf) => shelf.status(),
        }
    }

    /// What a retry would send, or write, of a dead letter with this payload. Nothing is sent.
    pub(crate) async fn rehearse(&self, letter: &DeadLetter, payload: Bytes) -> Rehearsal {
        match self {
            Exit::Outlet(outlet) => outlet.rehearse(letter.position, &payload).await,
            Exit::Objects(shelf) => shelf.rehearse(letter, payload).await,
        }
    }

    /// A whole text without the destination's secrets.
    pub(crate) fn unsecret(&self, text: &str) -> String {
        match self {
            Exit::Outlet(outlet) => outlet.unsecret(text),
            Exit::Objects(shelf) => shelf.unsecret(text),
        }
    }

    /// The start of a text without the destination's secrets, at most `preview-bytes-max`.
    pub(crate) fn masked(&self, text: &str) -> String {
        match self {
            Exit::Outlet(outlet) => outlet.masked(text),
            Exit::Objects(shelf) => shelf.masked(text),
        }
    }

    /// Takes in a dead letter that is to be tried again. A closing way leaves the row, which is read when the
    /// destination starts again.
    pub(crate) fn adopt(&self, parked: Parked) {
        match self {
            Exit::Outlet(outlet) => _ = outlet.adopt(parked),
            Exit::Objects(shelf) => shelf.adopt(parked),
        }
    }
}
