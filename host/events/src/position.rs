//! Where an event stands in the log.

use serde::{Deserialize, Serialize};

/// The place of one event: lane, chunk of the lane, index in the chunk.
///
/// Positions of one lane are ordered as the events were committed. Positions of different lanes say
/// nothing about each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// The lane.
    pub lane: i64,
    /// The chunk within the lane, dense from 1.
    pub seq: i64,
    /// The event within the chunk, from 0.
    pub idx: u32,
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.lane, self.seq, self.idx)
    }
}

impl std::str::FromStr for Position {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const SHAPE: &str = "a position is written lane.seq.idx, for example 3.17.0";
        let mut parts = text.split('.');
        let mut next = || parts.next().ok_or(SHAPE);
        let lane = next()?.parse().map_err(|_| SHAPE)?;
        let seq = next()?.parse().map_err(|_| SHAPE)?;
        let idx = next()?.parse().map_err(|_| SHAPE)?;
        if parts.next().is_some() {
            return Err(SHAPE);
        }
        Ok(Position { lane, seq, idx })
    }
}
