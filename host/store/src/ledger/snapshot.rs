//! Everything the books are made of, read in one snapshot.

use super::pending::{self, Blocks, Place};
use super::tally::{Column, Counts, Group};
use super::{Filter, Row};
use crate::Error;
use crate::settle::restore;
use futures_util::future::BoxFuture;
use sqlx::{PgConnection, Row as _};
use std::collections::{BTreeMap, BTreeSet};

/// How many events by group.
pub(super) type Sums = BTreeMap<Group, i64>;

/// The books at one moment.
#[derive(Debug)]
pub(super) struct Snapshot {
    accepted: Sums,
    destinations: BTreeMap<String, Account>,
}

/// What is known of one destination.
#[derive(Debug, Default)]
pub(super) struct Account {
    pub(super) is_active: bool,
    /// Whether it is written what it does not owe.
    pub(super) is_opened: bool,
    /// Whether it goes up to an end: then what it owes is written down when it begins.
    pub(super) is_bounded: bool,
    settled: BTreeMap<Group, Counts>,
    not_owed: Sums,
    owed: Sums,
    pending: Sums,
}

impl Snapshot {
    /// Reads in the caller's transaction, which has to be one snapshot.
    // Boxed: the compiler cannot see otherwise that what is behind so many references may change threads.
    pub(super) fn take<'a>(tx: &'a mut PgConnection, filter: &'a Filter) -> BoxFuture<'a, Result<Snapshot, Error>> {
        Box::pin(Snapshot::read(tx, filter))
    }

    async fn read(tx: &mut PgConnection, filter: &Filter) -> Result<Snapshot, Error> {
        let mut destinations = accounts(tx, filter).await?;
        settled(tx, filter, &mut destinations).await?;
        bounds(tx, filter, &mut destinations).await?;
        let mut accepted = dropped(tx, filter).await?;
        let places = places(tx, filter, &destinations).await?;
        let mut blocks = Blocks::read(tx, filter, &places).await?;
        blocks.add_to(&mut accepted);
        for (id, place) in &places {
            if let Some(account) = destinations.get_mut(id) {
                account.pending = blocks.behind(tx, place).await?;
            }
        }
        Ok(Snapshot { accepted, destinations })
    }

    /// One destination's account.
    pub(super) fn account(&self, destination: &str) -> Option<&Account> {
        self.destinations.get(destination)
    }

    /// Every row that says anything.
    pub(super) fn rows(&self) -> Vec<Row> {
        let accounts = self.destinations.iter();
        accounts
            .flat_map(|(id, account)| account.groups(self).into_iter().map(|group| self.row(id, account, group)))
            .collect()
    }

    fn row(&self, id: &str, account: &Account, group: &Group) -> Row {
        let settled = account.settled.get(group).copied().unwrap_or_default();
        Row {
            destination: id.to_owned(),
            source: group.source.to_string(),
            hour: group.hour,
            accepted: account.owes(self, group),
            delivered: settled.of(Column::Delivered),
            filtered: settled.of(Column::Filtered),
            duplicates: settled.of(Column::Duplicates),
            unrouted: settled.of(Column::Unrouted),
            dead: settled.of(Column::Dead),
            expired: settled.of(Column::Expired),
            parked: settled.of(Column::Parked),
            pending: sum(&account.pending, group),
        }
    }
}

impl Account {
    /// The groups it has anything to do with.
    pub(super) fn groups<'a>(&'a self, snapshot: &'a Snapshot) -> BTreeSet<&'a Group> {
        let everything = self.settled.keys().chain(self.pending.keys()).chain(self.owed.keys());
        let accepted = snapshot.accepted.keys().filter(|_| self.is_active && self.is_opened && !self.is_bounded);
        let says = |group: &&Group| {
            self.owes(snapshot, group) != 0
                || sum(&self.pending, group) != 0
                || self.settled.get(*group).is_some_and(|counts| *counts != Counts::default())
        };
        everything.chain(self.not_owed.keys()).chain(accepted).filter(says).collect()
    }

