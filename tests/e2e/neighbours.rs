//! A destination that is stuck, and those beside it that must not notice.

use pintle_tests::events::{Events, post};
use pintle_tests::ledger::Ledger;
use pintle_tests::pintle::{Options, Pintle, destination};
use pintle_tests::receiver::{Answer, Receiver};
use pintle_tests::workspace::Workspace;
use serde_json::Value;
use std::collections::BTreeMap;
use tokio::sync::OnceCell;

const USERS: usize = 50;
const EACH: usize = 20;
pub const EVENTS: u64 = (USERS * EACH) as u64;
const CODE: &str = "
export function transformEvent(event) {
  event.properties.length = event.properties.filler.length;
  return event;
}";

/// Bodies by message id, of each healthy destination.
pub type Bodies = [BTreeMap<String, Vec<u8>>; 2];

/// What the healthy destinations get when nothing is wrong beside them.
static ALONE: OnceCell<Bodies> = OnceCell::const_new();

pub struct Neighbours {
    plain: Receiver,
    changed: Receiver,
}

impl Neighbours {
    pub async fn start() -> Neighbours {
        Neighbours { plain: Receiver::start().await, changed: Receiver::start().await }
    }

    pub fn workspace(&self) -> Workspace {
        Workspace::new().webhook("plain", &self.plain.url("/")).transformed("changed", &self.changed.url("/"), CODE)
    }

    pub async fn settle(&self, pintle: &Pintle) -> Bodies {
        for (id, receiver) in [("plain", &self.plain), ("changed", &self.changed)] {
            pintle.wait_delivered(id, EVENTS).await;
            Ledger::of(&receiver.received()).assert_each_once_in_order(id, USERS, EACH);
        }
        [bodies(&self.plain), bodies(&self.changed)]
    }
}

fn bodies(receiver: &Receiver) -> BTreeMap<String, Vec<u8>> {
    let id = |body: &[u8]| serde_json::from_slice::<Value>(body).unwrap()["messageId"].as_str().unwrap().to_owned();
    receiver.accepted().into_iter().map(|body| (id(&body), body.to_vec())).collect()
}

pub fn events() -> Vec<String> {
    Events::new(1, 400).many(USERS, EACH)
}

async fn alone() -> Bodies {
    let neighbours = Neighbours::start().await;
    let pintle = Pintle::start(Options::new(&neighbours.workspace())).await;
    post(pintle.gateway(), &events(), 100).await.unwrap();
    let bodies = neighbours.settle(&pintle).await;
    for event in events() {
        let id = serde_json::from_str::<Value>(&event).unwrap()["messageId"].as_str().unwrap().to_owned();
        // What the gateway adds stands behind it.
        let own = event.strip_suffix('}').unwrap();
        assert!(bodies[0][&id].starts_with(own.as_bytes()), "the client's own bytes arrive: {event}");
    }
    bodies
}

/// What is wrong with the stuck destination.
enum Fault {
    Answers(Answer),
    Refuses,
}

/// What the healthy destinations get alone. To be asked before a Pintle is started: it needs one itself.
pub async fn bodies_alone() -> &'static Bodies {
    ALONE.get_or_init(alone).await
}

/// That the healthy destinations got the very bytes that they get alone.
pub async fn assert_unharmed(neighbours: &Neighbours, pintle: &Pintle, alone: &Bodies) {
    let beside = neighbours.settle(pintle).await;
    for (id, (beside, alone)) in ["plain", "changed"].iter().zip(beside.iter().zip(alone)) {
        assert!(beside == alone, "{id}: other bytes than alone");
    }
}

async fn neighbours_do_not_notice(fault: Fault) {
    let alone = bodies_alone().await;
    let neighbours = Neighbours::start().await;
    let stuck = Receiver::start().await;
    match fault {
        Fault::Answers(answer) => stuck.always(answer),
        Fault::Refuses => stuck.refuse().await,
    }
    let workspace = neighbours.workspace().webhook("stuck", &stuck.url("/"));
    let pintle = Pintle::start(Options::new(&workspace)).await;

    post(pintle.gateway(), &events(), 100).await.unwrap();
    assert_unharmed(&neighbours, &pintle, alone).await;
    let status = pintle.status().await;
    let state = destination(&status, "stuck");
    assert_eq!((&state["delivered"], &state["lag_events"]), (&0.into(), &EVENTS.into()), "{state:#}");
    assert_eq!(state["dead_letters"], 0, "{state:#}");

    stuck.always(Answer::status(200));
    stuck.accept_again();
    let status = pintle.wait_delivered("stuck", EVENTS).await;
    assert_eq!(destination(&status, "stuck")["dead_letters"], 0);
    let received = stuck.received();
    Ledger::of(&received).assert_each_once_in_order("stuck", USERS, EACH);
    assert!(bodies(&stuck) == alone[0], "the stuck destination got other bytes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_answers_500_holds_nobody_up() {
    neighbours_do_not_notice(Fault::Answers(Answer::status(500))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_hangs_holds_nobody_up() {
    neighbours_do_not_notice(Fault::Answers(Answer::hang())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_resets_connections_holds_nobody_up() {
    neighbours_do_not_notice(Fault::Answers(Answer::reset())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_answers_429_with_retry_after_holds_nobody_up() {
    neighbours_do_not_notice(Fault::Answers(Answer::throttle(Some("1")))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_refuses_connections_holds_nobody_up() {
    neighbours_do_not_notice(Fault::Refuses).await;
}
