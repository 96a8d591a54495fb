//! One event of the log, by its place.

use super::{Log, reader};
use crate::Error;
use pintle_events::{EventRef, Position};

impl Log {
    /// The event at this place, as `read` reads it; nothing when the log has it no more.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn event<T>(&self, at: Position, read: impl FnOnce(&EventRef<'_>) -> T) -> Result<Option<T>, Error> {
        if let Some(chunk) = self.inner.tail.get(at.lane, at.seq) {
            return Ok((at.idx < chunk.events()).then(|| read(&chunk.event(at.idx))));
        }
        for segment in self.inner.segments.holding(at.lane, at.seq) {
            let mut connection = self.inner.store.pool().acquire().await?;
            let mut found = reader::read_chunks(&mut connection, segment, at.lane, at.seq, at.seq).await?;
            if let Some(chunk) = found.pop_front() {
                return Ok((at.idx < chunk.events()).then(|| read(&chunk.event(at.idx))));
            }
        }
        Ok(None)
    }
}