    /// What it had to settle of a group.
    pub(super) fn owes(&self, snapshot: &Snapshot, group: &Group) -> i64 {
        match (self.is_active, self.is_opened) {
            (true, true) if !self.is_bounded => sum(&snapshot.accepted, group) - sum(&self.not_owed, group),
            // It has just begun, and nobody has worked out yet where: as much as it knows of.
            (true, false) => self.settled_or_pending(group),
            (true, true) | (false, _) => sum(&self.owed, group),
        }
    }

    /// What it has settled of a group, or will.
    pub(super) fn settled_or_pending(&self, group: &Group) -> i64 {
        self.settled.get(group).map_or(0, Counts::sum) + sum(&self.pending, group)
    }

    /// What was accepted of every group, and is none of its business when it begins now.
    pub(super) fn not_owed_now(&self, snapshot: &Snapshot) -> Sums {
        let groups: BTreeSet<&Group> = snapshot.accepted.keys().chain(self.settled.keys()).collect();
        let not_owed = |group: &Group| sum(&snapshot.accepted, group) - self.settled_or_pending(group);
        groups.into_iter().map(|group| (group.clone(), not_owed(group))).filter(|(_, events)| *events != 0).collect()
    }

    /// What one that goes up to an end has to settle of every group, when it begins now.
    pub(super) fn owed_from_now(&self) -> Sums {
        let groups: BTreeSet<&Group> = self.settled.keys().chain(self.pending.keys()).collect();
        let owed = |group: &Group| self.settled_or_pending(group);
        groups.into_iter().map(|group| (group.clone(), owed(group))).filter(|(_, events)| *events != 0).collect()
    }

    /// What it had to settle of every group, when it ends now: what lies behind its cursors it does not owe any more.
    pub(super) fn owed_now(&self, snapshot: &Snapshot) -> Sums {
        let owed = |group: &Group| self.owes(snapshot, group) - sum(&self.pending, group);
        let groups = self.groups(snapshot).into_iter();
        groups.map(|group| (group.clone(), owed(group))).filter(|(_, events)| *events != 0).collect()
    }
}

fn sum(sums: &Sums, group: &Group) -> i64 {
    sums.get(group).copied().unwrap_or_default()
}

impl Filter {
    /// Whether a group is looked at.
    pub(super) fn has(&self, group: &Group) -> bool {
        self.source.as_ref().is_none_or(|source| **source == *group.source)
            && self.since_hour.is_none_or(|since| group.hour >= since)
            && self.until_hour.is_none_or(|until| group.hour < until)
    }
}

/// The condition on a row of the tables, with four parameters: destination, source, since and until.
macro_rules! rows_of {
    ($columns:literal, $table:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM ",
            $table,
            " WHERE ($1::text IS NULL OR destination = $1) AND ($2::text IS NULL OR source = $2) \
             AND ($3::int IS NULL OR hour >= $3) AND ($4::int IS NULL OR hour < $4)"
        )
    };
}

async fn accounts(tx: &mut PgConnection, filter: &Filter) -> Result<BTreeMap<String, Account>, Error> {
    let rows =
        sqlx::query("SELECT id, active, opened, unfolded, bounded FROM destinations WHERE $1::text IS NULL OR id = $1")
            .bind(&filter.destination)
            .fetch_all(tx)
            .await?;
    let mut accounts = BTreeMap::new();
    for row in rows {
        let id: String = row.get(0);
        let (is_active, is_opened, is_bounded) = (row.get(1), row.get(2), row.get(4));
        let mut account = Account { is_active, is_opened, is_bounded, ..Account::default() };
        for (group, counts) in restore::read(&id, row.get(3))?.groups() {
            if !group.is_untold() && filter.has(group) {
                account.settled.insert(group.clone(), *counts);
            }
        }
        accounts.insert(id, account);
    }
    Ok(accounts)
}

