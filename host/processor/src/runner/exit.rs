//! The ways out of a destination: requests one by one, or objects.

use crate::ranges::{Keeper, Shelf};
use pintle_router::Outlet;
use pintle_store::settle::Parked;

/// How deliveries leave.
pub(super) enum Way {
    /// One by one, as requests.
    Outlet(Outlet),
    /// Many at a time, as objects.
    Objects(Box<Keeper>),
}

/// A way out, for those who ask how it is doing or bring back a dead letter. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) enum Exit {
    Outlet(Outlet),
    Objects(Shelf),
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

    /// Takes in a dead letter that is to be tried again. A closing way leaves the row, which is read when the
    /// destination starts again.
    pub(crate) fn adopt(&self, parked: Parked) {
        match self {
            Exit::Outlet(outlet) => _ = outlet.adopt(parked),
            Exit::Objects(shelf) => shelf.adopt(parked),
        }
    }
}
