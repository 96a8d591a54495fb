//! The commands against the real admin API, over a small plant that holds its books in memory.

use super::encoded;
use crate::tests::{exit, ran};
use crate::{Exit, Invocation};
use futures_util::FutureExt;
use metrics_exporter_prometheus::PrometheusBuilder;
use pintle_control::*;
use serde_json::value::RawValue;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

struct SmallPlant;

fn letter(id: &str) -> DeadLetter {
    DeadLetter {
        id: id.to_owned(),
        destination_id: "a b&c".to_owned(),
        source_id: "site".to_owned(),
        message_id: "m1".to_owned(),
        event_type: "track".to_owned(),
        reason: "answered 400".to_owned(),
        attempts: 1,
        at_ms: 0,
    }
}

impl Plant for SmallPlant {
    fn status(&self) -> Answer<'_, Status> {
        let status = Status {
            node: Node { version: "9.9.9".into(), uptime_seconds: 1, postgres: "embedded".into() },
            log: LogStatus {
                bytes: 0,
                bytes_max: 1,
                segments: 1,
                oldest_at_ms: None,
                disk_free_bytes: None,
                hours_left: None,
                accepting: true,
                refusal: None,
                accepted: 1_000,
            },
            catalog: CatalogStatus::default(),
            destinations: vec![],
        };
        async move { Ok(status) }.boxed()
    }

    fn oldest_dead_letters(&self, _: DeadLetterFilter, _: u32) -> Answer<'_, Vec<String>> {
        async { Ok(Vec::new()) }.boxed()
    }

    fn replays(&self, _: Option<String>, _: u32) -> Answer<'_, Vec<ReplayView>> {
        async { Ok(Vec::new()) }.boxed()
    }

    fn count_replay(&self, _: ReplayBody) -> Answer<'_, Result<ReplayCount, String>> {
        async { Ok(Ok(ReplayCount::default())) }.boxed()
    }

    fn start_replay(&self, _: ReplayBody, _: Order) -> Answer<'_, Result<ReplayView, String>> {
        async { Ok(Err("the log has nothing".to_owned())) }.boxed()
    }

    fn cancel_replay(&self, _: String, _: Order) -> Answer<'_, bool> {
        async { Ok(false) }.boxed()
    }

    fn why(&self, question: Question) -> Answer<'_, pintle_control::views::traces::WhyView> {
        let known = pintle_control::views::traces::WhyView { message_id: question.message_id, ..Default::default() };
        async move { Ok(known) }.boxed()
    }

    fn discard(&self, _: DeadLetterFilter, _: u32, _: Order) -> Answer<'_, u64> {
        async { Ok(0) }.boxed()
    }

    fn edit(&self, _: String, _: Box<RawValue>, _: Order) -> Answer<'_, bool> {
        async { Ok(false) }.boxed()
    }

    fn dead_letters(&self, filter: DeadLetterFilter, limit: u32) -> Answer<'_, Vec<DeadLetter>> {
        let letters = ["x/1", "x/2"].map(letter);
        let wanted = filter.destination.is_none_or(|d| d == "a b&c");
        let found = letters.into_iter().filter(|_| wanted).take(limit as usize).collect();
        async move { Ok(found) }.boxed()
    }

    fn dead_letter(&self, id: String) -> Answer<'_, Option<DeadLetterDetail>> {
        let found = (id == "x/1").then(|| DeadLetterDetail {
            letter: letter(&id),
            position: "1.2.3".to_owned(),
            connection_id: "site-orders".to_owned(),
            stage: "delivery".to_owned(),
            output: 0,
            error: None,
            request: None,
            response: None,
            payload: None,
            received: None,
            steps: Vec::new(),
            untold: None,
        });
        async move { Ok(found) }.boxed()
    }

    fn retry(&self, id: String) -> Answer<'_, RetryOutcome> {
        let outcome = match id.as_str() {
            "x/1" => RetryOutcome::Queued,
            "x/2" => RetryOutcome::Refused { reason: "the destination is paused".to_owned() },
            _ => RetryOutcome::NotFound,
        };
        async move { Ok(outcome) }.boxed()
    }

    fn dry_run(&self, id: String, _: Option<Box<RawValue>>) -> Answer<'_, DryRunOutcome> {
        let outcome = match id.as_str() {
            "x/1" => DryRunOutcome::Done(DryRun::default()),
            "x/2" => DryRunOutcome::Refused { reason: "the destination is paused".to_owned() },
            _ => DryRunOutcome::NotFound,
        };
        async move { Ok(outcome) }.boxed()
    }

    /// Three events are there before the reader looks; the channel holds two, and then it is over.
    fn tail(&self) -> broadcast::Receiver<TailEvent> {
        let (sender, receiver) = broadcast::channel(2);
        for number in 0..2 {
            let event = TailEvent {
                source_id: "site".into(),
                message_id: format!("m{number}"),
                event_type: "track".to_owned(),
                received_at_ms: 0,
                event: serde_json::value::RawValue::from_string("{}".to_owned()).unwrap().into(),
            };
            sender.send(event).unwrap();
        }
        receiver
    }
}

