//! Clients, a receiver, and the account at the end.

use pintle_tests::ledger::{Book, Ledger};
use pintle_tests::loader::{Loader, Sent};
use pintle_tests::pintle::Pintle;
use pintle_tests::receiver::{Answer, Receiver};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Events offered per second.
const RATE: u32 = 1_200;
/// Acknowledged between two faults, at least and at most.
const BETWEEN: std::ops::Range<u64> = 300..2_000;
/// How long the machine may take to get over a fault.
const PATIENCE: Duration = Duration::from_secs(180);
/// How long the backlog at the end may take.
const SETTLE_TIME_MAX: Duration = Duration::from_secs(600);
/// Requests that a destination has in flight, at most: the default of `concurrency-max`.
const IN_FLIGHT_MAX: u64 = 64;

/// What to do.
#[derive(Debug)]
pub struct Plan {
    what: &'static str,
    seed: u64,
    faults: usize,
    events_min: u64,
}

impl Plan {
    /// As the environment says; a short one if it does not.
    pub fn from_environment(what: &'static str, salt: u64) -> Plan {
        let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
        let seed = number("PINTLE_SEED").unwrap_or_else(|| rand::rng().random_range(0..1_000_000));
        eprintln!("{what}: PINTLE_SEED={seed}");
        Plan {
            what,
            seed: seed.wrapping_mul(31).wrapping_add(salt),
            faults: number("PINTLE_FAULTS").unwrap_or(3) as usize,
            events_min: number("PINTLE_FAULT_EVENTS").unwrap_or(0),
        }
    }
}

impl Plan {
    /// With so many faults, whatever the environment says.
    pub fn faults(mut self, faults: usize) -> Plan {
        self.faults = faults;
        self
    }
}

/// One under way.
#[derive(Debug)]
pub struct Run {
    plan: Plan,
    random: StdRng,
    ledger: Arc<Ledger>,
    loader: Loader,
    chosen: usize,
    faults: Vec<Fault>,
}

/// What may come twice after a fault.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// The process went on: only what was in flight.
    Survived,
    /// It died: what was received so far and is not in the books that it started again with, which are
    /// written together with the cursors. What was in flight may not have been received so far.
    Died { receipts: u64, delivered: Option<u64> },
}

impl Run {
    pub async fn start(plan: Plan, receiver: &Receiver, pintle: &Pintle) -> Run {
        let ledger = Arc::new(Ledger::new());
        let book = ledger.clone();
        receiver.answer_by(move |one| {
            book.note(&one.body);
            Answer::status(200)
        });
        let random = StdRng::seed_from_u64(plan.seed);
        let loader = Loader::start(&pintle.gateway_now(), RATE, plan.seed);
        Run { plan, random, ledger, loader, chosen: 0, faults: Vec::new() }
    }

    pub fn random(&mut self) -> &mut StdRng {
        &mut self.random
    }

    /// Waits for the moment of the next fault; false when there were enough.
    pub async fn next_fault(&mut self) -> bool {
        let some = self.random.random_range(BETWEEN);
        self.loader.wait_acknowledged(self.loader.acknowledged() + some, PATIENCE).await;
        if self.chosen == self.plan.faults {
            return false;
        }
        self.chosen += 1;
        // The moment within what goes on between two answers.
        tokio::time::sleep(Duration::from_micros(self.random.random_range(0..20_000))).await;
        true
    }

    /// A fault that the process outlives. What comes twice from now on is put down to it.
    pub fn fault_happened(&mut self) {
        self.faults.push(Fault::Survived);
        self.ledger.fault();
    }

    /// The process is dead. What comes twice from now on is put down to that.
    pub fn died(&mut self) {
        self.faults.push(Fault::Died { receipts: self.ledger.book().receipts, delivered: None });
        self.ledger.fault();
    }

    /// It was started again, and goes on.
    pub async fn started(&mut self, pintle: &Pintle) {
        let books = pintle.wait_delivered_at_start("orders").await;
        self.went_on_from(Some(books));
    }

    /// It was started again, and has died again: maybe before it looked at its books.
    pub fn started_in_vain(&mut self, pintle: &Pintle) {
        self.went_on_from(pintle.delivered_at_start("orders"));
    }

    fn went_on_from(&mut self, books: Option<u64>) {
        if let Some(Fault::Died { delivered, .. }) = self.faults.last_mut() {
            *delivered = books;
        }
    }

