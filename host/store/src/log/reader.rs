//! Reads the log for one destination, in order.

use super::chunk::Chunk;
use super::{Inner, front, segment};
use crate::Error;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use tokio::sync::watch;

/// Pieces that one read of the table fetches, at least a whole chunk: about 2 MB stored.
const READ_PIECES: i64 = 256;

/// Reads the log from a position on.
///
/// Closed lanes come first, merged by `ord`. Then the lanes of this process, which need no merging: an
/// ordering key is always in the same one.
#[derive(Debug)]
pub struct Reader {
    inner: Arc<Inner>,
    id: u64,
    next: BTreeMap<i64, i64>,
    /// The last chunk of each lane that is read; of lanes that are not named none is. Without it there is no end.
    ends: Option<BTreeMap<i64, i64>>,
    fetched: BTreeMap<i64, VecDeque<Arc<Chunk>>>,
    commits: watch::Receiver<u64>,
    turn: usize,
}

impl Reader {
    pub(super) fn new(inner: Arc<Inner>, next: BTreeMap<i64, i64>, ends: Option<BTreeMap<i64, i64>>) -> Reader {
        let id = inner.tail.join();
        let commits = inner.tail.commits();
        let reader = Reader { inner, id, next, ends, fetched: BTreeMap::new(), commits, turn: 0 };
        for lane in reader.inner.live {
            // For one with an end nothing is kept in memory: that is for those who follow the log.
            let wants = if reader.ends.is_some() { i64::MAX } else { reader.wants(lane) };
            reader.inner.tail.passed(id, lane, wants);
        }
        reader
    }

