//! The real server on a real port, asked over a real connection. The plant is a small one that holds
//! its books in memory.

use crate::*;
use futures_util::FutureExt;
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::Value;
use serde_json::value::RawValue;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::{Notify, broadcast};
use tokio_util::sync::CancellationToken;

struct SmallPlant {
    letters: Vec<DeadLetter>,
    events: broadcast::Sender<TailEvent>,
    watched: Arc<Notify>,
    broken: bool,
}

impl Plant for SmallPlant {
    fn status(&self) -> Answer<'_, Status> {
        let answer = if self.broken {
            Err(Failure::Broken("relation \"cursor\" does not exist".to_owned()))
        } else {
            Err(Failure::Unavailable("Postgres cannot be reached".to_owned()))
        };
        async move { answer }.boxed()
    }

    fn oldest_dead_letters(&self, filter: DeadLetterFilter, limit: u32) -> Answer<'_, Vec<String>> {
        let after = filter.after.and_then(|id| self.letters.iter().position(|l| l.id == id));
        let of = |l: &&DeadLetter| filter.destination.as_ref().is_none_or(|d| *d == l.destination_id);
        let letters = self.letters.iter().rev().filter(of).map(|l| l.id.clone());
        let found = letters.skip(after.map_or(0, |at| self.letters.len() - at)).take(limit as usize).collect();
        async move { Ok(found) }.boxed()
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

    fn why(&self, question: Question) -> Answer<'_, views::traces::WhyView> {
        let known = views::traces::WhyView { message_id: question.message_id, ..Default::default() };
        async move { Ok(known) }.boxed()
    }

    fn discard(&self, _: DeadLetterFilter, _: u32, _: Order) -> Answer<'_, u64> {
        async move { Ok(0) }.boxed()
    }

    fn edit(&self, id: String, _: Box<RawValue>, _: Order) -> Answer<'_, bool> {
        let found = self.letters.iter().any(|l| l.id == id);
        async move { Ok(found) }.boxed()
    }

    fn dead_letters(&self, filter: DeadLetterFilter, limit: u32) -> Answer<'_, Vec<DeadLetter>> {
        let after = filter.before.and_then(|id| self.letters.iter().position(|l| l.id == id));
        let found = self
            .letters
            .iter()
            .skip(after.map_or(0, |index| index + 1))
            .filter(|l| filter.destination.as_ref().is_none_or(|d| *d == l.destination_id))
            .take(limit as usize)
            .cloned()
            .collect();
        async move { Ok(found) }.boxed()
    }

    fn dead_letter(&self, id: String) -> Answer<'_, Option<DeadLetterDetail>> {
        let found = self.letters.iter().find(|l| l.id == id).cloned().map(|letter| DeadLetterDetail {
            letter,
            position: "1.2.3".to_owned(),
            connection_id: "site-orders".to_owned(),
            stage: "delivery".to_owned(),
            output: 0,
            error: None,
            request: Some("POST http://x/".to_owned()),
            response: Some("400 no".to_owned()),
            payload: Some(raw(r#"{"message":{"n":1.10}}"#)),
            received: Some(raw(r#"{"n":1.10}"#)),
            steps: Vec::new(),
            untold: None,
        });
        async move { Ok(found) }.boxed()
    }

    fn retry(&self, id: String) -> Answer<'_, RetryOutcome> {
        let outcome = match self.letters.iter().find(|l| l.id == id) {
            None => RetryOutcome::NotFound,
            Some(l) if l.destination_id == "paused" => {
                RetryOutcome::Refused { reason: "the destination is paused".to_owned() }
            }
            Some(_) => RetryOutcome::Queued,
        };
        async move { Ok(outcome) }.boxed()
    }

    fn dry_run(&self, id: String, message: Option<Box<RawValue>>) -> Answer<'_, DryRunOutcome> {
        let outcome = match self.letters.iter().find(|l| l.id == id) {
            None => DryRunOutcome::NotFound,
            Some(l) if l.destination_id == "paused" => {
                DryRunOutcome::Refused { reason: "the destination is paused".to_owned() }
            }
            Some(_) => {
                let request = message.map_or_else(|| "POST http://x/".to_owned(), |message| message.get().to_owned());
                let request = DryRunRequest { request, refused: None };
                let result = DryRunResult { outcome: "send".to_owned(), reason: None, requests: vec![request] };
                DryRunOutcome::Done(DryRun { steps: Vec::new(), results: vec![result] })
            }
        };
        async move { Ok(outcome) }.boxed()
    }

    fn tail(&self) -> broadcast::Receiver<TailEvent> {
        self.watched.notify_one();
        self.events.subscribe()
    }
}

fn raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

fn letter(id: &str, destination: &str) -> DeadLetter {
    DeadLetter {
        id: id.to_owned(),
        destination_id: destination.to_owned(),
        source_id: "site".to_owned(),
        message_id: format!("m-{id}"),
        event_type: "track".to_owned(),
        reason: "answered 400".to_owned(),
        attempts: 1,
        at_ms: 1_700_000_000_000,
    }
}