/// A server in a thread of its own: the commands bring their own runtime.
struct Server {
    address: SocketAddr,
    shutdown: CancellationToken,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    fn start() -> Server {
        let shutdown = CancellationToken::new();
        let until = shutdown.clone();
        let (tell, told) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let metrics = PrometheusBuilder::new().build_recorder().handle();
                let listen = SocketAddr::from(([127, 0, 0, 1], 0));
                let config = Config { listen, ..Config::default() };
                let admin = Admin::bind(config, Arc::new(SmallPlant), metrics).await.unwrap();
                tell.send(admin.address()).unwrap();
                admin.run(until).await.unwrap();
            });
        });
        Server { address: told.recv().unwrap(), shutdown, thread: Some(thread) }
    }

    fn ran(&self, line: &str) -> (String, String, String) {
        let (code, out, err) = ran(&format!("{line} --admin http://{}/", self.address));
        (format!("{code:?}"), out, err)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shutdown.cancel();
        let _ = self.thread.take().unwrap().join();
    }
}

#[test]
fn status_is_shown_for_people_and_as_the_apis_json() {
    let server = Server::start();
    let (code, out, err) = server.ran("status");
    assert!(out.starts_with("pintle 9.9.9 · up 1.0 s · postgres embedded\n"), "{out}{err}");
    assert_eq!((code, err.as_str()), (exit(Exit::Done), ""));
    let (_, out, _) = server.ran("status --json");
    let status: Status = serde_json::from_str(&out).unwrap();
    assert_eq!(status.node.version, "9.9.9");
}

#[test]
fn dead_letters_are_listed_shown_and_retried() {
    let server = Server::start();
    let (_, out, err) = server.ran("dead-letters list --limit 1");
    assert!(out.lines().count() == 2 && err == "older ones: --before x/1\n", "{out}{err}");
    let (_, out, _) = server.ran("dead-letters list --json");
    let page: DeadLetterPage = serde_json::from_str(&out).unwrap();
    assert_eq!(page.dead_letters.len(), 2);
    let (code, out, err) = server.ran("dead-letters list --destination other");
    assert_eq!((code, out.as_str(), err.as_str()), (exit(Exit::Done), "", "no dead letters\n"));

    let (_, out, _) = server.ran("dead-letters show x/1");
    assert!(out.starts_with("id           x/1\n"), "{out}");
    let (code, _, err) = server.ran("dead-letters show gone");
    assert!(code == exit(Exit::Failed) && err.contains("no dead letter"), "{err}");

    let (code, out, _) = server.ran("dead-letters retry x/1");
    assert_eq!((code, out.as_str()), (exit(Exit::Done), "x/1 will be delivered again\n"));
    let (code, _, err) = server.ran("dead-letters retry x/2");
    assert_eq!((code, err.as_str()), (exit(Exit::Failed), "pintle: the destination is paused\n"));
}

#[test]
fn a_filter_reaches_the_server_as_it_was_typed() {
    let server = Server::start();
    let admin = format!("http://{}", server.address);
    let words = ["pintle", "dead-letters", "list", "--destination", "a b&c", "--admin", &admin];
    let mut out = Vec::new();
    let done = crate::parse_from(words.map(Into::into), crate::tests::nowhere, &mut out, &mut Vec::new());
    assert!(matches!(done, Invocation::Done(_)));
    assert_eq!(String::from_utf8(out).unwrap().lines().count(), 3);
}

#[test]
fn events_are_printed_as_they_come_and_the_end_is_told() {
    let server = Server::start();
    let (code, out, err) = server.ran("events tail");
    let ids: Vec<&str> = out.lines().filter_map(|line| line.split("  ").nth(3)).collect();
    assert_eq!(ids, ["m0", "m1"], "{out}");
    assert!(code == exit(Exit::Failed) && err.contains("shutting down"), "{err}");
    let (_, out, _) = server.ran("events tail --json");
    let event: TailEvent = serde_json::from_str(out.lines().next().unwrap()).unwrap();
    assert_eq!(event.message_id, "m0");
}

#[test]
fn a_limit_that_is_refused_is_wrong_usage() {
    let (code, _, err) = Server::start().ran("dead-letters list --limit 0");
    assert!(code == exit(Exit::Usage) && err.contains("limit is 0"), "{err}");
}

#[test]
fn ids_are_encoded_for_paths() {
    assert_eq!(encoded("a/b c?ä.-_~"), "a%2Fb%20c%3F%C3%A4.-_~");
}