    /// The next chunk; waits until there is one. Dropping the future loses nothing.
    ///
    /// # Errors
    /// When the database does not answer; calling again tries again.
    pub async fn next(&mut self) -> Result<Arc<Chunk>, Error> {
        loop {
            if let Some(chunk) = self.next_ready().await? {
                return Ok(chunk);
            }
            if self.commits.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// The next chunk, if one is committed.
    ///
    /// # Errors
    /// When the database does not answer; calling again tries again.
    pub async fn next_ready(&mut self) -> Result<Option<Arc<Chunk>>, Error> {
        self.inner.tail.ready().await;
        self.commits.mark_unchanged();
        if let Some(chunk) = self.next_closed().await? {
            return Ok(Some(chunk));
        }
        let heads = self.inner.tail.heads();
        for _ in 0..self.inner.live.len() {
            self.turn = (self.turn + 1) % self.inner.live.len();
            let lane = self.inner.live[self.turn];
            let head = self.end(lane, heads.get(&lane).copied().unwrap_or_default());
            if self.wants(lane) > head {
                continue;
            }
            let chunk = match self.inner.tail.get(lane, self.wants(lane)) {
                Some(chunk) => {
                    // The tail has the rest of what was fetched as well. Kept, it would be handed out a second
                    // time should the tail run away from this reader again.
                    self.fetched.remove(&lane);
                    Some(chunk)
                }
                None => self.fetch(lane, head).await?.then(|| self.fetched.get_mut(&lane)?.pop_front()).flatten(),
            };
            if let Some(chunk) = chunk {
                self.has_read(chunk.lane, chunk.seq);
                return Ok(Some(chunk));
            }
        }
        Ok(None)
    }

    /// Whether everything up to these heads has been read.
    #[must_use]
    pub fn has_passed(&self, heads: &BTreeMap<i64, i64>) -> bool {
        heads.iter().all(|(lane, head)| self.wants(*lane) > *head)
    }

    async fn next_closed(&mut self) -> Result<Option<Arc<Chunk>>, Error> {
        let unfinished: Vec<(i64, i64)> = self
            .inner
            .closed
            .iter()
            .map(|(lane, head)| (*lane, self.end(*lane, *head)))
            .filter(|(lane, head)| self.wants(*lane) <= *head)
            .collect();
        let mut oldest: Option<(i64, i64)> = None;
        for (lane, head) in unfinished {
            if self.fetched.get(&lane).is_none_or(VecDeque::is_empty) && !self.fetch(lane, head).await? {
                continue;
            }
            if let Some(front) = self.fetched.get(&lane).and_then(VecDeque::front)
                && oldest.is_none_or(|(ord, _)| front.ord < ord)
            {
                oldest = Some((front.ord, lane));
            }
        }
        let Some((_, lane)) = oldest else { return Ok(None) };
        let chunk = self.fetched.get_mut(&lane).and_then(VecDeque::pop_front);
        if let Some(chunk) = &chunk {
            self.has_read(chunk.lane, chunk.seq);
        }
        Ok(chunk)
    }

    /// Reads a lane's next chunks from the table. False when they are gone: then the lane is passed.
    async fn fetch(&mut self, lane: i64, head: i64) -> Result<bool, Error> {
        if self.fetched.get(&lane).is_some_and(|fetched| !fetched.is_empty()) {
            return Ok(true);
        }
        let from = self.wants(lane);
        for segment in self.inner.segments.holding(lane, from) {
            let chunks = self.read(segment, lane, from, head).await?;
            if !chunks.is_empty() {
                self.fetched.insert(lane, chunks);
                return Ok(true);
            }
        }
        // Expired: the janitor has written the dead-letter range before it dropped the segment.
        self.has_read(lane, head);
        Ok(false)
    }

    async fn read(&self, segment: i64, lane: i64, from: i64, head: i64) -> Result<VecDeque<Arc<Chunk>>, Error> {
        Ok(read_marked(&self.inner, segment, lane, from, head).await?.into_iter().map(Arc::new).collect())
    }

    /// Up to where a lane is read that goes up to `head`.
    fn end(&self, lane: i64, head: i64) -> i64 {
        self.ends.as_ref().map_or(head, |ends| head.min(ends.get(&lane).copied().unwrap_or(0)))
    }

    fn wants(&self, lane: i64) -> i64 {
        self.next.get(&lane).copied().unwrap_or(1)
    }

    fn has_read(&mut self, lane: i64, last: i64) {
        self.next.insert(lane, last + 1);
        if self.ends.is_none() {
            self.inner.tail.passed(self.id, lane, last + 1);
        }
    }
}

/// The same as [`read_chunks`], and which of their events are copies.
pub(super) async fn read_marked(
    inner: &Inner,
    segment: i64,
    lane: i64,
    from: i64,
    head: i64,
) -> Result<VecDeque<Chunk>, Error> {
    let mut connection = inner.store.pool().acquire().await?;
    let mut chunks = read_chunks(&mut connection, segment, lane, from, head).await?;
    drop(connection);
    if let (Some(first), Some(last)) = (chunks.front().map(|c| c.seq), chunks.back().map(|c| c.seq)) {
        let mut marked = front::duplicates(&inner.store, lane, first..=last).await?;
        for chunk in &mut chunks {
            chunk.mark(marked.remove(&chunk.seq).unwrap_or_default());
        }
    }
    Ok(chunks)
}

/// The first chunks of a lane that a segment has of this range, as they are stored; none when it is gone.
pub(crate) async fn read_chunks(
    connection: &mut PgConnection,
    segment: i64,
    lane: i64,
    from: i64,
    head: i64,
) -> Result<VecDeque<Chunk>, Error> {
    let statement = format!(
        "SELECT seq, ord, data FROM {} WHERE lane = $1 AND seq >= $2 AND seq <= $3 ORDER BY seq, piece LIMIT $4",
        segment::table(segment)
    );
    let mut limit = READ_PIECES;
    loop {
        let rows = sqlx::query(AssertSqlSafe(statement.as_str()))
            .bind(lane)
            .bind(from)
            .bind(head)
            .bind(limit)
            .fetch_all(&mut *connection)
            .await;
        let rows = match rows {
            Ok(rows) => rows,
            // Dropped between our look at the list and the query.
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42P01") => {
                return Ok(VecDeque::new());
            }
            Err(error) => return Err(error.into()),
        };
        let fetched = rows.len() as i64;
        let mut chunks = VecDeque::new();
        let mut rows = rows.into_iter().peekable();
        while let Some(row) = rows.next() {
            let (seq, ord): (i64, i64) = (row.get(0), row.get(1));
            let mut stored: Vec<u8> = row.get(2);
            while let Some(more) = rows.next_if(|row| row.get::<i64, _>(0) == seq) {
                stored.extend_from_slice(more.get::<&[u8], _>(2));
            }
            let whole = Chunk::stored_length(&stored).is_none_or(|length| stored.len() >= length);
            if !whole && rows.peek().is_none() && fetched == limit {
                break; // Its last pieces are beyond the limit.
            }
            chunks.push_back(Chunk::decode(lane, seq, ord, &stored)?);
        }
        if !chunks.is_empty() || fetched < limit {
            return Ok(chunks);
        }
        limit *= 4;
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.inner.tail.leave(self.id);
    }
}