fn event(number: u32) -> TailEvent {
    TailEvent {
        source_id: "site".into(),
        message_id: format!("m{number}"),
        event_type: "track".to_owned(),
        received_at_ms: 1,
        event: raw(r#"{"a":1.10}"#).into(),
    }
}

struct Running {
    address: SocketAddr,
    events: broadcast::Sender<TailEvent>,
    watched: Arc<Notify>,
    shutdown: CancellationToken,
    done: tokio::task::JoinHandle<Result<(), Error>>,
}

async fn start_with(config: Config, broken: bool) -> Running {
    let (events, _) = broadcast::channel(4);
    let watched = Arc::new(Notify::new());
    let plant = SmallPlant {
        letters: vec![letter("c", "orders"), letter("b", "paused"), letter("a", "orders")],
        events: events.clone(),
        watched: watched.clone(),
        broken,
    };
    let metrics = PrometheusBuilder::new().build_recorder().handle();
    let config = Config { listen: "127.0.0.1:0".parse().unwrap(), ..config };
    let admin = Admin::bind(config, Arc::new(plant), metrics).await.unwrap();
    let address = admin.address();
    let shutdown = CancellationToken::new();
    let done = tokio::spawn(admin.run(shutdown.clone()));
    Running { address, events, watched, shutdown, done }
}

async fn start() -> Running {
    start_with(Config::default(), false).await
}

impl Running {
    async fn connect(&self, method: &str, path: &str, headers: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = format!("{method} {path} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    /// The status, the head and the body.
    async fn ask_with(&self, method: &str, path: &str, headers: &str) -> (u16, String, String) {
        let mut text = String::new();
        self.connect(method, path, headers).await.read_to_string(&mut text).await.unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        (head[9..12].parse().unwrap(), head.to_lowercase(), body.to_owned())
    }

    async fn ask(&self, method: &str, path: &str) -> (u16, Value) {
        let (status, head, body) = self.ask_with(method, path, "Host: localhost\r\n").await;
        if status >= 400 {
            assert!(head.contains("content-type: application/problem+json"), "{head}");
        }
        (status, serde_json::from_str(&body).unwrap())
    }
}

#[tokio::test]
async fn health_answers_and_metrics_are_prometheus_text() {
    let admin = start().await;
    assert_eq!(admin.ask("GET", "/health").await, (200, serde_json::json!({"status": "up"})));
    let (status, head, _) = admin.ask_with("GET", "/metrics", "Host: localhost\r\n").await;
    assert_eq!(status, 200);
    assert!(head.contains("content-type: text/plain; version=0.0.4"), "{head}");
}

#[tokio::test]
async fn dead_letters_come_in_pages() {
    let admin = start().await;
    let ids = |page: &Value| -> Vec<String> {
        let letters = page["dead_letters"].as_array().unwrap().iter();
        letters.map(|l| l["id"].as_str().unwrap().to_owned()).collect()
    };
    let (_, page) = admin.ask("GET", "/admin/v1/dead-letters?limit=2").await;
    assert_eq!((ids(&page), page["next_before"].as_str()), (vec!["c".into(), "b".into()], Some("b")));
    let (_, page) = admin.ask("GET", "/admin/v1/dead-letters?limit=2&before=b").await;
    assert_eq!((ids(&page), page["next_before"].as_str()), (vec!["a".into()], None));
    let (_, page) = admin.ask("GET", "/admin/v1/dead-letters?destination=orders").await;
    assert_eq!(ids(&page), ["c", "a"]);
}

#[tokio::test]
async fn a_page_past_its_limit_is_refused_by_name() {
    let admin = start().await;
    for query in ["limit=0", "limit=501", "limit=x", "limit=-1", "since=1"] {
        let (status, problem) = admin.ask("GET", &format!("/admin/v1/dead-letters?{query}")).await;
        assert_eq!((status, problem["code"].as_str()), (400, Some("bad-request")), "{query}");
    }
    let (_, problem) = admin.ask("GET", "/admin/v1/dead-letters?limit=501").await;
    assert!(problem["detail"].as_str().unwrap().contains("page-items-max"));
}

#[tokio::test]
async fn one_dead_letter_is_shown_whole_and_its_payload_as_it_is() {
    let admin = start().await;
    let (status, _, body) = admin.ask_with("GET", "/admin/v1/dead-letters/a", "Host: localhost\r\n").await;
    assert_eq!(status, 200);
    assert!(body.contains(r#""payload":{"message":{"n":1.10}}"#), "{body}");
    assert!(body.contains(r#""id":"a""#), "{body}");
    let (status, problem) = admin.ask("GET", "/admin/v1/dead-letters/zzz").await;
    assert_eq!((status, problem["code"].as_str()), (404, Some("not-found")));
}

#[tokio::test]
async fn a_retry_is_queued_refused_or_not_found() {
    let admin = start().await;
    let (status, outcome) = admin.ask("POST", "/admin/v1/dead-letters/a/retry").await;
    assert_eq!((status, outcome["outcome"].as_str()), (202, Some("queued")));
    let (status, problem) = admin.ask("POST", "/admin/v1/dead-letters/b/retry").await;
    assert_eq!((status, problem["detail"].as_str()), (409, Some("the destination is paused")));
    assert_eq!(admin.ask("POST", "/admin/v1/dead-letters/zzz/retry").await.0, 404);
    let (status, run) = admin.ask("POST", "/admin/v1/dead-letters/a/dry-run").await;
    assert_eq!((status, &run["results"][0]["requests"][0]["request"]), (200, &"POST http://x/".into()), "{run}");
    assert_eq!(admin.ask("POST", "/admin/v1/dead-letters/b/dry-run").await.0, 409);
    assert_eq!(admin.ask("POST", "/admin/v1/dead-letters/zzz/dry-run").await.0, 404);
    assert_eq!(admin.ask("GET", "/admin/v1/dead-letters/a/retry").await.0, 405);
    assert_eq!(admin.ask("GET", "/admin/v2/status").await.0, 404);
}

#[tokio::test]
async fn an_outage_is_told_and_an_inside_message_is_not() {
    let (status, problem) = start().await.ask("GET", "/admin/v1/status").await;
    assert_eq!((status, problem["detail"].as_str()), (503, Some("Postgres cannot be reached")));
    let broken = start_with(Config::default(), true).await;
    let (status, problem) = broken.ask("GET", "/admin/v1/status").await;
    assert_eq!(status, 500);
    assert!(!problem.to_string().contains("cursor"), "{problem}");
}

#[tokio::test]
async fn a_page_of_somebody_else_gets_nothing() {
    let admin = start().await;
    for headers in ["Host: evil.example:8081\r\n", "", "Host: localhost\r\nOrigin: http://evil.example\r\n"] {
        for (method, path) in [("POST", "/admin/v1/dead-letters/a/retry"), ("GET", "/metrics")] {
            let (status, _, body) = admin.ask_with(method, path, headers).await;
            assert!(status == 403 || (headers.is_empty() && status == 400), "{headers:?} {status} {body}");
        }
    }
}

#[tokio::test]
async fn a_reader_sees_events_as_they_come_until_the_end() {
    let admin = start().await;
    let stream = admin.connect("GET", "/admin/v1/events/tail", "Host: localhost\r\n").await;
    admin.watched.notified().await;
    admin.events.send(event(1)).unwrap();
    let mut lines = BufReader::new(stream).lines();
    let mut found = Vec::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        if !line.starts_with('{') {
            continue;
        }
        if line.starts_with(r#"{"event""#) {
            assert!(line.contains(r#"{"a":1.10}"#), "{line}");
            admin.shutdown.cancel();
        }
        found.push(serde_json::from_str::<TailLine>(&line).unwrap());
    }
    assert!(matches!(&found[0], TailLine::Event(e) if e.message_id == "m1"), "{found:?}");
    assert!(matches!(&found[1], TailLine::End(end) if end.reason.contains("shutting down")));
    admin.done.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_slow_reader_is_cut_and_told_how_much_it_missed() {
    let admin = start().await;
    let mut stream = admin.connect("GET", "/admin/v1/events/tail", "Host: localhost\r\n").await;
    admin.watched.notified().await;
    // One thread: the reader's task cannot run before all ten are in a channel of four.
    for number in 0..10 {
        admin.events.send(event(number)).unwrap();
    }
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let line = text.lines().find(|line| line.starts_with('{')).unwrap();
    let TailLine::End(end) = serde_json::from_str(line).unwrap() else { panic!("{line}") };
    assert_eq!(end.missed, 6);
    assert!(end.reason.contains("faster"), "{line}");
}

#[tokio::test]
async fn readers_are_bounded() {
    let admin = start_with(Config { tail_readers_max: 1, ..Config::default() }, false).await;
    let _first = admin.connect("GET", "/admin/v1/events/tail", "Host: localhost\r\n").await;
    admin.watched.notified().await;
    let (status, problem) = admin.ask("GET", "/admin/v1/events/tail").await;
    assert_eq!((status, problem["code"].as_str()), (429, Some("busy")));
    assert!(problem["detail"].as_str().unwrap().contains("tail-readers-max"));
}

#[tokio::test]
async fn an_address_others_can_reach_is_refused_unless_it_is_meant() {
    let listen = "0.0.0.0:0".parse().unwrap();
    let plant = || -> Arc<dyn Plant> {
        let (events, _) = broadcast::channel(4);
        Arc::new(SmallPlant { letters: vec![], events, watched: Arc::default(), broken: false })
    };
    let metrics = || PrometheusBuilder::new().build_recorder().handle();
    let config = Config { listen, ..Config::default() };
    let Err(refused) = Admin::bind(config.clone(), plant(), metrics()).await else { panic!() };
    assert!(refused.to_string().contains("--admin-insecure"), "{refused}");
    let meant = Config { insecure: true, ..config };
    assert!(Admin::bind(meant, plant(), metrics()).await.is_ok());
}
