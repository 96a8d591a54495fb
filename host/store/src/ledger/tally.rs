//! Counts of settled events, and the bytes in which a cursor move carries them.
//!
//! ```text
//! u8 format (1)   then per group:  u8 length, source   i32 hour   7 × varint, the columns in their order
//! ```
//! The hour is little-endian, a varint zigzag with seven bits a byte. Every format that was ever written is readable
//! forever. The group without a source holds events that are in no hour of the books, only in the totals.

use std::collections::BTreeMap;
use std::sync::Arc;

const FORMAT: u8 = 1;

/// How an event is counted in the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    Delivered,
    Filtered,
    Duplicates,
    Unrouted,
    Dead,
    Expired,
    Parked,
}

/// How many there are.
pub(crate) const COLUMNS: usize = 7;

/// One number per [`Column`]; as changes they may be negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts(pub(crate) [i64; COLUMNS]);

impl Counts {
    pub(crate) fn of(&self, column: Column) -> i64 {
        self.0[column as usize]
    }

    pub(crate) fn add(&mut self, other: &Counts) {
        for (own, more) in self.0.iter_mut().zip(other.0) {
            *own += more;
        }
    }

    pub(crate) fn sum(&self) -> i64 {
        self.0.iter().sum()
    }
}

/// A source and an hour, counted from 1970, in which events of it were received.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group {
    /// The source's id.
    pub source: Arc<str>,
    /// Hours since 1970.
    pub hour: i32,
}

impl Group {
    /// The hour in which something was received, of milliseconds since 1970.
    #[must_use]
    pub fn hour_of(received_at_ms: i64) -> i32 {
        const HOUR_MS: i64 = 3_600_000;
        let hour = received_at_ms.div_euclid(HOUR_MS);
        i32::try_from(hour).unwrap_or(if hour < 0 { i32::MIN } else { i32::MAX })
    }

    /// The one of events that are in no hour of the books.
    fn untold() -> Group {
        Group { source: "".into(), hour: 0 }
    }

    pub(crate) fn is_untold(&self) -> bool {
        self.source.is_empty()
    }
}

/// Counts by group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally(BTreeMap<Group, Counts>);

impl Tally {
    /// Counts events; without a group they are in the totals only.
    pub(crate) fn add(&mut self, group: Option<&Group>, column: Column, events: i64) {
        let counts = match group.and_then(|group| self.0.get_mut(group)) {
            Some(counts) => counts,
            None => self.0.entry(group.cloned().unwrap_or_else(Group::untold)).or_default(),
        };
        counts.0[column as usize] += events;
    }

    pub(crate) fn groups(&self) -> impl Iterator<Item = (&Group, &Counts)> {
        self.0.iter()
    }

    /// The sums of all groups.
    pub(crate) fn totals(&self) -> Counts {
        let mut totals = Counts::default();
        self.0.values().for_each(|counts| totals.add(counts));
        totals
    }

    /// The stored form; nothing at all when nothing is counted.
    pub(crate) fn encode(&self) -> Vec<u8> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let mut out = vec![FORMAT];
        for (Group { source, hour }, counts) in &self.0 {
            let source = &source[..source.floor_char_boundary(usize::from(u8::MAX))];
            out.push(source.len() as u8);
            out.extend_from_slice(source.as_bytes());
            out.extend_from_slice(&hour.to_le_bytes());
            counts.0.iter().for_each(|count| put_varint(&mut out, *count));
        }
        out
    }

    /// Reads the stored form; nothing when it is damaged or of a newer format.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Tally> {
        let mut tally = Tally::default();
        let Some((format, mut rest)) = bytes.split_first() else { return Some(tally) };
        if *format != FORMAT {
            return None;
        }
        while let Some((length, after)) = rest.split_first() {
            let (source, after) = after.split_at_checked(usize::from(*length))?;
            let (hour, after) = after.split_first_chunk::<4>()?;
            rest = after;
            let mut counts = Counts::default();
            for count in &mut counts.0 {
                *count = take_varint(&mut rest)?;
            }
            let group = Group { source: std::str::from_utf8(source).ok()?.into(), hour: i32::from_le_bytes(*hour) };
            tally.0.entry(group).or_default().add(&counts);
        }
        Some(tally)
    }
}

fn put_varint(out: &mut Vec<u8>, count: i64) {
    let mut left = ((count << 1) ^ (count >> 63)) as u64;
    while left >= 0x80 {
        out.push(left as u8 | 0x80);
        left >>= 7;
    }
    out.push(left as u8);
}

fn take_varint(bytes: &mut &[u8]) -> Option<i64> {
    let (mut value, mut shift) = (0_u64, 0);
    loop {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some((value >> 1) as i64 ^ -((value & 1) as i64));
        }
        shift += 7;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(source: &str, hour: i32) -> Group {
        Group { source: source.into(), hour }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let mut tally = Tally::default();
        tally.add(Some(&group("site", 498_680)), Column::Delivered, 3_000_000_000);
        tally.add(Some(&group("site", 498_680)), Column::Dead, -2);
        tally.add(Some(&group("größe", -1)), Column::Parked, i64::MIN);
        tally.add(None, Column::Expired, i64::MAX);
        let bytes = tally.encode();
        assert_eq!(Tally::decode(&bytes), Some(tally));
        for length in 1..bytes.len() {
            // Cut between two groups it is a shorter tally; never a panic.
            _ = Tally::decode(&bytes[..length]);
        }
    }

    #[test]
    fn the_first_format_stays_readable() {
        let sample = b"\x01\x04site\xf8\x9b\x07\x00\x14\x00\x02\x00\x03\x00\x80\x01\x00\x00\x00\x00\x00\x0a\x00\x00\x00\x00\x00\x00";
        let mut tally = Tally::default();
        tally.add(Some(&group("site", 498_680)), Column::Delivered, 10);
        tally.add(Some(&group("site", 498_680)), Column::Duplicates, 1);
        tally.add(Some(&group("site", 498_680)), Column::Dead, -2);
        tally.add(Some(&group("site", 498_680)), Column::Parked, 64);
        tally.add(None, Column::Delivered, 5);
        assert_eq!(Tally::decode(sample), Some(tally));
        assert_eq!(Tally::decode(b"\x02"), None, "a newer one is not guessed at");
        assert_eq!(Tally::decode(b""), Some(Tally::default()));
        assert_eq!(Tally::default().encode(), b"");
    }

    #[test]
    fn sums_are_over_all_groups() {
        let mut tally = Tally::default();
        tally.add(Some(&group("a", 1)), Column::Delivered, 3);
        tally.add(None, Column::Delivered, 4);
        tally.add(Some(&group("b", 1)), Column::Dead, -1);
        let totals = tally.totals();
        assert_eq!((totals.of(Column::Delivered), totals.of(Column::Dead), totals.sum()), (7, -1, 6));
    }

    #[test]
    fn hours_are_counted_from_1970_also_before_it() {
        assert_eq!([0, 3_599_999, 3_600_000, -1].map(Group::hour_of), [0, 0, 1, -1]);
        assert_eq!(Group::hour_of(i64::MAX), i32::MAX);
    }
}
