//! The books on a real Postgres: they balance at every moment, whatever happens to the events in between.

#![allow(clippy::unwrap_used, reason = "in a test the line is the message, also in a function that tests share")]

mod cluster;

use cluster::Cluster;
use pintle_events::{Frame, Position};
use pintle_store::lease::Lease;
use pintle_store::ledger::{self, Filter, Group, Row};
use pintle_store::log::{Chunk, Log, Reader, Services};
use pintle_store::settle::{DeadLetter, Fate, Parked, Passed, Settlement, Stage, Ticket, Tracker};
use pintle_store::{Config, Store, dead_letters, revisions};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};
use tokio_util::sync::CancellationToken;

/// How long something may take on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(120);

struct Node {
    store: Store,
    log: Log,
    settlement: Settlement,
    stop: CancellationToken,
    tasks: Vec<tokio::task::JoinHandle<()>>,
    /// Trackers that know their sources.
    told: Vec<Arc<Tracker>>,
}

impl Node {
    async fn start(cluster: &Cluster, config: Config) -> Node {
        Node::start_with(cluster, config, &[]).await
    }

    /// With destinations that are known to get the events of a source before anything is tidied up.
    async fn start_with(cluster: &Cluster, config: Config, routes: &[(&str, &str)]) -> Node {
        let store = Store::open(cluster.options(), config).await.unwrap();
        let lease = Lease::acquire(&store, true).await.unwrap();
        let (settlement, flusher) = Settlement::new(store.clone(), lease);
        let (log, mut services) = Log::open(&store, lease, &settlement, None).await.unwrap();
        let mut told = Vec::new();
        for (destination, source) in routes {
            let tracker = settlement.tracker(destination).await.unwrap();
            tracker.set_scope([(*source).to_owned()].into(), None);
            told.push(tracker);
        }
        let stop = CancellationToken::new();
        let lanes = Services::run_lanes(services.take_lanes());
        let (flusher, janitor) = (flusher.run(stop.clone()), services.janitor.run(stop.clone()));
        let tasks = vec![
            tokio::spawn(async move { lanes.await.unwrap() }),
            tokio::spawn(async move { flusher.await.unwrap() }),
            tokio::spawn(janitor),
        ];
        Node { store, log, settlement, stop, tasks, told }
    }

    /// A destination that begins now, behind everything that is in the log.
    async fn add_destination(&self, cluster: &Cluster, id: &'static str) -> Arc<Tracker> {
        cluster.add_destination(id).await;
        for (lane, head) in self.log.heads() {
            cluster.add_cursor(id, lane, head + 1).await;
        }
        ledger::open(&self.store, id).await.unwrap();
        self.settlement.tracker(id).await.unwrap()
    }

    /// Events of a source, received so many hours ago.
    async fn append(&self, source_id: &str, hours_ago: i64, ids: std::ops::Range<u32>) {
        let received_at_ms = UNIX_EPOCH.elapsed().unwrap().as_millis() as i64 - hours_ago * ledger::HOUR_MS;
        let mut batch = self.log.batch();
        for id in ids {
            let (message_id, user_id) = (format!("{source_id}-{id}"), format!("u{}", id % 7));
            batch.push(&frame(source_id, received_at_ms, &message_id, &user_id));
        }
        self.log.append(batch).await.unwrap();
    }

    async fn look(&self) -> Vec<Row> {
        let rows = ledger::look(&self.store, &Filter::default()).await.unwrap();
        let wrong: Vec<&Row> = rows.iter().filter(|row| row.off() != 0).collect();
        assert!(wrong.is_empty(), "these do not balance: {wrong:#?}");
        rows
    }

    /// The sum of a destination's rows.
    async fn sum(&self, destination: &str) -> Row {
        let rows = self.look().await;
        let own = rows.into_iter().filter(|row| row.destination == destination);
        own.fold(Row::default(), |sum, row| Row {
            accepted: sum.accepted + row.accepted,
            delivered: sum.delivered + row.delivered,
            filtered: sum.filtered + row.filtered,
            duplicates: sum.duplicates + row.duplicates,
            unrouted: sum.unrouted + row.unrouted,
            dead: sum.dead + row.dead,
            expired: sum.expired + row.expired,
            parked: sum.parked + row.parked,
            pending: sum.pending + row.pending,
            ..Row::default()
        })
    }

