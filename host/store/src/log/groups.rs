//! Of which source and hour the events of a chunk are: what the books count them under.

use crate::ledger::Group;
use std::collections::HashMap;
use std::sync::Arc;

/// Of which source and hour each event of a chunk is. Chunks of the first format do not say so in their headers:
/// their events are in no hour of the books.
#[derive(Debug, Default)]
pub struct Groups {
    events: u32,
    groups: Vec<Group>,
    /// For each event the place of its group; empty while there is only one.
    of: Vec<u32>,
}

impl Groups {
    /// Those of events that are in no hour of the books.
    #[must_use]
    pub fn untold(events: u32) -> Arc<Groups> {
        Arc::new(Groups { events, ..Groups::default() })
    }

    /// How many events there are.
    #[must_use]
    pub fn events(&self) -> u32 {
        self.events
    }

    /// The group of an event; none when it is in no hour of the books.
    #[must_use]
    pub fn of(&self, idx: u32) -> Option<&Group> {
        if idx >= self.events {
            return None;
        }
        self.groups.get(self.of.get(idx as usize).copied().unwrap_or_default() as usize)
    }

    /// How many events each group has.
    pub(crate) fn counts(&self) -> Vec<(&Group, u32)> {
        if let [only] = &self.groups[..] {
            return vec![(only, self.events)];
        }
        let mut counts: Vec<(&Group, u32)> = self.groups.iter().map(|group| (group, 0)).collect();
        for group in &self.of {
            counts[*group as usize].1 += 1;
        }
        counts
    }
}

/// Makes [`Groups`], event by event.
#[derive(Debug, Default)]
pub(super) struct Sorter {
    groups: Groups,
    /// By source, its hours and where they stand.
    places: HashMap<Arc<str>, Vec<(i32, u32)>>,
    last: u32,
}

impl Sorter {
    /// The next event.
    pub(super) fn push(&mut self, source: &str, received_at_ms: i64) {
        let hour = Group::hour_of(received_at_ms);
        let is_last =
            self.groups.groups.get(self.last as usize).is_some_and(|g| g.hour == hour && *g.source == *source);
        if !is_last {
            self.last = self.place(source, hour);
        }
        let Groups { events, groups, of } = &mut self.groups;
        if groups.len() > 1 {
            of.resize(*events as usize, 0);
            of.push(self.last);
        }
        *events += 1;
    }

    pub(super) fn done(self) -> Arc<Groups> {
        Arc::new(self.groups)
    }

    fn place(&mut self, source: &str, hour: i32) -> u32 {
        let known = self.places.get(source).and_then(|hours| hours.iter().find(|(of, _)| *of == hour));
        if let Some((_, place)) = known {
            return *place;
        }
        let place = self.groups.groups.len() as u32;
        let source: Arc<str> = match self.places.get_key_value(source) {
            Some((source, _)) => source.clone(),
            None => source.into(),
        };
        self.places.entry(source.clone()).or_default().push((hour, place));
        self.groups.groups.push(Group { source, hour });
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    #[test]
    fn every_event_has_the_group_it_came_with() {
        let events = [("a", 0), ("a", HOUR - 1), ("b", 0), ("a", HOUR), ("b", 5), ("a", 1)];
        for length in 0..=events.len() {
            let mut sorter = Sorter::default();
            events[..length].iter().for_each(|(source, at)| sorter.push(source, *at));
            let groups = sorter.done();
            assert_eq!(groups.events() as usize, length);
            for (idx, (source, at)) in events[..length].iter().enumerate() {
                let group = groups.of(idx as u32).unwrap();
                assert_eq!((&*group.source, group.hour), (*source, (*at / HOUR) as i32), "{idx} of {length}");
            }
            assert_eq!(groups.counts().iter().map(|(_, events)| events).sum::<u32>() as usize, length);
            assert!(groups.of(length as u32).is_none());
        }
    }

    #[test]
    fn untold_events_are_in_no_group() {
        let groups = Groups::untold(3);
        assert!(groups.events() == 3 && groups.of(0).is_none() && groups.counts().is_empty());
    }
}
