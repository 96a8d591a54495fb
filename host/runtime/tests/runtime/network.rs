use crate::guests::{lasting_cache, outputs, shipped};
use pintle_runtime::egress::Hosts;
use pintle_runtime::fetch::{Answers, Network, Request, Response};
use pintle_runtime::transformation::{Context, ScriptEngine, Source, Transformation};
use pintle_runtime::{CallFailure, Config, Runtime};
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A network whose other end is the test: notes what it is asked, and answers 200 or never.
#[derive(Default)]
struct Line {
    calls: Mutex<Vec<usize>>,
    dead: bool,
}

impl Network for Line {
    fn fetch<'a>(&'a self, hosts: &'a Hosts, requests: Vec<Request>) -> Answers<'a> {
        self.calls.lock().unwrap().push(requests.len());
        let answer = move |request: Request| match hosts.check("api.example.com", 443) {
            Ok(()) => Ok(Response { status: 200, url: request.url, headers: Vec::new(), body: "{}".into() }),
            Err(refusal) => Err(refusal.to_string()),
        };
        let dead = self.dead;
        Box::pin(async move {
            if dead {
                std::future::pending::<()>().await;
            }
            requests.into_iter().map(answer).collect()
        })
    }
}

async fn engine(config: Config, line: Arc<Line>) -> Arc<ScriptEngine> {
    let config = Config { cache_dir: Some(lasting_cache()), instances_max: 8, ..config };
    let runtime = Runtime::with_network(config, line).unwrap();
    runtime.script_engine(&shipped("javascript-net-engine.wasm")).await.unwrap()
}

fn source(code: &str, hosts: &[&str]) -> Source {
    Source {
        name: "transformation.js".to_owned(),
        code: code.to_owned(),
        hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
        ..Source::default()
    }
}

async fn run(transformation: &Transformation, events: usize) -> Result<Vec<String>, CallFailure> {
    let batch: Vec<_> = (0..events).map(|n| json!({"message": {"n": n}, "metadata": {}})).collect();
    let batch = serde_json::to_vec(&batch).unwrap();
    transformation.transform(&Context::default(), batch, events).await.map(|reply| outputs(&reply))
}

const ONE_EACH: &str = "export async function transformEvent({ n }) {
    return { n, said: await fetchV2('https://api.example.com/').then(({ status }) => status, ({ message }) => message) };
}";

#[tokio::test]
async fn a_batch_asks_the_host_once_and_no_more_often_than_it_may() {
    let line = Arc::new(Line::default());
    let engine = engine(Config { fetches_per_call_max: 2, ..Config::default() }, line.clone()).await;
    let transformation = engine.load(source(ONE_EACH, &["api.example.com"])).await.unwrap();
    for _ in 0..2 {
        let outputs = run(&transformation, 3).await.unwrap();
        assert_eq!(outputs[..2], [r#"0: {"n":0,"said":200}"#, r#"1: {"n":1,"said":200}"#]);
        assert!(outputs[2].contains("more than 2 requests in one call (fetches-per-call-max)"), "{outputs:?}");
    }
    assert_eq!(*line.calls.lock().unwrap(), [2, 2]);
}

#[tokio::test]
async fn the_network_is_told_which_hosts_were_granted() {
    let line = Arc::new(Line::default());
    let engine = engine(Config::default(), line).await;
    let transformation = engine.load(source(ONE_EACH, &["other.example.com"])).await.unwrap();
    let outputs = run(&transformation, 1).await.unwrap();
    assert!(outputs[0].contains("the host `api.example.com` is not among those"), "{outputs:?}");
}

#[tokio::test]
async fn a_guest_that_waits_for_the_host_is_stopped_when_its_time_is_up() {
    let line = Arc::new(Line { dead: true, ..Line::default() });
    let limit = Duration::from_secs(1);
    let config = Config { run_time_max: limit, call_time_max: limit, ..Config::default() };
    let engine = engine(config, line).await;
    let transformation = engine.load(source(ONE_EACH, &["api.example.com"])).await.unwrap();
    assert_eq!(run(&transformation, 1).await.unwrap_err(), CallFailure::TimedOut(limit));
}

#[tokio::test]
async fn nobody_waits_for_a_request_and_it_is_sent_all_the_same() {
    let line = Arc::new(Line::default());
    let engine = engine(Config::default(), line.clone()).await;
    let code = "export function transformEvent() { fetch('https://api.example.com/'); return {}; }";
    let transformation = engine.load(source(code, &["api.example.com"])).await.unwrap();
    assert_eq!(run(&transformation, 2).await.unwrap().len(), 2);
    assert_eq!(*line.calls.lock().unwrap(), [2]);
}

#[tokio::test]
async fn an_engine_without_network_takes_no_script_that_was_granted_hosts() {
    let config = Config { cache_dir: Some(lasting_cache()), ..Config::default() };
    let runtime = Runtime::new(config).unwrap();
    let engine = runtime.script_engine(&shipped("javascript-engine.wasm")).await.unwrap();
    let error = engine.load(source(ONE_EACH, &["api.example.com"])).await.map(|_| ()).unwrap_err();
    assert!(error.message.contains("this engine has no network"), "{error}");
    let error = engine.load(source(ONE_EACH, &["https://api.example.com"])).await.map(|_| ()).unwrap_err();
    assert!(error.message.contains("is not a host"), "{error}");
}
