//! The newest chunks in memory, so that destinations that keep up never read the table.

use super::chunk::Chunk;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{broadcast, watch};

/// Chunks that a follower may be behind before it loses some.
const FOLLOWERS_BEHIND_MAX: usize = 64;

#[derive(Debug)]
pub(super) struct Tail {
    state: Mutex<State>,
    bytes_max: u64,
    accepted: AtomicU64,
    /// Counts releases: readers wait for it to change.
    commits: watch::Sender<u64>,
    /// Whether the front knows which of the events before this process are duplicates: nobody reads before.
    ready: watch::Sender<bool>,
    followers: broadcast::Sender<Arc<Chunk>>,
}

#[derive(Debug, Default)]
struct State {
    lanes: BTreeMap<i64, Kept>,
    /// In the order of their commits, to find the oldest.
    order: VecDeque<(i64, i64)>,
    bytes: u64,
    /// For every reader, the chunk it wants next in each live lane.
    readers: HashMap<u64, HashMap<i64, i64>>,
    last_reader: u64,
}

#[derive(Debug, Default)]
struct Kept {
    /// The last chunk that is committed.
    committed: i64,
    /// The last chunk that readers may have.
    head: i64,
    chunks: VecDeque<Arc<Chunk>>,
}

impl Tail {
    pub(super) fn new(bytes_max: u64, live: &[i64]) -> Tail {
        let state = State { lanes: live.iter().map(|lane| (*lane, Kept::default())).collect(), ..State::default() };
        Tail {
            state: Mutex::new(state),
            bytes_max,
            accepted: AtomicU64::new(0),
            commits: watch::Sender::new(0),
            ready: watch::Sender::new(false),
            followers: broadcast::Sender::new(FOLLOWERS_BEHIND_MAX),
        }
    }

    /// A chunk was committed. Readers get it when the front has looked at it.
    pub(super) fn committed(&self, lane: i64, seq: i64, events: u32) {
        self.accepted.fetch_add(u64::from(events), Ordering::Relaxed);
        self.lock().lanes.entry(lane).or_default().committed = seq;
    }

    /// The front knows the past.
    pub(super) fn set_ready(&self) {
        self.ready.send_replace(true);
    }

    /// Waits until somebody may read.
    pub(super) async fn ready(&self) {
        if !*self.ready.borrow() {
            // Its sender is this.
            _ = self.ready.subscribe().wait_for(|ready| *ready).await;
        }
    }

    /// Readers may have a chunk, which they find in the table.
    pub(super) fn release(&self, lane: i64, seq: i64) {
        {
            let mut state = self.lock();
            state.lanes.entry(lane).or_default().head = seq;
            state.forget(lane);
        }
        self.commits.send_modify(|commits| *commits += 1);
    }

    /// Readers may have a chunk, and find it here.
    pub(super) fn push(&self, chunk: Arc<Chunk>) {
        {
            let mut state = self.lock();
            let (lane, seq) = (chunk.lane, chunk.seq);
            state.bytes += chunk.bytes() as u64;
            let kept = state.lanes.entry(lane).or_default();
            kept.head = seq;
            kept.chunks.push_back(chunk.clone());
            state.order.push_back((lane, seq));
            while state.bytes > self.bytes_max || (state.readers.is_empty() && !state.order.is_empty()) {
                state.drop_oldest();
            }
        }
        if self.followers.receiver_count() > 0 {
            _ = self.followers.send(chunk);
        }
        self.commits.send_modify(|commits| *commits += 1);
    }

    pub(super) fn get(&self, lane: i64, seq: i64) -> Option<Arc<Chunk>> {
        let state = self.lock();
        let kept = state.lanes.get(&lane)?;
        let first = kept.chunks.front()?.seq;
        kept.chunks.get(usize::try_from(seq - first).ok()?).cloned()
    }

    /// What readers may have.
    pub(super) fn heads(&self) -> BTreeMap<i64, i64> {
        self.lock().lanes.iter().map(|(lane, kept)| (*lane, kept.head)).collect()
    }

    /// What is committed.
    pub(super) fn committed_heads(&self) -> BTreeMap<i64, i64> {
        self.lock().lanes.iter().map(|(lane, kept)| (*lane, kept.committed)).collect()
    }

    pub(super) fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    pub(super) fn commits(&self) -> watch::Receiver<u64> {
        self.commits.subscribe()
    }

    pub(super) fn follow(&self) -> broadcast::Receiver<Arc<Chunk>> {
        self.followers.subscribe()
    }

    pub(super) fn join(&self) -> u64 {
        let mut state = self.lock();
        state.last_reader += 1;
        let id = state.last_reader;
        state.readers.insert(id, HashMap::new());
        id
    }

    pub(super) fn leave(&self, reader: u64) {
        let mut state = self.lock();
        state.readers.remove(&reader);
        state.drop_passed();
    }

    /// A reader has taken everything before `next`.
    pub(super) fn passed(&self, reader: u64, lane: i64, next: i64) {
        let mut state = self.lock();
        if let Some(positions) = state.readers.get_mut(&reader) {
            positions.insert(lane, next);
        }
        state.drop_passed();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A chunk of the lane is missing here: those before it are no use without it.
    fn forget(&mut self, lane: i64) {
        let Some(kept) = self.lanes.get_mut(&lane) else { return };
        self.bytes -= kept.chunks.drain(..).map(|chunk| chunk.bytes() as u64).sum::<u64>();
        self.order.retain(|(of, _)| *of != lane);
    }

    fn drop_oldest(&mut self) {
        let Some((lane, _)) = self.order.pop_front() else { return };
        if let Some(chunk) = self.lanes.get_mut(&lane).and_then(|kept| kept.chunks.pop_front()) {
            self.bytes -= chunk.bytes() as u64;
        }
    }

    fn drop_passed(&mut self) {
        while let Some((lane, seq)) = self.order.front() {
            let wanted = |positions: &HashMap<i64, i64>| positions.get(lane).is_none_or(|next| next <= seq);
            if self.readers.values().any(wanted) {
                return;
            }
            self.drop_oldest();
        }
    }
}
