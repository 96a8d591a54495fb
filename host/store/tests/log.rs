//! The event log on a real Postgres: what is committed is read, in order, whatever happened in between.

#![allow(clippy::unwrap_used, reason = "in a test the line is the message, also in a function that tests share")]

mod cluster;

use cluster::Cluster;
use pintle_events::Frame;
use pintle_store::lease::Lease;
use pintle_store::log::search::Wanted;
use pintle_store::log::{Log, Reader, Refused, Services};
use pintle_store::settle::{Fate, Settlement, Ticket};
use pintle_store::{Config, Store};
use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A process of its own as far as the database can tell: its own lease, lanes and services.
struct Node {
    store: Store,
    log: Log,
    settlement: Settlement,
    stop: CancellationToken,
    lanes: tokio::task::JoinHandle<Result<(), pintle_store::Error>>,
    flusher: tokio::task::JoinHandle<Result<(), pintle_store::Error>>,
    janitor: tokio::task::JoinHandle<()>,
}

impl Node {
    async fn start(cluster: &Cluster, config: Config) -> Node {
        let store = Store::open(cluster.options(), config).await.unwrap();
        let lease = Lease::acquire(&store, true).await.unwrap();
        let (settlement, flusher) = Settlement::new(store.clone(), lease);
        let (log, mut services) = Log::open(&store, lease, &settlement, None).await.unwrap();
        let stop = CancellationToken::new();
        let lanes = tokio::spawn(Services::run_lanes(services.take_lanes()));
        let flusher = tokio::spawn(flusher.run(stop.clone()));
        let janitor = tokio::spawn(services.janitor.run(stop.clone()));
        Node { store, log, settlement, stop, lanes, flusher, janitor }
    }

    async fn append(&self, user: &str, number: u32) -> Result<(), Refused> {
        let raw = format!("{{\"userId\":\"{user}\",\"n\":{number}}}");
        let mut batch = self.log.batch();
        batch.push(&frame(user, &format!("{user}-{number}"), raw.as_bytes()));
        self.log.append(batch).await
    }

    /// Events of one user with these message ids, in one request.
    async fn append_ids(&self, source_id: &str, user: &str, ids: &[&str]) {
        let mut batch = self.log.batch();
        for id in ids {
            let received_at_ms = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() as i64;
            batch.push(&Frame { source_id, received_at_ms, ..frame(user, id, b"{}") });
        }
        self.log.append(batch).await.unwrap();
    }

    async fn stop(self) {
        self.log.close();
        self.lanes.await.unwrap().unwrap();
        self.stop.cancel();
        self.flusher.await.unwrap().unwrap();
        self.janitor.await.unwrap();
        self.store.close().await;
    }
}

fn frame<'a>(user: &'a str, message_id: &'a str, raw: &'a [u8]) -> Frame<'a> {
    Frame {
        source_id: "s",
        received_at_ms: 1_700_000_000_000,
        request_ip: "127.0.0.1",
        message_id,
        user_id: user,
        anonymous_id: "",
        event_type: "track",
        forced_kind: None,
        message_id_added: false,
        received_at_added: true,
        request_ip_added: true,
        times: pintle_events::Times::default(),
        raw,
    }
}

/// Reads `count` events and gives their message ids per user.
async fn read(reader: &mut Reader, count: usize) -> BTreeMap<String, Vec<String>> {
    let mut users: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut seen = 0;
    while seen < count {
        let chunk = tokio::time::timeout(Duration::from_secs(60), reader.next()).await.expect("events come").unwrap();
        for idx in 0..chunk.events() {
            let event = chunk.event(idx);
            users.entry(event.user_id.to_owned()).or_default().push(event.message_id.to_owned());
            seen += 1;
        }
    }
    users
}

fn expected(users: u32, numbers: std::ops::Range<u32>) -> BTreeMap<String, Vec<String>> {
    (0..users).map(|u| (format!("u{u}"), numbers.clone().map(|n| format!("u{u}-{n}")).collect())).collect()
}

