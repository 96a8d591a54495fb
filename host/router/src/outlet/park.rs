//! Events that wait outside the log while others of their destination go on.
//!
//! The queue in memory is the authority and the rows are its copy. An event that is parked is settled:
//! the cursor passes it. Rows come back in the order of the log at the next start, so within a key no
//! parked event may ever stand behind one that is not.

use super::item::{Item, Live, Stored, millis, parked_bytes, parked_subject};
use super::state::State;
use pintle_events::times::now_ms;
use pintle_store::settle::{Fate, Parked};
use std::time::Duration;
use tokio::time::Instant;

impl State {
    /// Whether one more event may be parked.
    pub(super) fn can_park(&self, payload_bytes: usize) -> bool {
        let config = &self.shared.config;
        self.parked.events < config.parked_per_destination_max.get()
            && self.parked.bytes + payload_bytes <= config.parked_bytes_max.get()
    }

    /// Parks a head, and everything behind it.
    pub(super) fn park(&mut self, live: &Live, wait: Duration, error: String, now: Instant) {
        let key = live.delivery.key_hash;
        let stored = self.settle_parked(live, now_ms().saturating_add(millis(wait)), error);
        self.keys.wait(key, stored, now + wait);
        self.stuck.insert(key);
        self.park_behind(key);
    }

    /// Parks what waits behind a parked head that has failed.
    pub(super) fn park_behind(&mut self, key: u64) {
        // Out of the queue and back, because parking needs the whole state.
        let mut behind = self.keys.take_behind(key);
        for item in &mut behind {
            let Item::Live(live) = item else { continue };
            if !self.can_park(live.delivery.payload.len()) {
                break;
            }
            *item = self.parked_behind(live);
        }
        self.keys.put_behind(key, behind);
    }

    /// Parks the last item of a stuck key, which has just come.
    pub(super) fn park_last(&mut self, key: u64) {
        let Some((last, before)) = self.keys.pop_last(key) else { return };
        let item = match last {
            Item::Live(live) if !before_is_live(before) && self.can_park(live.delivery.payload.len()) => {
                self.parked_behind(&live)
            }
            item => item,
        };
        self.keys.push(key, item);
    }

    fn parked_behind(&mut self, live: &Live) -> Item {
        // Due at once: it is its turn that it waits for, not a time.
        self.settle_parked(live, now_ms(), String::new())
    }

    fn settle_parked(&mut self, live: &Live, next_at_ms: i64, error: String) -> Item {
        let parked = live.parked(next_at_ms, error);
        let fate = Fate::Parked(parked.clone());
        self.shared.scribe.settled(&live.subject(), live.delivery.output, &fate);
        live.delivery.ticket.settle(live.delivery.output, fate);
        self.live -= 1;
        self.stock(&parked);
        self.shared.metrics.parked.increment(1);
        let down_ms = live.trouble.map_or_else(|| self.down.total_ms(), |trouble| trouble.down_ms);
        Item::Parked(Box::new(Stored { parked, down_ms, excused: live.excused }))
    }

    /// Takes in an event that a row says is parked.
    pub(super) fn restore(&mut self, parked: Parked, now: Instant) {
        let key = parked.key_hash;
        self.stock(&parked);
        let wait = u64::try_from(parked.next_at_ms.saturating_sub(now_ms())).unwrap_or(0);
        // A clock that was set back must not keep an event waiting for longer than any wait we give.
        let longest = self.shared.config.retry_max.max(self.shared.config.retry_after_max);
        let wait = Duration::from_millis(wait).min(longest);
        let tried = parked.attempt > 0;
        let item = Item::Parked(Box::new(Stored { parked, down_ms: self.down.total_ms(), excused: 0 }));
        if tried && !self.keys.holds(key) {
            self.stuck.insert(key);
            self.keys.push_waiting(key, item, now + wait);
        } else {
            self.keys.push(key, item);
        }
    }

    /// A parked head was tried in vain: its row says when it is tried again.
    pub(super) fn reschedule(&mut self, mut stored: Box<Stored>, wait: Duration, error: String, now: Instant) {
        let parked = &mut stored.parked;
        let key = parked.key_hash;
        self.parked.bytes = self.parked.bytes.saturating_sub(parked_bytes(parked));
        parked.attempt = parked.attempt.saturating_add(1);
        parked.next_at_ms = now_ms().saturating_add(millis(wait));
        parked.last_error = error;
        if parked.first_failed_at_ms == 0 {
            parked.first_failed_at_ms = now_ms();
            stored.down_ms = self.down.total_ms();
        }
        self.parked.bytes += parked_bytes(&stored.parked);
        self.shared.tracker.reschedule(&stored.parked);
        if self.shared.scribe.is_active() {
            let fate = Fate::Parked(stored.parked.clone());
            self.shared.scribe.settled(&parked_subject(&stored.parked), stored.parked.output, &fate);
        }
        self.keys.wait(key, Item::Parked(stored), now + wait);
        self.stuck.insert(key);
        self.park_behind(key);
    }
}

fn before_is_live(before: Option<&Item>) -> bool {
    matches!(before, Some(Item::Live(_)))
}
