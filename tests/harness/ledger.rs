//! What arrived: how often, and in which order.

use crate::receiver::Received;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Counts receipts of events by user and number, as [`crate::events::Events`] makes them.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Book>);

/// What a ledger has counted.
#[derive(Clone, Debug, Default)]
pub struct Book {
    users: BTreeMap<String, Page>,
    /// Requests in all.
    pub receipts: u64,
    /// Different events.
    pub distinct: u64,
    /// First receipts that came after a later event of the same user.
    pub out_of_order: u64,
    /// Further receipts, by the fault that came before them: which event, by user and number.
    pub repeated: Vec<Vec<(String, usize)>>,
}

#[derive(Clone, Debug, Default)]
struct Page {
    /// Receipts of each of the user's events.
    counts: Vec<u32>,
    next: usize,
}

impl Ledger {
    /// An empty one.
    #[must_use]
    pub fn new() -> Ledger {
        Ledger(Mutex::new(Book { repeated: vec![Vec::new()], ..Book::default() }))
    }

    /// The ledger of what a receiver has accepted.
    #[must_use]
    pub fn of(received: &[Received]) -> Book {
        let ledger = Ledger::new();
        for one in received.iter().filter(|one| (200..300).contains(&one.status)) {
            ledger.note(&one.body);
        }
        ledger.book()
    }

    /// Counts a receipt.
    ///
    /// # Panics
    /// When the body is not such an event.
    pub fn note(&self, body: &[u8]) {
        let event: Value = serde_json::from_slice(body).expect("the body is JSON");
        let user = event["properties"]["user"].as_str().expect("the event names its user");
        let n = event["properties"]["n"].as_u64().expect("the event has its number") as usize;
        let mut book = self.lock();
        let Book { users, receipts, distinct, out_of_order, repeated } = &mut *book;
        let page = match users.get_mut(user) {
            Some(page) => page,
            None => users.entry(user.to_owned()).or_default(),
        };
        if page.counts.len() <= n {
            page.counts.resize(n + 1, 0);
        }
        page.counts[n] += 1;
        *receipts += 1;
        if page.counts[n] > 1 {
            repeated.last_mut().expect("there is one list from the start").push((user.to_owned(), n));
            return;
        }
        *distinct += 1;
        *out_of_order += u64::from(n < page.next);
        page.next = page.next.max(n + 1);
    }

    /// From now on, further receipts are put down to another fault.
    pub fn fault(&self) {
        self.lock().repeated.push(Vec::new());
    }

    /// Different events so far.
    #[must_use]
    pub fn distinct(&self) -> u64 {
        self.lock().distinct
    }

    /// Everything so far.
    #[must_use]
    pub fn book(&self) -> Book {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    /// How often this event came.
    #[must_use]
    pub fn count(&self, user: &str, n: usize) -> u32 {
        self.users.get(user).and_then(|page| page.counts.get(n)).copied().unwrap_or(0)
    }

    /// Holds the book against `users × each` events: each once, in order.
    ///
    /// # Panics
    /// When it was otherwise.
    pub fn assert_each_once_in_order(&self, who: &str, users: usize, each: usize) {
        let wrong: Vec<(String, usize, u32)> = (0..users * each)
            .map(|at| (format!("user-{}", at % users), at / users))
            .map(|(user, n)| (user.clone(), n, self.count(&user, n)))
            .filter(|(.., count)| *count != 1)
            .collect();
        assert!(wrong.is_empty(), "{who}: not exactly once (user, number, times): {wrong:?}");
        assert_eq!(self.distinct, (users * each) as u64, "{who}: nothing else came");
        assert_eq!(self.out_of_order, 0, "{who}: events out of order");
    }
}
