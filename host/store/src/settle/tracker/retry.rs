//! Dead letters that are delivered again: they become parked events that are due at once.

use super::{Tracker, Waiting};
use crate::dead_letters::Stored;
use crate::ledger::Group;
use crate::ledger::tally::Column;
use crate::settle::books::Class;
use crate::settle::rows::{Kept, Parked};
use std::sync::Arc;

/// The right to retry a dead letter: of two who want to at the same time one gets it.
#[derive(Debug)]
pub struct Claim {
    tracker: Arc<Tracker>,
    id: i64,
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.tracker.state().claimed.remove(&self.id);
    }
}

impl Tracker {
    /// Claims a dead letter, until the claim is dropped; nothing when somebody else holds it. Whether the letter is
    /// still there is to be looked up afterwards.
    pub fn claim(self: &Arc<Self>, id: i64) -> Option<Claim> {
        self.state().claimed.insert(id).then(|| Claim { tracker: self.clone(), id })
    }

    /// Makes a claimed dead letter a parked event again, due at `now_ms`. Both rows and the books change with the
    /// next cursor move; only then may it be tried. `others_dead`: whether other outputs of its event are dead
    /// letters.
    pub fn revive(self: &Arc<Self>, _claim: &Claim, stored: &Stored, others_dead: bool, now_ms: i64) -> Parked {
        let parked = Parked::of(stored.letter.clone(), now_ms);
        let group = group(stored);
        let mut state = self.state();
        let settled = state.is_settled(parked.position);
        let others = if others_dead { Class::Dead } else { Class::Filtered };
        let waiting = Waiting { left: 0, others, group: group.clone() };
        let waiting = state.parked.entry(parked.position).or_insert(waiting);
        waiting.left += 1;
        let was_dead = waiting.left == 1 && settled;
        if waiting.others == Class::Dead && !others_dead {
            waiting.others = Class::Delivered;
        }
        if was_dead {
            state.count(group.as_ref(), Column::Dead, -1);
            state.count(group.as_ref(), Column::Parked, 1);
        }
        state.changes.revived.push(stored.id);
        state.changes.parked.push(Kept { row: parked.clone(), hour: stored.hour });
        drop(state);
        self.touched(false);
        parked
    }

    /// A claimed dead letter was tried again and its transformation let go of it: it goes with the next cursor
    /// move. `others_dead`: whether other outputs of its event are dead letters.
    pub fn let_go(self: &Arc<Self>, _claim: &Claim, stored: &Stored, others_dead: bool) {
        let mut state = self.state();
        let position = stored.letter.position;
        if !others_dead && state.is_settled(position) && !state.parked.contains_key(&position) {
            let group = group(stored);
            state.count(group.as_ref(), Column::Dead, -1);
            state.count(group.as_ref(), Column::Filtered, 1);
        }
        state.changes.revived.push(stored.id);
        drop(state);
        self.touched(false);
    }
}

/// What the books count a dead letter's event under.
fn group(stored: &Stored) -> Option<Group> {
    Some(Group { source: stored.letter.source_id.as_str().into(), hour: stored.hour? })
}