async fn append_all(node: &Node, users: u32, numbers: std::ops::Range<u32>) {
    let one = |user: u32| {
        let numbers = numbers.clone();
        async move {
            for number in numbers {
                // Refused before anything was taken: the client sends it again, as the answer says.
                while let Err(refused) = node.append(&format!("u{user}"), number).await {
                    assert!(matches!(refused, Refused::Unavailable { .. }), "{refused:?}");
                    tokio::task::yield_now().await;
                }
            }
        }
    };
    futures_util::future::join_all((0..users).map(one)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_committed_is_read_in_order_in_memory_from_the_table_and_after_a_restart() {
    let cluster = Cluster::start().await;
    let node = Node::start(&cluster, Config::default()).await;
    let mut early = node.log.reader(BTreeMap::new());
    append_all(&node, 20, 0..50).await;
    assert_eq!(read(&mut early, 1000).await, expected(20, 0..50), "handed over in memory");
    let mut late = node.log.reader(BTreeMap::new());
    assert_eq!(read(&mut late, 1000).await, expected(20, 0..50), "read from the table");
    node.stop().await;

    let node = Node::start(&cluster, Config::default()).await;
    append_all(&node, 20, 50..60).await;
    let mut reader = node.log.reader(BTreeMap::new());
    assert_eq!(read(&mut reader, 1200).await, expected(20, 0..60), "the old lanes first, then the new ones");
    assert_eq!(node.log.status().accepted, 1200);
    node.stop().await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_whose_backend_is_killed_loses_and_repeats_nothing() {
    let cluster = Cluster::start().await;
    let node = Node::start(&cluster, Config::default()).await;
    let killer = async {
        for _ in 0..20 {
            cluster.end_other_backends().await;
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(append_all(&node, 30, 0..100), killer);
    let mut reader = node.log.reader(BTreeMap::new());
    assert_eq!(read(&mut reader, 3000).await, expected(30, 0..100));
    node.stop().await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_owner_can_neither_append_nor_settle() {
    let cluster = Cluster::start().await;
    let old = Node::start(&cluster, Config::default()).await;
    old.append("u", 1).await.unwrap();
    let new = Node::start(&cluster, Config::default()).await;
    assert_eq!(old.append("u", 2).await, Err(Refused::Closed));
    assert!(matches!(old.lanes.await.unwrap(), Err(pintle_store::Error::Fenced)));
    new.append("u", 3).await.unwrap();
    let mut reader = new.log.reader(BTreeMap::new());
    assert_eq!(read(&mut reader, 2).await["u"], ["u-1", "u-3"]);
    old.stop.cancel();
    new.stop().await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settled_segments_are_dropped_when_the_log_is_full_and_unsettled_ones_are_kept() {
    let cluster = Cluster::start().await;
    let config = Config { log_bytes_max: NonZeroU64::new(1 << 20), ..Config::default() };
    let node = Node::start(&cluster, config).await;
    cluster.add_destination("d").await;
    let tracker = node.settlement.tracker("d").await.unwrap();
    let mut accepted = 0;
    let full = loop {
        match node.append(&format!("u{}", accepted % 7), accepted).await {
            Ok(()) => accepted += 1,
            Err(refused) => break refused,
        }
    };
    assert!(matches!(full, Refused::Full { limit: "log-bytes-max", .. }), "{full:?}");
    let mut reader = node.log.reader(tracker.next_chunks());
    let mut seen = 0;
    while seen < accepted {
        let chunk = reader.next().await.unwrap();
        for (idx, settled) in
            tracker.begin(chunk.lane, chunk.seq, chunk.groups()).await.unwrap().into_iter().enumerate()
        {
            assert!(!settled);
            let position = pintle_events::Position { lane: chunk.lane, seq: chunk.seq, idx: idx as u32 };
            Ticket::new(tracker.clone(), vec![position], vec![0]).settle(0, Fate::Delivered);
            seen += 1;
        }
    }
    node.settlement.flush().await;
    assert_eq!(tracker.books().delivered, u64::from(accepted));
    // The janitor is woken by the moved cursors; asking again is how a client would wait.
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    while let Err(refused) = node.append("u0", accepted).await {
        assert!(tokio::time::Instant::now() < deadline, "{refused:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(node.log.status().accepted, u64::from(accepted) + 1);
    node.stop().await;
    cluster.stop().await;
}

/// Reads so many events: message ids, in the order of the log, and which of them are copies.
async fn marks(reader: &mut Reader, count: usize) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    while found.len() < count {
        let chunk = tokio::time::timeout(Duration::from_secs(60), reader.next()).await.expect("events come").unwrap();
        found.extend((0..chunk.events()).map(|idx| (chunk.event(idx).message_id.to_owned(), chunk.is_duplicate(idx))));
    }
    found
}

fn marked(ids: &[(&str, bool)]) -> Vec<(String, bool)> {
    ids.iter().map(|(id, is_copy)| ((*id).to_owned(), *is_copy)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_first_copy_of_a_message_counts_for_every_reader_and_after_every_restart() {
    let cluster = Cluster::start().await;
    let node = Node::start(&cluster, Config::default()).await;
    let mut early = node.log.reader(BTreeMap::new());
    node.append_ids("s", "u", &["a", "b", "a"]).await;
    node.append_ids("s", "u", &["b", "c"]).await;
    node.append_ids("other", "u", &["a"]).await;
    let wanted = marked(&[("a", false), ("b", false), ("a", true), ("b", true), ("c", false), ("a", false)]);
    assert_eq!(marks(&mut early, 6).await, wanted, "handed over in memory");
    assert_eq!(marks(&mut node.log.reader(BTreeMap::new()), 6).await, wanted, "read from the table");
    node.stop().await;

    // What a crash has left undecided is decided at the next start, before anybody reads.
    assert_eq!(cluster.forget_duplicates().await, 2);
    let node = Node::start(&cluster, Config::default()).await;
    node.append_ids("s", "u", &["c", "d"]).await;
    let mut reader = node.log.reader(BTreeMap::new());
    let mut after = wanted.clone();
    after.extend(marked(&[("c", true), ("d", false)]));
    assert_eq!(marks(&mut reader, 8).await, after);
    node.stop().await;

    let node = Node::start(&cluster, Config { dedup_window: Duration::ZERO, ..Config::default() }).await;
    node.append_ids("s", "u", &["d"]).await;
    after.extend(marked(&[("d", false)]));
    assert_eq!(marks(&mut node.log.reader(BTreeMap::new()), 9).await, after, "switched off, what was decided stands");
    node.stop().await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_ids_survive_a_restart_whatever_the_size_of_their_chunks() {
    let cluster = Cluster::start().await;
    let node = Node::start(&cluster, Config::default()).await;
    // The list of the first chunk needs several pieces.
    let ids: Vec<String> = (0..3_000).map(|n| format!("id-{n}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    node.append_ids("s", "u", &ids).await;
    for id in &ids[..50] {
        node.append_ids("s", "v", &[&format!("v-{id}")]).await;
    }
    node.stop().await;
    let node = Node::start(&cluster, Config::default()).await;
    let mut reader = node.log.reader(node.log.heads().into_iter().map(|(lane, head)| (lane, head + 1)).collect());
    let again = [ids[0], ids[1_500], ids[2_999], "new"];
    node.append_ids("s", "w", &again).await;
    node.append_ids("s", "w", &["v-id-49"]).await;
    let copies: Vec<bool> = marks(&mut reader, 5).await.into_iter().map(|(_, is_copy)| is_copy).collect();
    assert_eq!(copies, [true, true, true, false, true]);
    node.stop().await;
    cluster.stop().await;
}

/// The positions of what a search finds, and whether each is a copy.
async fn found(node: &Node, message_id: &str, sources: &[&str]) -> Vec<(u32, bool)> {
    let sources: Vec<String> = sources.iter().map(|source| (*source).to_owned()).collect();
    let wanted = Wanted { message_id, sources: &sources, since_ms: None, until_ms: None, bytes_max: u64::MAX };
    let found = node.log.find(&wanted).await.unwrap();
    assert!(found.back_to_ms.is_none() && found.events.iter().all(|one| one.event().message_id == message_id));
    found.events.iter().map(|one| (one.position.idx, one.is_duplicate)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_found_by_its_message_id_wherever_its_chunk_lists_it() {
    let cluster = Cluster::start().await;
    // Small enough to be sealed as soon as somebody looks.
    let config = Config { segment_bytes_max: NonZeroU64::new(100).unwrap(), ..Config::default() };
    let node = Node::start(&cluster, config.clone()).await;
    // In one chunk, whose list is longer than a stored piece: 2,000 hashes take two.
    let ids: Vec<String> = (0..2_000).map(|n| format!("large-{n}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    node.append_ids("s", "u", &ids).await;
    node.append_ids("s", "u", &["small-0", "small-1"]).await;
    node.append_ids("t", "u", &["small-1"]).await;
    node.append_ids("s", "u", &["small-1"]).await;
    // The copy is written down before any reader may have it.
    read(&mut node.log.reader(BTreeMap::new()), 2_004).await;
    for (id, at) in [("large-0", 0), ("large-892", 892), ("large-893", 893), ("large-1001", 1001), ("large-1999", 1999)]
    {
        assert_eq!(found(&node, id, &["s"]).await, [(at, false)], "{id}");
    }
    assert_eq!(found(&node, "small-1", &["s"]).await, [(1, false), (0, true)]);
    assert_eq!(found(&node, "small-1", &["t"]).await, [(0, false)], "another source's event is another event");
    assert_eq!(found(&node, "small-1", &["s", "t"]).await.len(), 3);
    assert_eq!(found(&node, "small-2", &["s", "t"]).await, []);
    assert_eq!(found(&node, "small-1", &[]).await, []);
    let until = tokio::time::Instant::now() + Duration::from_secs(60);
    while node.log.status().segments < 2 {
        assert!(tokio::time::Instant::now() < until, "no segment is sealed");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    node.stop().await;

    // What former processes have written is found as well, and a search says when it stopped early.
    let node = Node::start(&cluster, config).await;
    assert_eq!(found(&node, "large-1999", &["s"]).await, [(1999, false)]);
    node.append_ids("s", "u", &["new"]).await;
    let sources = ["s".to_owned()];
    let wanted = Wanted { message_id: "large-0", sources: &sources, since_ms: None, until_ms: None, bytes_max: 1 };
    let early = node.log.find(&wanted).await.unwrap();
    assert!(early.events.is_empty() && early.back_to_ms.is_some(), "{early:?}");
    let later = Wanted { since_ms: Some(i64::MAX), bytes_max: u64::MAX, ..wanted };
    assert!(node.log.find(&later).await.unwrap().events.is_empty(), "what was sealed before is not looked at");
    node.stop().await;
}