async fn settled(
    tx: &mut PgConnection,
    filter: &Filter,
    accounts: &mut BTreeMap<String, Account>,
) -> Result<(), Error> {
    const STATEMENT: &str = rows_of!(
        "destination, source, hour, delivered, filtered, duplicates, unrouted, dead, expired, parked",
        "ledger_settled"
    );
    for row in of(STATEMENT, filter).fetch_all(tx).await? {
        let counts = Counts(std::array::from_fn(|column| row.get(3 + column)));
        if let Some(account) = accounts.get_mut(row.get::<&str, _>(0)) {
            account.settled.entry(group(&row, 1)).or_default().add(&counts);
        }
    }
    Ok(())
}

async fn bounds(tx: &mut PgConnection, filter: &Filter, accounts: &mut BTreeMap<String, Account>) -> Result<(), Error> {
    const STATEMENT: &str = rows_of!("destination, source, hour, not_owed, owed", "ledger_bounds");
    for row in of(STATEMENT, filter).fetch_all(tx).await? {
        let Some(account) = accounts.get_mut(row.get::<&str, _>(0)) else { continue };
        if let Some(events) = row.get(3) {
            account.not_owed.insert(group(&row, 1), events);
        }
        if let Some(events) = row.get(4) {
            account.owed.insert(group(&row, 1), events);
        }
    }
    Ok(())
}

fn of<'q>(
    statement: &'static str,
    filter: &'q Filter,
) -> sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments> {
    let query = sqlx::query(statement);
    query.bind(&filter.destination).bind(&filter.source).bind(filter.since_hour).bind(filter.until_hour)
}

/// What was accepted in segments that are gone.
async fn dropped(tx: &mut PgConnection, filter: &Filter) -> Result<Sums, Error> {
    let rows = sqlx::query(
        "SELECT source, hour, events FROM ledger_accepted WHERE ($1::text IS NULL OR source = $1) \
         AND ($2::int IS NULL OR hour >= $2) AND ($3::int IS NULL OR hour < $3)",
    )
    .bind(&filter.source)
    .bind(filter.since_hour)
    .bind(filter.until_hour)
    .fetch_all(tx)
    .await?;
    Ok(rows.iter().map(|row| (group(row, 0), row.get(2))).collect())
}

/// Where the active ones stand, and up to where they go.
async fn places(
    tx: &mut PgConnection,
    filter: &Filter,
    accounts: &BTreeMap<String, Account>,
) -> Result<BTreeMap<String, Place>, Error> {
    let active = accounts.iter().filter(|(_, account)| account.is_active);
    let ends = |account: &Account| account.is_bounded.then(BTreeMap::new);
    let place = |account: &Account| Place { cursors: BTreeMap::new(), ends: ends(account) };
    let mut places: BTreeMap<String, Place> = active.map(|(id, account)| (id.clone(), place(account))).collect();
    let rows = sqlx::query(
        "SELECT destination, lane, seq, idx, bitmap FROM cursors WHERE $1::text IS NULL OR destination = $1",
    )
    .bind(&filter.destination)
    .fetch_all(&mut *tx)
    .await?;
    for row in rows {
        let cursor = pending::Cursor { seq: row.get(2), idx: row.get::<i32, _>(3) as u32, bitmap: row.get(4) };
        if let Some(place) = places.get_mut(row.get::<&str, _>(0)) {
            place.cursors.insert(row.get(1), cursor);
        }
    }
    let rows = sqlx::query("SELECT reader, lane, last_seq FROM reader_ends WHERE $1::text IS NULL OR reader = $1")
        .bind(&filter.destination)
        .fetch_all(tx)
        .await?;
    for row in rows {
        if let Some(ends) = places.get_mut(row.get::<&str, _>(0)).and_then(|place| place.ends.as_mut()) {
            ends.insert(row.get(1), row.get(2));
        }
    }
    Ok(places)
}

fn group(row: &sqlx::postgres::PgRow, at: usize) -> Group {
    Group { source: row.get::<&str, _>(at).into(), hour: row.get(at + 1) }
}
