use super::*;
use std::num::{NonZeroU32, NonZeroUsize};

fn tracer(config: Config) -> (Tracer, mpsc::Receiver<(Step, usize)>) {
    let (waiting, queue) = mpsc::channel(WAITING_MAX);
    let (is_active, state) = (AtomicBool::new(false), RwLock::default());
    let inner = Inner { config, is_active, state, waiting, waiting_bytes: Arc::default() };
    (Tracer { inner: Arc::new(inner) }, queue)
}

fn switch(id: i64, events_max: u64) -> Switch {
    Switch {
        id,
        created_at_ms: 0,
        author: "ada".to_owned(),
        note: String::new(),
        user_id: None,
        connection: None,
        source: None,
        until_ms: i64::MAX,
        events_max,
        events_taken: 0,
        off_at_ms: None,
    }
}

fn seen(seq: i64, connection_id: &'static str) -> Seen<'static> {
    Seen {
        position: Position { lane: 1, seq, idx: 0 },
        source_id: "site",
        connection_id,
        message_id: "m",
        event_type: "track",
        user_id: "ann",
        anonymous_id: "anon-1",
        received_at_ms: 1,
    }
}

fn step(seq: i64, text: &str) -> Step {
    Step {
        at_ms: 0,
        position: Position { lane: 1, seq, idx: 0 },
        source_id: "site".to_owned(),
        message_id: "m".to_owned(),
        destination_id: "d".to_owned(),
        connection_id: "a".to_owned(),
        kind: Kind::Attempt,
        body: json!({"request": text}),
    }
}

fn waiting(queue: &mut mpsc::Receiver<(Step, usize)>) -> usize {
    std::iter::from_fn(|| queue.try_recv().ok()).count()
}

#[test]
fn without_a_switch_nothing_is_followed() {
    let (tracer, mut queue) = tracer(Config::default());
    assert!(!tracer.is_active() && !tracer.sees(&seen(1, "a")));
    assert!(!tracer.follows(seen(1, "a").position, "a"));
    assert_eq!(waiting(&mut queue), 0);
}

#[test]
fn the_next_events_are_counted_once_each_however_many_destinations_see_them() {
    let (tracer, mut queue) = tracer(Config::default());
    tracer.change(|state| state.switches.push(switch(1, 2)));
    for connection in ["a", "b", "c"] {
        assert!(tracer.sees(&seen(1, connection)) && tracer.sees(&seen(2, connection)));
    }
    assert!(!tracer.sees(&seen(3, "a")), "it was for two");
    assert!(tracer.follows(seen(2, "b").position, "b"), "they are followed to their end");
    assert_eq!(waiting(&mut queue), 2, "one first step each");
    assert_eq!(tracer.tidy(), [(1, 2)]);
    assert!(tracer.taken().is_empty(), "it has ended");
    assert!(tracer.tidy().is_empty(), "nothing has changed since");
}

#[test]
fn a_user_is_meant_by_either_id_and_a_connection_alone() {
    let (tracer, _queue) = tracer(Config::default());
    tracer.change(|state| {
        state.switches.push(Switch { user_id: Some("anon-1".to_owned()), ..switch(1, 1) });
        state.switches.push(Switch { connection: Some("a".to_owned()), ..switch(2, 9) });
        state.switches.push(Switch { user_id: Some("bob".to_owned()), ..switch(3, 9) });
        state.switches.push(Switch { source: Some("shop".to_owned()), ..switch(4, 9) });
    });
    assert!(tracer.sees(&seen(1, "b")), "by the anonymous id");
    assert!(!tracer.sees(&seen(2, "b")), "that one has ended, and the others mean other things");
    assert!(tracer.sees(&seen(2, "a")) && !tracer.sees(&seen(2, "b")), "on its connection only");
    assert!(!tracer.follows(seen(2, "b").position, "b"));
}

#[test]
fn a_switch_ends_at_its_time() {
    let (tracer, _queue) = tracer(Config::default());
    tracer.change(|state| state.switches.push(Switch { until_ms: now_ms() - 1, ..switch(1, 9) }));
    assert!(!tracer.sees(&seen(1, "a")));
    tracer.tidy();
    assert!(!tracer.is_active(), "and costs nothing any more");
}

#[test]
fn of_more_events_than_may_be_followed_the_oldest_are_not() {
    let config = Config { followed_events_max: NonZeroUsize::new(2).unwrap(), ..Config::default() };
    let (tracer, _queue) = tracer(config);
    tracer.change(|state| state.switches.push(switch(1, 9)));
    for seq in 1..=3 {
        assert!(tracer.sees(&seen(seq, "a")));
    }
    let followed = [1, 2, 3].map(|seq| tracer.follows(seen(seq, "a").position, "a"));
    assert_eq!(followed, [false, true, true]);
}

#[test]
fn steps_beyond_a_limit_are_dropped_and_hold_nothing_up() {
    let config = Config {
        steps_per_event_max: NonZeroU32::new(3).unwrap(),
        waiting_bytes_max: NonZeroUsize::new(2_000).unwrap(),
        ..Config::default()
    };
    let (tracer, mut queue) = tracer(config);
    tracer.change(|state| state.switches.push(switch(1, 9)));
    assert!(tracer.sees(&seen(1, "a")) && tracer.sees(&seen(2, "a")));
    for _ in 0..5 {
        tracer.record(step(1, "x"));
    }
    assert_eq!(waiting(&mut queue), 4, "two first steps, and two more of the first event");
    tracer.inner.waiting_bytes.store(0, Ordering::Relaxed);
    tracer.record(step(2, &"x".repeat(3_000)));
    assert_eq!(waiting(&mut queue), 0, "it has more bytes than may wait");
    tracer.record(step(2, "x"));
    assert_eq!(waiting(&mut queue), 1, "and others have room again");
    tracer.record(step(7, "x"));
    assert_eq!(waiting(&mut queue), 0, "nobody follows that one");
}
