//! Deliveries that share requests, through the test guest `bulk`.

mod alone;
mod forming;
mod judging;
mod splitting;
mod trouble;

use crate::setup::{World, quick};
use pintle_router::{Config, Outlet};
use pintle_tests::receiver::{Answer, Received};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::{Arc, Mutex};

/// A key of its own for the event that keeps the one connection busy while others gather.
const BUSY: u64 = 1_000_000;
/// Its place in the log.
const FIRST: u32 = 8_000;

/// Key and number of the events of a request.
fn events(received: &Received) -> Vec<(u64, u64)> {
    let body = received.json();
    let events = body["events"].as_array().unwrap();
    events.iter().map(|event| (event["key"].as_u64().unwrap(), event["n"].as_u64().unwrap())).collect()
}

/// How many events each request had.
fn sizes(world: &World) -> Vec<usize> {
    world.receiver.received().iter().map(|received| events(received).len()).collect()
}

/// One request at a time.
fn narrow() -> Config {
    Config { concurrency_max: NonZeroUsize::MIN, ..quick() }
}

/// An outlet whose one request is held until [`World::receiver`] releases it: what is sent until then gathers.
async fn busy(world: &World, config: Config) -> Outlet {
    world.receiver.always(Answer::status(200).held());
    let outlet = world.outlet(config).await;
    outlet.send(world.delivery(BUSY, FIRST).await).await.unwrap();
    world.receiver.wait_for(1).await;
    outlet
}

/// What the destination has taken, in the order in which it did.
#[derive(Clone, Default)]
struct Taken(Arc<Mutex<Vec<(u64, u64)>>>);

impl Taken {
    /// Answers with a status for each event from now on, and notes those that get 200.
    fn one_by_one(world: &World, status: impl Fn(u64, u64) -> u16 + Send + Sync + 'static) -> Taken {
        let taken = Taken::default();
        let noted = taken.clone();
        world.receiver.answer_by(move |received| {
            let mut noted = noted.0.lock().unwrap();
            let results: Vec<Value> = events(received)
                .into_iter()
                .map(|(key, n)| {
                    let status = status(key, n);
                    if status == 200 {
                        noted.push((key, n));
                    }
                    json!({ "status": status })
                })
                .collect();
            Answer::status(200).body(json!({ "results": results }).to_string())
        });
        taken
    }

    /// Answers with one status for all events of a request from now on, and notes those of requests that get 200.
    fn as_a_whole(world: &World, status: impl Fn(&[(u64, u64)]) -> u16 + Send + Sync + 'static) -> Taken {
        let taken = Taken::default();
        let noted = taken.clone();
        world.receiver.answer_by(move |received| {
            let events = events(received);
            let status = status(&events);
            if status == 200 {
                noted.0.lock().unwrap().extend(events);
            }
            Answer::status(status)
        });
        taken
    }

    fn get(&self) -> Vec<(u64, u64)> {
        self.0.lock().unwrap().clone()
    }

    /// Each of the events once, those of a key in order.
    fn assert_all_in_order(&self, range: Range<u32>) {
        let mut last: HashMap<u64, u64> = HashMap::new();
        let mut seen = HashSet::new();
        for (key, n) in self.get().into_iter().filter(|(key, _)| *key != BUSY) {
            assert!(seen.insert(n), "{n} was taken twice");
            if let Some(before) = last.insert(key, n) {
                assert!(before < n, "key {key}: {n} came after {before}");
            }
        }
        let missing: Vec<_> = range.clone().filter(|n| !seen.contains(&u64::from(*n))).collect();
        assert!(missing.is_empty(), "not taken: {missing:?}");
        assert_eq!(seen.len(), range.len(), "and no others");
    }
}

/// No request had two events of a key.
fn assert_keys_differ(world: &World) {
    for received in world.receiver.received() {
        let keys: Vec<_> = events(&received).into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys.len(), keys.iter().collect::<HashSet<_>>().len(), "{keys:?}");
    }
}