    async fn wait_for_segments(&self, enough: impl Fn(usize) -> bool) {
        let until = Instant::now() + PATIENCE;
        while !enough(self.log.status().segments) {
            assert!(Instant::now() < until, "{:?}", self.log.status());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn stop(mut self) {
        self.told.clear();
        self.log.close();
        let mut tasks = self.tasks.into_iter();
        tasks.next().unwrap().await.unwrap();
        self.stop.cancel();
        for task in tasks {
            task.await.unwrap();
        }
        self.store.close().await;
    }
}

fn frame<'a>(source_id: &'a str, received_at_ms: i64, message_id: &'a str, user_id: &'a str) -> Frame<'a> {
    Frame {
        source_id,
        received_at_ms,
        request_ip: "127.0.0.1",
        message_id,
        user_id,
        anonymous_id: "",
        event_type: "track",
        forced_kind: None,
        message_id_added: false,
        received_at_added: true,
        request_ip_added: true,
        times: pintle_events::Times::default(),
        raw: b"{}",
    }
}

async fn next(reader: &mut Reader) -> Arc<Chunk> {
    tokio::time::timeout(PATIENCE, reader.next()).await.expect("events come").unwrap()
}

fn letter(chunk: &Chunk, position: Position) -> DeadLetter {
    parked(chunk, position).dead("refused")
}

fn parked(chunk: &Chunk, position: Position) -> Parked {
    let event = chunk.event(position.idx);
    Parked {
        position,
        output: 0,
        key_hash: event.key_hash(),
        source_id: event.source_id.to_owned(),
        message_id: event.message_id.to_owned(),
        event_type: event.event_type.to_owned(),
        connection_id: "c".to_owned(),
        attempt: 1,
        next_at_ms: 0,
        last_error: "503".to_owned(),
        requests_done: 0,
        payload: "{}".into(),
        first_failed_at_ms: 0,
    }
}

/// Settles what it reads in every way there is, in no order, until it has read so many events; leaves some open.
async fn settle(tracker: &Arc<Tracker>, reader: &mut Reader, mut random: StdRng, events: usize) -> u64 {
    let (mut seen, mut left_open) = (0, 0);
    let mut waiting: Vec<Parked> = Vec::new();
    while seen < events {
        let chunk = next(reader).await;
        let settled = tracker.begin(chunk.lane, chunk.seq, chunk.groups()).await.unwrap();
        seen += settled.len();
        let open = (0..chunk.events()).filter(|idx| !settled[*idx as usize]);
        let mut open: Vec<u32> = open.collect();
        let copies: Vec<u32> = open.iter().copied().filter(|idx| chunk.is_duplicate(*idx)).collect();
        open.retain(|idx| !chunk.is_duplicate(*idx));
        tracker.pass(chunk.lane, chunk.seq, copies.into_iter(), Passed::Duplicate);
        while !open.is_empty() {
            let idx = open.swap_remove(random.random_range(0..open.len()));
            let position = Position { lane: chunk.lane, seq: chunk.seq, idx };
            let ticket = Ticket::new(tracker.clone(), vec![position], vec![0]);
            match random.random_range(0..10) {
                0 => tracker.pass(chunk.lane, chunk.seq, std::iter::once(idx), Passed::NotRouted),
                1 => ticket.settle(0, Fate::Filtered { reason: "rule".into() }),
                2 => ticket.settle(0, Fate::Dead(letter(&chunk, position))),
                3 => {
                    let parked = parked(&chunk, position);
                    waiting.push(parked.clone());
                    ticket.settle(0, Fate::Parked(parked));
                }
                4 if left_open < 50 => left_open += 1,
                _ => ticket.settle(0, Fate::Delivered),
            }
            if !waiting.is_empty() && random.random_bool(0.2) {
                let parked = waiting.swap_remove(random.random_range(0..waiting.len()));
                let is_dead = random.random_bool(0.5);
                tracker.unpark(&parked, if is_dead { Fate::Dead(parked.dead("late")) } else { Fate::Delivered });
            }
            tokio::task::yield_now().await;
        }
    }
    left_open
}