    /// Posts what is missing of the events, waits until everything is settled, and gives the account.
    pub async fn finish(self, pintle: &Pintle) {
        let Run { plan, ledger, loader, faults, .. } = self;
        let seconds = plan.events_min / u64::from(RATE) * 4 + PATIENCE.as_secs();
        loader.wait_acknowledged(plan.events_min, Duration::from_secs(seconds)).await;
        let sent = loader.stop().await;
        let books = pintle
            .wait_books(SETTLE_TIME_MAX, "orders", "an empty backlog", |books| {
                books.pending == 0 && books.parked == 0 && books.delivered as u64 >= sent.acknowledged
            })
            .await;
        let account = Account::new(&sent, &ledger.book(), &faults);
        eprintln!("{}: {account}", plan.what);
        assert_eq!(books.dead, 0, "dead letters");
        assert_eq!(books.delivered + books.filtered, books.accepted, "the rest are copies of events posted again");
        account.assert_it_holds();
    }
}

/// What was promised, counted.
#[derive(Debug)]
struct Account {
    acknowledged: u64,
    per_second: f64,
    in_vain: u64,
    distinct: u64,
    missing: Vec<String>,
    out_of_order: u64,
    /// By fault: further receipts of events that were posted once.
    again: Vec<u64>,
    /// By fault: how many of those there may be.
    again_max: Vec<u64>,
    /// Further receipts of events that were posted more than once.
    copies: usize,
}

impl Account {
    fn new(sent: &Sent, book: &Book, faults: &[Fault]) -> Account {
        let mut missing = Vec::new();
        let mut posted_again = BTreeSet::new();
        for (user, attempts) in &sent.attempts {
            for (n, attempts) in attempts.iter().enumerate() {
                if book.count(user, n) == 0 {
                    missing.push(format!("{user}/{n}"));
                }
                if *attempts > 1 {
                    posted_again.insert((user.clone(), n));
                }
            }
        }
        let is_copy = |event: &&(String, usize)| posted_again.contains(*event);
        let once = |events: &Vec<_>| (events.len() - events.iter().filter(is_copy).count()) as u64;
        let again: Vec<u64> = book.repeated.iter().map(once).collect();
        Account {
            acknowledged: sent.acknowledged,
            per_second: sent.acknowledged as f64 / sent.took.as_secs_f64(),
            in_vain: sent.requests - sent.acknowledged,
            distinct: book.distinct,
            missing,
            out_of_order: book.out_of_order,
            again_max: again_max(faults, &again),
            again,
            copies: book.repeated.iter().flatten().filter(is_copy).count(),
        }
    }

    fn assert_it_holds(&self) {
        assert!(self.missing.is_empty(), "acknowledged and never received: {:?}", self.missing);
        assert_eq!(self.out_of_order, 0, "first receipts out of order");
        assert_eq!(self.again[0], 0, "duplicates before any fault");
        for (number, (again, most)) in self.again[1..].iter().zip(&self.again_max).enumerate() {
            assert!(again <= most, "{again} duplicates after fault {number}; at most {most} were not settled by then");
        }
    }
}

/// What was in flight, or settled since the last cursor write, at each fault. `again[n + 1]` came twice
/// after fault `n`.
fn again_max(faults: &[Fault], again: &[u64]) -> Vec<u64> {
    let (mut came_again, mut books) = (0, 0);
    let mut most = Vec::new();
    for (fault, again) in faults.iter().zip(again) {
        came_again += again;
        most.push(match *fault {
            Fault::Survived => IN_FLIGHT_MAX,
            Fault::Died { receipts, delivered } => {
                // A start that did not come as far as the books has delivered nothing either.
                books = delivered.unwrap_or(books);
                (receipts - came_again).saturating_sub(books) + IN_FLIGHT_MAX
            }
        });
    }
    most
}

impl std::fmt::Display for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "acknowledged {} ({:.0}/s, faults included)", self.acknowledged, self.per_second)?;
        writeln!(f, "  distinct received   {}", self.distinct)?;
        writeln!(f, "  missing             {}", self.missing.len())?;
        writeln!(f, "  out of order        {}", self.out_of_order)?;
        writeln!(f, "  requests in vain    {}, copies of events posted again {}", self.in_vain, self.copies)?;
        writeln!(f, "  duplicates by fault {:?}", &self.again[1..])?;
        write!(f, "  of at most          {:?} in flight or settled since the last cursor write", self.again_max)
    }
}
