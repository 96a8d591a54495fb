//! Which deliveries share a bulk request.
//!
//! Nobody waits for company. When there is room for one more attempt, everything that is ready by then and
//! fits goes along: an idle destination gets every event at once and by itself, and a busy one fills its bulk
//! requests without a timer. Heads come first; what waits behind them follows in its order, where the plugin
//! says that the destination keeps it (`combines_in_order`).
//!
//! By themselves go: deliveries of several requests, parked events (they pass the transform again), probes of
//! the breaker, and what is larger than a bulk request may be. What was in a bulk request that failed as a
//! whole has company of its kind only, and half as much each time.

use super::attempt::Work;
use super::bulk::Bulk;
use super::item::{Item, Live};
use super::queue::Fit;
use super::state::State;
use crate::config::Config;
use crate::delivery::body_bytes;
use pintle_runtime::destination::Manifest;
use std::collections::HashMap;

/// How much one bulk request may carry.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    events: usize,
    pub(super) bytes: usize,
}

impl Bounds {
    /// Nothing where requests are not combined.
    pub(super) fn of(manifest: &Manifest, config: &Config) -> Option<Bounds> {
        let batch = manifest.batch.filter(|_| manifest.combine)?;
        let events = batch.events.min(config.bulk_events_max).get();
        let bytes = batch.bytes.min(config.bulk_bytes_max).get();
        (events > 1).then_some(Bounds { events, bytes })
    }
}

/// A bulk request as it fills.
struct Filling {
    bounds: Bounds,
    suspects: bool,
    events: usize,
    bytes: usize,
    /// What the most suspect member allows.
    company: usize,
}

impl Filling {
    fn fit(&mut self, item: &Item) -> Fit {
        let Item::Live(live) = item else { return Fit::Leave };
        let Some(request) = live.combinable() else { return Fit::Leave };
        if live.is_suspect() != self.suspects {
            return Fit::Leave;
        }
        let (company, bytes) = (self.company.min(live.company), self.bytes + body_bytes(&request.body));
        if self.events >= company || bytes > self.bounds.bytes {
            return Fit::Stop;
        }
        (self.events, self.bytes, self.company) = (self.events + 1, bytes, company);
        Fit::Take
    }
}

impl State {
    /// Takes along what may share a bulk request with a head that was just taken.
    pub(super) fn gather(&mut self, bounds: Bounds, first: Item) -> Work {
        let suspects = matches!(&first, Item::Live(live) if live.is_suspect());
        let mut filling = Filling { bounds, suspects, events: 0, bytes: 0, company: bounds.events };
        if filling.fit(&first) != Fit::Take {
            return Work::One(first);
        }
        let mut taken = vec![first];
        self.keys.take_more(&mut taken, |item| filling.fit(item));
        if self.followers {
            let keys: Vec<u64> = taken.iter().map(Item::key).collect();
            for key in keys {
                if !self.keys.take_followers(key, &mut taken, |item| filling.fit(item)) {
                    break;
                }
            }
        }
        if taken.len() == 1 {
            return Work::One(taken.remove(0));
        }
        let live = |item| match item {
            Item::Live(live) => live,
            Item::Parked(_) => unreachable!("what is parked does not fit"),
        };
        Work::Plan(taken.into_iter().map(live).collect())
    }

    /// Gives back what waits to be sent in bulk requests: the breaker has opened since they were made.
    pub(super) fn dissolve(&mut self) {
        let members = std::mem::take(&mut self.planned).into_iter().flat_map(|Bulk { members, .. }| members);
        self.give_back(members.collect());
    }

    /// Puts deliveries that were taken and not tried back to where they were. Those of one key are in order.
    pub(super) fn give_back(&mut self, members: Vec<Box<Live>>) {
        // From the last key to the first, each before those that are there already.
        for (key, mut own) in by_key(members, |live| live.delivery.key_hash).into_iter().rev() {
            let followers = own.split_off(1);
            self.keys.return_followers(key, followers.into_iter().map(Item::Live).collect());
            own.into_iter().for_each(|head| self.return_head(head));
        }
    }

    /// The same for the head of a key alone.
    pub(super) fn return_head(&mut self, head: Box<Live>) {
        let (key, was_tried) = (head.delivery.key_hash, head.tries > 0 || head.is_suspect());
        self.keys.return_head(key, Item::Live(head), was_tried);
    }
}

/// What belongs to each key, in order, and the keys in the order in which they first appear.
pub(super) fn by_key<T>(items: impl IntoIterator<Item = T>, key: impl Fn(&T) -> u64) -> Vec<(u64, Vec<T>)> {
    let mut keys: Vec<(u64, Vec<T>)> = Vec::new();
    let mut places = HashMap::new();
    for item in items {
        let key = key(&item);
        let place = *places.entry(key).or_insert(keys.len());
        match keys.get_mut(place) {
            Some((_, own)) => own.push(item),
            None => keys.push((key, vec![item])),
        }
    }
    keys
}