#[tokio::test(flavor = "multi_thread")]
async fn the_books_balance_at_every_moment_while_events_flow() {
    let seed = std::env::var("PINTLE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20);
    eprintln!("PINTLE_SEED={seed}");
    let cluster = Cluster::start().await;
    // Folds at every other flush, seals all the time, and drops what is settled at once.
    let config = Config {
        ledger_fold_interval: Duration::from_millis(100),
        segment_bytes_max: NonZeroU64::new(1).unwrap(),
        replay_window: Duration::ZERO,
        ..Config::default()
    };
    let node = Node::start(&cluster, config.clone()).await;
    node.append("a", 0, 0..100).await;
    let late = node.add_destination(&cluster, "late").await;
    cluster.add_destination("whole").await;
    ledger::open(&node.store, "whole").await.unwrap();
    let whole = node.settlement.tracker("whole").await.unwrap();
    assert_eq!(node.sum("late").await, Row::default(), "it owes nothing that came before it");
    assert_eq!(node.sum("whole").await.pending, 100);

    let mut readers = [node.log.reader(late.next_chunks()), node.log.reader(whole.next_chunks())];
    let [late_reader, whole_reader] = &mut readers;
    let posts = async {
        for round in 0..40_u32 {
            let from = 1_000 + round * 50;
            // The last ten are copies of the round before.
            node.append("a", i64::from(round % 3), from..from + 60).await;
            node.append("b", i64::from(round % 2), from..from + 20).await;
        }
    };
    let done = CancellationToken::new();
    let looks = async {
        let mut looks = 0;
        while !done.is_cancelled() || looks < 3 {
            node.look().await;
            looks += 1;
        }
    };
    let work = async {
        let random = StdRng::seed_from_u64(seed);
        let other = StdRng::seed_from_u64(seed + 1);
        let (.., late_open, whole_open) = tokio::join!(
            posts,
            settle(&late, late_reader, random, 40 * 80),
            settle(&whole, whole_reader, other, 40 * 80 + 100)
        );
        done.cancel();
        (late_open, whole_open)
    };
    let (_, (late_open, whole_open)) = tokio::join!(looks, work);
    node.settlement.flush().await;
    let sum = node.sum("late").await;
    assert_eq!((sum.accepted, sum.pending as u64), (40 * 80, late_open));
    assert!(sum.duplicates >= 39 * 10, "{sum:?}");
    assert_eq!(node.sum("whole").await.pending as u64, whole_open);
    let books = late.books();
    assert_eq!((sum.delivered as u64, sum.dead as u64, sum.parked as u64), (books.delivered, books.dead, books.parked));
    let before = node.look().await;
    drop((readers, late, whole));
    node.stop().await;

    let node = Node::start(&cluster, config).await;
    let mut after = node.look().await;
    after.retain(|row| row.accepted != 0);
    assert_eq!(before, after, "a restart changes nothing");
    node.stop().await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_expires_is_counted_also_for_a_destination_that_never_ran() {
    let cluster = Cluster::start().await;
    let config = Config {
        segment_bytes_max: NonZeroU64::new(1).unwrap(),
        replay_window: Duration::ZERO,
        log_retention: Duration::ZERO,
        ..Config::default()
    };
    let patient = Config { log_retention: Duration::from_secs(3600), ..config.clone() };
    let node = Node::start(&cluster, patient).await;
    let tracker = node.add_destination(&cluster, "d").await;
    node.add_destination(&cluster, "paused").await;
    node.append("a", 0, 0..40).await;
    node.append("b", 1, 0..10).await;
    let mut reader = node.log.reader(tracker.next_chunks());
    let mut delivered = 0;
    while delivered < 5 {
        let chunk = next(&mut reader).await;
        tracker.begin(chunk.lane, chunk.seq, chunk.groups()).await.unwrap();
        for idx in (0..chunk.events()).filter(|idx| chunk.event(*idx).source_id == "a").take(5 - delivered) {
            let position = Position { lane: chunk.lane, seq: chunk.seq, idx };
            Ticket::new(tracker.clone(), vec![position], vec![0]).settle(0, Fate::Delivered);
            delivered += 1;
        }
    }
    node.settlement.flush().await;
    assert_eq!(node.sum("d").await.pending, 45);
    drop((reader, tracker));
    node.stop().await;

    let node = Node::start_with(&cluster, config, &[("d", "a")]).await;
    let until = Instant::now() + PATIENCE;
    while node.sum("d").await.pending + node.sum("paused").await.pending > 0 {
        assert!(Instant::now() < until, "{:#?}", node.look().await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let sum = node.sum("d").await;
    assert_eq!((sum.delivered, sum.expired, sum.unrouted), (5, 35, 10));
    assert_eq!(node.sum("paused").await.expired, 50, "nobody has told it whose events are its own");
    let ranges = dead_letters::ranges(&node.store).await.unwrap();
    let of = |id: &str| ranges.iter().filter(|range| range.destination == id).map(|range| range.events).sum::<i64>();
    assert_eq!((of("d"), of("paused")), (35, 50));
    node.wait_for_segments(|segments| segments <= 2).await;
    assert_eq!(node.sum("d").await, sum, "what is dropped stays counted");
    node.stop().await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_ends_and_begins_again_owes_each_time_what_came_meanwhile() {
    let cluster = Cluster::start().await;
    let node = Node::start(&cluster, Config::default()).await;
    let tracker = node.add_destination(&cluster, "d").await;
    node.append("a", 0, 0..10).await;
    let mut reader = node.log.reader(tracker.next_chunks());
    settle(&tracker, &mut reader, StdRng::seed_from_u64(1), 10).await;
    // Accepted after the runner has looked for the last time: it does not owe them any more.
    node.append("a", 0, 10..30).await;
    node.settlement.flush().await;
    let pending = node.sum("d").await.pending;
    assert!(pending >= 20);
    revisions::deactivate(&node.store, "d").await.unwrap();
    node.settlement.forget("d");
    let ended = node.sum("d").await;
    assert_eq!((ended.accepted, ended.pending), (30 - pending, 0));
    node.append("a", 0, 30..60).await;
    assert_eq!(node.sum("d").await, ended, "nothing of what comes now is its own");

    cluster.meddle("UPDATE destinations SET active = true, opened = false").await;
    for (lane, head) in node.log.heads() {
        cluster.add_cursor("d", lane, head + 1).await;
    }
    assert_eq!(node.sum("d").await, ended, "before anybody has worked out where it begins");
    ledger::open(&node.store, "d").await.unwrap();
    assert_eq!(node.sum("d").await, ended);
    node.append("a", 0, 60..67).await;
    let again = node.sum("d").await;
    assert_eq!((again.accepted, again.pending), (ended.accepted + 7, 7));
    drop((reader, tracker));
    node.stop().await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retried_dead_letter_moves_in_the_books_and_what_is_missing_is_seen() {
    let cluster = Cluster::start().await;
    let config = Config { ledger_fold_interval: Duration::ZERO, ..Config::default() };
    let node = Node::start(&cluster, config).await;
    let tracker = node.add_destination(&cluster, "d").await;
    node.append("a", 0, 0..1).await;
    let chunk = next(&mut node.log.reader(tracker.next_chunks())).await;
    tracker.begin(chunk.lane, chunk.seq, chunk.groups()).await.unwrap();
    let position = Position { lane: chunk.lane, seq: chunk.seq, idx: 0 };
    Ticket::new(tracker.clone(), vec![position], vec![0]).settle(0, Fate::Dead(letter(&chunk, position)));
    node.settlement.flush().await;
    assert_eq!(node.sum("d").await.dead, 1);
    let stored = dead_letters::list(&node.store, &dead_letters::Filter::default(), 1).await.unwrap().remove(0);
    assert_eq!(stored.hour, chunk.groups().of(0).map(|group| group.hour));
    assert_eq!(stored.letter.stage, Stage::Delivery);
    let claim = tracker.claim(stored.id).unwrap();
    let revived = tracker.revive(&claim, &stored, false, 0);
    node.settlement.flush().await;
    let sum = node.sum("d").await;
    assert_eq!((sum.dead, sum.parked), (0, 1));
    tracker.unpark(&revived, Fate::Delivered);
    node.settlement.flush().await;
    let sum = node.sum("d").await;
    assert_eq!((sum.dead, sum.parked, sum.delivered), (0, 0, 1));

    assert_eq!(cluster.meddle("DELETE FROM ledger_settled").await, 1);
    let rows = ledger::look(&node.store, &Filter::default()).await.unwrap();
    assert_eq!(rows.iter().map(Row::off).collect::<Vec<_>>(), [1]);
    let other = Filter { source: Some("b".to_owned()), ..Filter::default() };
    assert!(ledger::look(&node.store, &other).await.unwrap().is_empty());
    let later = Filter { since_hour: Some(rows[0].hour + 1), ..Filter::default() };
    assert!(ledger::look(&node.store, &later).await.unwrap().is_empty());
    let until = Filter { until_hour: Some(rows[0].hour + 1), destination: Some("d".to_owned()), ..Filter::default() };
    assert_eq!(ledger::look(&node.store, &until).await.unwrap(), rows);
    assert_eq!(rows[0].hour, Group::hour_of(chunk.event(0).received_at_ms));
    node.stop().await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_between_sealing_a_segment_and_writing_down_what_it_holds_loses_nothing() {
    let cluster = Cluster::start().await;
    let config = Config { segment_bytes_max: NonZeroU64::new(1).unwrap(), ..Config::default() };
    let node = Node::start(&cluster, config.clone()).await;
    node.add_destination(&cluster, "d").await;
    node.append("a", 0, 0..30).await;
    node.wait_for_segments(|segments| segments >= 2).await;
    node.stop().await;
    assert!(cluster.meddle("DELETE FROM segment_lanes").await > 0);
    cluster.meddle("DELETE FROM segment_accepted").await;
    let node = Node::start(&cluster, config).await;
    assert_eq!(node.log.status().accepted, 30);
    assert_eq!(node.sum("d").await.pending, 30);
    let tracker = node.settlement.tracker("d").await.unwrap();
    let mut reader = node.log.reader(tracker.next_chunks());
    let mut read = 0;
    while read < 30 {
        read += next(&mut reader).await.events();
    }
    drop((reader, tracker));
    node.stop().await;
    cluster.stop().await;
}
