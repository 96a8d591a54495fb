//! Destinations that misbehave in every way that we know, and three healthy ones that must not notice.
//!
//! One Pintle has all of them. The healthy ones settle everything, with the very bytes that they get alone; of
//! each other one its own events meet the right fate, and none is lost.

mod doors;
mod endpoint;
mod misdeeds;
mod wire;

use doors::Trick;
use endpoint::{Certificate, Endpoint, TIMES, Wrong};
use misdeeds::Misdeed;
use pintle_tests::events::{Events, post};
use pintle_tests::folder::{Folder, target_dir};
use pintle_tests::ledger::Ledger;
use pintle_tests::pintle::{Options, Pintle, destination};
use pintle_tests::receiver::Receiver;
use pintle_tests::tls;
use pintle_tests::workspace::Workspace;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

const USERS: usize = 12;
const EACH: usize = 6;
const EVENTS: u64 = (USERS * EACH) as u64;
/// A machine that builds something else meanwhile takes its time over thirty destinations.
const PATIENCE: Duration = Duration::from_secs(400);
/// Tries after which the destinations here give an event up.
const ATTEMPTS_MAX: u64 = 4;
const CODE: &str = "
export function transformEvent(event) {
  event.properties.length = event.properties.filler.length;
  return event;
}";

/// What has to become of a destination's guilty events.
#[derive(Clone, Copy, Debug)]
enum End {
    /// Delivered by the first try: the answer is odd, and an answer.
    Delivered,
    /// Delivered once the endpoint behaves.
    Retried,
    /// Dead letters by the first try, for this reason.
    Dead(&'static str),
    /// Dead letters after `attempts-max` tries.
    GivenUp,
    /// All wait while the endpoint is like that, for this reason, and are delivered when it is mended.
    Waits(&'static str),
}

/// A destination, and what is wrong with it.
type Way = (&'static str, Wrong, End);

const WAYS: [Way; 34] = [
    ("slow-head", Wrong::Sometimes(Misdeed::SlowHead), End::Retried),
    ("slow-body", Wrong::Sometimes(Misdeed::SlowBody), End::Retried),
    ("reset-in-the-body", Wrong::Sometimes(Misdeed::ResetInTheBody), End::Retried),
    ("body-too-short", Wrong::Sometimes(Misdeed::BodyTooShort), End::Retried),
    ("body-too-long", Wrong::Sometimes(Misdeed::BodyTooLong), End::Delivered),
    ("two-lengths", Wrong::Sometimes(Misdeed::TwoLengths), End::Retried),
    ("informational-flood", Wrong::Sometimes(Misdeed::InformationalFlood), End::Retried),
    ("huge-body", Wrong::Sometimes(Misdeed::HugeBody), End::Delivered),
    ("endless-body", Wrong::Sometimes(Misdeed::EndlessBody), End::Delivered),
    ("endless-head", Wrong::Sometimes(Misdeed::EndlessHead), End::Retried),
    ("garbage", Wrong::Sometimes(Misdeed::Garbage), End::Retried),
    ("closed", Wrong::Sometimes(Misdeed::Close), End::Retried),
    ("reset", Wrong::Sometimes(Misdeed::Reset), End::Retried),
    ("chunked-nonsense", Wrong::Sometimes(Misdeed::ChunkedNonsense), End::Retried),
    ("gzip-bomb", Wrong::Sometimes(Misdeed::GzipBomb), End::Delivered),
    ("body-after-204", Wrong::Sometimes(Misdeed::BodyAfterNoContent), End::Delivered),
    ("switching-protocols", Wrong::Always(Misdeed::SwitchingProtocols), End::Dead("answered 101")),
    ("redirect-loop", Wrong::Always(Misdeed::RedirectLoop), End::Dead("redirects are not followed")),
    ("redirect-inside", Wrong::Always(Misdeed::RedirectInside), End::Dead("redirects are not followed")),
    ("throttle-seconds", Wrong::Sometimes(Misdeed::ThrottleSeconds), End::Retried),
    ("throttle-date", Wrong::Sometimes(Misdeed::ThrottleDate), End::Retried),
    ("throttle-for-ever", Wrong::Always(Misdeed::AtOnce(429)), End::GivenUp),
    ("time-out-for-ever", Wrong::Always(Misdeed::Status(408)), End::GivenUp),
    ("burst-of-503", Wrong::Sometimes(Misdeed::Status(503)), End::Retried),
    ("half-of-a-batch", Wrong::HalfOfABatch, End::Dead("refused with 422")),
    ("early-answer", Wrong::EarlyAnswer, End::Retried),
    ("http2-goaway", Wrong::Http2(Trick::GoAway), End::Retried),
    ("http2-reset", Wrong::Http2(Trick::ResetStream), End::Retried),
    ("http2-silence", Wrong::Http2(Trick::FallSilent), End::Retried),
    ("expired", Wrong::Certificate(Certificate::Expired), End::Waits("certificate expired")),
    ("self-signed", Wrong::Certificate(Certificate::SelfSigned), End::Waits("certificate")),
    ("elsewhere", Wrong::Certificate(Certificate::Elsewhere), End::Waits("not valid for name")),
    ("no-handshake", Wrong::NoHandshake, End::Waits("connect-timeout")),
    ("accepts-nobody", Wrong::AcceptsNobody, End::Waits("no answer came")),
];

/// Events that are treated badly: of one user, so that it is never the destination that seems to be down.
fn is_guilty(id: &str) -> bool {
    ["user-0/1", "user-0/4"].contains(&id)
}

/// Every other event.
fn is_odd(id: &str) -> bool {
    id.ends_with(['1', '3', '5'])
}

/// The healthy ones: one gets events as they are, one with other bytes, one in another way.
struct Healthy([(&'static str, Receiver); 3]);

impl Healthy {
    async fn start() -> Healthy {
        Healthy([
            ("plain", Receiver::start().await),
            ("changed", Receiver::start().await),
            ("put", Receiver::start().await),
        ])
    }

    fn workspace(&self) -> Workspace {
        let [(_, plain), (_, changed), (_, put)] = &self.0;
        let config =
            json!({"webhookUrl": put.url("/"), "webhookMethod": "PUT", "headers": [{"from": "x-a", "to": "b"}]});
        Workspace::new()
            .webhook("plain", &plain.url("/"))
            .transformed("changed", &changed.url("/"), CODE)
            .destination("put", "webhook", config)
    }

    /// Waits until they have everything, and gives the bodies by destination and message id.
    async fn settle(&self, pintle: &Pintle) -> BTreeMap<&'static str, BTreeMap<String, Vec<u8>>> {
        let mut all = BTreeMap::new();
        for (id, receiver) in &self.0 {
            let done = |status: &Value| destination(status, id)["delivered"] == EVENTS;
            pintle.wait_within(PATIENCE, &format!("{id} to have everything"), done).await;
            Ledger::of(&receiver.received()).assert_each_once_in_order(id, USERS, EACH);
            let bodies = receiver.accepted().into_iter().map(|body| (message_id(&body), body.to_vec()));
            all.insert(*id, bodies.collect());
        }
        all
    }
}

fn message_id(body: &[u8]) -> String {
    serde_json::from_slice::<Value>(body).unwrap()["messageId"].as_str().unwrap().to_owned()
}

fn events() -> Vec<String> {
    Events::new(11, 300).many(USERS, EACH)
}

fn options(workspace: &Workspace, plugins: &Path) -> Options {
    Options::new(workspace)
        .plugins(plugins)
        .set("router", "attempt-timeout", 30)
        .set("router", "first-byte-timeout", 30)
        .set("router", "http2-ping-interval", 0.5)
        .set("router", "http2-ping-timeout", 0.5)
        .set("router", "trusted-certificates", tls::authority())
}

/// What a destination sets for itself: less time where it is time that has to run out.
fn delivery(wrong: Wrong) -> Value {
    match wrong {
        Wrong::Sometimes(Misdeed::SlowHead | Misdeed::SlowBody | Misdeed::InformationalFlood)
        | Wrong::AcceptsNobody => json!({"first-byte-timeout": 2, "attempt-timeout": 3}),
        Wrong::NoHandshake => json!({"connect-timeout": 1}),
        Wrong::Always(_) => json!({"attempts-max": ATTEMPTS_MAX}),
        _ => json!({}),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn destinations_that_misbehave_in_every_way_lose_nothing_and_harm_nobody() {
    // The bulk guest is not among the plugins that are shipped.
    let folder = Folder::new("pintle-plugins");
    for name in ["webhook.wasm", "javascript-engine.wasm", "fixtures/bulk.wasm"] {
        let file = target_dir().join("plugins").join(name);
        assert!(file.is_file(), "{}: run scripts/build-plugins --fixtures", file.display());
        symlink(&file, folder.path().join(file.file_name().unwrap())).unwrap();
    }
    let healthy = Healthy::start().await;
    let alone = {
        let pintle = Pintle::start(options(&healthy.workspace(), folder.path())).await;
        post(pintle.gateway(), &events(), 36).await.unwrap();
        healthy.settle(&pintle).await
    };

    let healthy = Healthy::start().await;
    let mut workspace = healthy.workspace();
    let mut endpoints = Vec::new();
    for (id, wrong, _) in WAYS {
        let is_bulk = matches!(wrong, Wrong::HalfOfABatch);
        let endpoint = Endpoint::start(wrong, if is_bulk { is_odd } else { is_guilty }).await;
        workspace = match is_bulk {
            true => workspace.destination(id, "bulk", json!({"url": endpoint.url(), "token": "nobody-says-this"})),
            false => workspace.webhook(id, endpoint.url()),
        };
        workspace = workspace.delivery(id, delivery(wrong));
        endpoints.push(endpoint);
    }
    let pintle = Pintle::start(options(&workspace, folder.path())).await;
    post(pintle.gateway(), &events(), 36).await.unwrap();
    let beside = healthy.settle(&pintle).await;
    assert!(beside == alone, "the healthy ones got other bytes than alone");
    for ((id, _, end), endpoint) in WAYS.iter().zip(&endpoints) {
        judge(&pintle, id, *end, endpoint).await;
    }
}

/// Holds a destination against the fate that its events have to meet.
async fn judge(pintle: &Pintle, id: &str, end: End, endpoint: &Endpoint) {
    if let End::Waits(why) = end {
        let said = |status: &Value| {
            destination(status, id)["last_error"]["message"].as_str().is_some_and(|said| said.contains(why))
        };
        let status = pintle.wait_within(PATIENCE, &format!("{id} to say {why:?}"), said).await;
        let state = destination(&status, id);
        assert_eq!((&state["delivered"], &state["dead_letters"]), (&json!(0), &json!(0)), "{id}: {state:#}");
        endpoint.mend();
    }
    let guilty: Vec<String> = events().iter().map(|event| message_id(event.as_bytes())).collect();
    let guilty: Vec<&String> =
        guilty.iter().filter(|one| if id == "half-of-a-batch" { is_odd(one) } else { is_guilty(one) }).collect();
    let dead = match end {
        End::Dead(_) | End::GivenUp => guilty.len() as u64,
        _ => 0,
    };
    let settled = |status: &Value| {
        let state = destination(status, id);
        state["delivered"] == EVENTS - dead && state["dead_letters"] == dead && state["lag_events"] == 0
    };
    pintle.wait_within(PATIENCE, &format!("{id}: {dead} dead letters, the others delivered"), settled).await;

    // Nothing is lost, nothing else comes, and first receipts are in order.
    let mut first: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut last: BTreeMap<String, u64> = BTreeMap::new();
    {
        let seen = endpoint.seen();
        for body in &seen.accepted {
            let event: Value = serde_json::from_slice(body).unwrap();
            let (user, n) = (event["userId"].as_str().unwrap().to_owned(), event["properties"]["n"].as_u64().unwrap());
            if first.insert(message_id(body), body.clone()).is_none() {
                let before = last.insert(user.clone(), n);
                assert!(before.is_none_or(|before| before < n), "{id}: {user}/{n} came after {before:?}");
            }
        }
        assert_eq!(first.len() as u64, EVENTS - dead, "{id}: different events that were taken");
        for one in &guilty {
            let tries = seen.tries.get(*one).copied().unwrap_or_default();
            match end {
                End::Delivered | End::Dead(_) => assert_eq!(tries, 1, "{id}: tries of {one}"),
                End::GivenUp => assert_eq!(tries as u64, ATTEMPTS_MAX, "{id}: tries of {one}"),
                End::Retried if matches!(endpoint.wrong(), Wrong::Sometimes(_)) => {
                    assert_eq!(tries, TIMES + 1, "{id}: tries of {one}");
                }
                End::Retried | End::Waits(_) => {}
            }
        }
    }
    let (reason, attempts) = match end {
        End::Dead(reason) => (reason, 1),
        End::GivenUp => ("attempts-max", ATTEMPTS_MAX),
        _ => return,
    };
    let listed = pintle.cli(&["dead-letters", "list", "--destination", id, "--limit", "100", "--json"]).await.json();
    for letter in listed["dead_letters"].as_array().unwrap() {
        assert!(guilty.iter().any(|one| **one == letter["message_id"]), "{id}: {letter:#}");
        assert!(letter["reason"].as_str().unwrap().contains(reason), "{id}: {letter:#}");
        assert_eq!(letter["attempts"], attempts, "{id}: {letter:#}");
    }
}
