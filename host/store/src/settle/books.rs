//! How events are counted, per destination.

use super::rows::Fate;
use crate::ledger::tally::{Column, Counts};

/// How an event is counted, lightest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    Filtered,
    Delivered,
    Dead,
    Parked,
}

impl Class {
    pub(crate) fn of(fate: &Fate) -> Class {
        match fate {
            Fate::Delivered => Class::Delivered,
            Fate::Filtered { .. } => Class::Filtered,
            Fate::Dead(_) => Class::Dead,
            Fate::Parked(_) => Class::Parked,
        }
    }

    pub(crate) fn column(self) -> Column {
        match self {
            Class::Filtered => Column::Filtered,
            Class::Delivered => Column::Delivered,
            Class::Dead => Column::Dead,
            Class::Parked => Column::Parked,
        }
    }
}

/// Why a destination has nothing to do with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passed {
    /// No connection leads from its source to the destination, or none did when it was accepted.
    NotRouted,
    /// It is a copy of an earlier one.
    Duplicate,
}

/// How many events of a destination came to which end. Every event that was routed to the destination and
/// is behind its cursor is in exactly one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Books {
    /// The destination has them.
    pub delivered: u64,
    /// Nothing was to be delivered, by rule.
    pub filtered: u64,
    /// At least one output is a dead letter.
    pub dead: u64,
    /// At least one output still waits.
    pub parked: u64,
}

impl Books {
    /// The totals that these counts make.
    pub(crate) fn of(counts: &Counts) -> Books {
        let sum = |columns: &[Column]| columns.iter().map(|column| counts.of(*column)).sum::<i64>().max(0) as u64;
        Books {
            delivered: sum(&[Column::Delivered]),
            filtered: sum(&[Column::Filtered, Column::Duplicates]),
            dead: sum(&[Column::Dead, Column::Expired]),
            parked: sum(&[Column::Parked]),
        }
    }
}
