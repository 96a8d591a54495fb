//! The Python engine as it is shipped: what a transformation may count on.

mod hostile;
mod sandbox;
mod stdlib;

use crate::guests::{lasting_cache, outputs, shipped};
use crate::scripts::{self, ctx, events, run};
use pintle_runtime::transformation::{Entry, Handler, Reply, ScriptEngine, ScriptError, Source, Transformation};
use pintle_runtime::{Config, Runtime};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;

async fn engine() -> Arc<ScriptEngine> {
    static ENGINE: OnceCell<Arc<ScriptEngine>> = OnceCell::const_new();
    let start = || async {
        let limits = Config { run_time_max: Duration::from_secs(2), ..Config::default() };
        runtime(limits).await.1
    };
    ENGINE.get_or_init(start).await.clone()
}

async fn runtime(limits: Config) -> (Runtime, Arc<ScriptEngine>) {
    let limits = Config { cache_dir: Some(lasting_cache()), instances_max: 32, ..limits };
    let runtime = Runtime::new(limits).unwrap();
    let engine = runtime.python_engine(&shipped("python-engine.wasm")).await.unwrap();
    (runtime, engine)
}

fn source(code: &str) -> Source {
    scripts::source("transformation.py", code)
}

async fn load(code: &str) -> Arc<Transformation> {
    engine().await.load(source(code)).await.unwrap_or_else(|error| panic!("{error}\n{}", error.stack))
}

async fn refusal(code: &str) -> ScriptError {
    engine().await.load(source(code)).await.map(|_| ()).unwrap_err()
}

async fn reply(code: &str, count: usize) -> Reply {
    let transformation = load(code).await;
    run(&transformation, &events(count)).await.unwrap()
}

/// The message of the error that the one event ended with.
fn error(reply: &Reply) -> &str {
    match reply.entries.as_slice() {
        [Entry::Error { message, .. }] => message,
        entries => panic!("{entries:?}"),
    }
}

#[tokio::test]
async fn an_event_comes_back_changed() {
    let code = "def transformEvent(event, metadata):\n    return {'event': event['event'] + '!é', 'source': metadata(event)['sourceId']}";
    assert_eq!(
        outputs(&reply(code, 2).await),
        [r#"0: {"event":"e0!é","source":"s1"}"#, r#"1: {"event":"e1!é","source":"s1"}"#]
    );
}

#[tokio::test]
async fn an_event_can_be_dropped_or_become_many() {
    let code = "def transformEvent(event):
        if event['event'] == 'e0':
            return None
        if event['event'] == 'e1':
            return [{'a': 1}, {'a': 2}]
        if event['event'] == 'e2':
            return []
        return {'a': 3}";
    assert_eq!(
        outputs(&reply(code, 4).await),
        ["0 dropped", r#"1: {"a":1}"#, r#"1: {"a":2}"#, "2 dropped", r#"3: {"a":3}"#]
    );
}

#[tokio::test]
async fn what_an_event_raises_says_where_and_hurts_no_other() {
    let code = "def helper(event):\n    return event['é'], event['missing']['y']\n\ndef transformEvent(event, metadata):\n  if event['event'] == 'e1':\n    return helper(event | {'é': 1})\n  return {}\n";
    let reply = reply(code, 3).await;
    let [_, Entry::Error { index: 1, message, stack: Some(stack) }, _] = reply.entries.as_slice() else {
        panic!("{reply:?}")
    };
    assert_eq!(message, "KeyError: 'missing'");
    assert_eq!(stack, "    at helper (transformation.py:2:24)\n    at transformEvent (transformation.py:6:12)");
}

#[tokio::test]
async fn a_batch_is_seen_as_a_whole() {
    let code = "def transformBatch(events, metadata):\n    return [dict(e, s=metadata(e)['sourceId']) for e in events if e['event'] != 'e1']";
    let transformation = load(code).await;
    assert_eq!(transformation.handler(), Handler::Batch);
    let reply = run(&transformation, &events(3)).await.unwrap();
    let kept: Vec<_> = reply.entries.iter().filter(|entry| matches!(entry, Entry::Output { .. })).collect();
    assert_eq!(kept.len(), 2, "{reply:?}");
    assert!(outputs(&reply)[0].ends_with(r#","s":"s1"}"#), "{reply:?}");
    assert!(matches!(reply.entries[2], Entry::Dropped { index: 1 }), "{reply:?}");
}

#[tokio::test]
async fn numbers_and_texts_come_through_unharmed() {
    let code = "def transformEvent(event):\n    return event";
    let text = r#"{"big":123456789012345678901234567890,"float":0.1,"deep":[[[{"a":null}]]],"text":"é日😀\u0000\ud83d","t":true}"#;
    let batch = format!(r#"[{{"message":{text},"metadata":{{}}}}]"#).into_bytes();
    let reply = load(code).await.transform(&ctx(), batch, 1).await.unwrap();
    // Half a surrogate pair is no text: the host lets it into no database and to no destination.
    assert_eq!(outputs(&reply), [format!("0: {}", text.replace(r"\ud83d", r"\ufffd"))]);
}

#[tokio::test]
async fn time_and_chance_come_from_the_context() {
    let code = "import datetime, os, random, secrets, time, uuid
from random import random as captured
loaded = random.random()
def transformEvent(event):
    now = datetime.datetime.now()
    return {'now': now.isoformat(), 'utc': datetime.datetime.now(datetime.UTC).isoformat(), 'time': time.time(),
            'today': str(datetime.date.today()), 'struct': time.strftime('%H:%M:%S'), 'zone': time.tzname[0],
            'random': [random.random(), captured(), random.randint(0, 9999999), random.Random().random()],
            'ids': [str(uuid.uuid4()), secrets.token_hex(4), os.urandom(4).hex(), str(uuid.uuid7())], 'loaded': loaded}";
    let (first, second) = (load(code).await, load(code).await);
    let one = outputs(&run(&first, &events(2)).await.unwrap());
    assert_eq!(one, outputs(&run(&second, &events(2)).await.unwrap()));
    assert_eq!(one, outputs(&run(&first, &events(2)).await.unwrap()), "and do not depend on what ran before");
    let fields: Vec<Value> = one.iter().map(|output| serde_json::from_str(&output[3..]).unwrap()).collect();
    assert_eq!(fields[0]["now"], "2023-11-14T22:13:20");
    assert_eq!(fields[0]["utc"], "2023-11-14T22:13:20+00:00");
    assert_eq!(fields[0]["time"], 1_700_000_000.0);
    assert_eq!(
        (&fields[0]["today"], &fields[0]["struct"], &fields[0]["zone"]),
        (&json!("2023-11-14"), &json!("22:13:20"), &json!("UTC"))
    );
    for list in ["random", "ids"] {
        let [first, second] = [0, 1].map(|event: usize| fields[event][list].as_array().unwrap());
        assert!(first.iter().zip(second).all(|(a, b)| a != b), "each event has its own: {one:?}");
        assert_eq!((first.len(), second.len()), (4, 4));
    }
    // Alone, or after others, an event gets the same.
    let alone = outputs(&run(&second, &events(2)[1..]).await.unwrap());
    let alone: Value = serde_json::from_str(&alone[0][3..]).unwrap();
    assert_eq!((&alone["random"], &alone["ids"]), (&fields[1]["random"], &fields[1]["ids"]));
}

#[tokio::test]
async fn sleeping_moves_the_clock_and_takes_no_time() {
    let code = "import time
def transformEvent(event):
    from_wall, from_steady = time.time(), time.monotonic()
    time.sleep(3600)
    return {'wall': time.time() - from_wall, 'steady': round(time.monotonic() - from_steady)}";
    assert_eq!(outputs(&reply(code, 1).await), [r#"0: {"wall":3600.0,"steady":3600}"#]);
    let reply = reply("import time\ntime.sleep(2)\nwhile time.time() < time.time() + 0.001 and time.monotonic() % 1 < 0.5: pass\ndef transformEvent(event):\n    return {}", 1).await;
    assert_eq!(outputs(&reply), ["0: {}"]);
}

#[tokio::test]
async fn logs_are_kept_up_to_a_limit() {
    let code = "import logging, sys
def transformEvent(event):
    log('hello', {'a': 1}); print('printed'); print('oops', file=sys.stderr); logging.warning('careful %d', 3)
    return event";
    let reply = reply(code, 1).await;
    let logs: Vec<_> = reply.logs.iter().map(|line| (line.level.as_str(), line.message.as_str())).collect();
    let expected =
        [("info", r#"hello {"a":1}"#), ("info", "printed"), ("error", "oops"), ("warn", "WARNING:root:careful 3")];
    assert_eq!(logs, expected);
    for flood in ["print('line', n)", "log('line', n)"] {
        let code = format!("def transformEvent(event):\n    for n in range(5000):\n        {flood}\n    return event");
        let reply = self::reply(&code, 1).await;
        assert_eq!(reply.logs.len(), Config::default().logs_per_batch_max + 1, "{flood}");
        assert!(reply.logs.last().unwrap().message.contains("left out"), "{:?}", reply.logs.last());
    }
    let reply = self::reply("def transformEvent(event):\n    print('x' * (1 << 20))\n    return {}", 1).await;
    assert!(reply.logs[0].message.len() <= Config::default().text_bytes_max + 3, "{}", reply.logs[0].message.len());
}

#[tokio::test]
async fn credentials_are_known_by_their_keys() {
    let code = "loaded = getCredential('token')\ndef transformEvent(event):\n    return {'token': getCredential('token'), 'loaded': loaded, 'other': getCredential('other')}";
    let given = Source { credentials: [("token".to_owned(), "s3cret".to_owned())].into(), ..source(code) };
    let transformation = engine().await.load(given).await.unwrap();
    assert_eq!(
        outputs(&run(&transformation, &events(1)).await.unwrap()),
        [r#"0: {"token":"s3cret","loaded":"s3cret","other":null}"#]
    );
    let reply = reply("def transformEvent(event):\n    return {'none': getCredential(None)}", 1).await;
    assert_eq!(error(&reply), "TypeError: Key should be valid and defined");
}

fn with_libraries(code: &str, libraries: &[(&str, &str)]) -> Source {
    let libraries = libraries.iter().map(|(name, code)| ((*name).to_owned(), (*code).to_owned())).collect();
    Source { libraries, ..source(code) }
}

#[tokio::test]
async fn libraries_are_imported_by_name_and_fail_where_they_fail() {
    let code = "from shapes import area
def transformEvent(event):
    import late
    return {'area': area(2), 'late': late.value}";
    let libraries = [
        ("shapes", "import units\ndef area(side):\n    return units.square(side)"),
        ("units", "def square(n):\n    return n.missing if n == 3 else n * n"),
        ("late", "value = len(metadata({})) + 7"),
        ("unused", "this is not Python"),
    ];
    let transformation = engine().await.load(with_libraries(code, &libraries)).await.unwrap();
    assert_eq!(outputs(&run(&transformation, &events(1)).await.unwrap()), [r#"0: {"area":4,"late":7}"#]);
    let failing = engine().await.load(with_libraries(&code.replace("area(2)", "area(3)"), &libraries)).await.unwrap();
    let reply = run(&failing, &events(1)).await.unwrap();
    let [Entry::Error { message, stack: Some(stack), .. }] = reply.entries.as_slice() else { panic!("{reply:?}") };
    assert_eq!(message, "AttributeError: 'int' object has no attribute 'missing'");
    assert!(stack.starts_with("    at square (library units:2:12)\n    at area (library shapes:3:12)\n    at transformEvent (transformation.py:4:21)"), "{stack}");

    let broken = engine().await.load(with_libraries("import unused\n", &libraries)).await.map(|_| ()).unwrap_err();
    assert_eq!(
        (broken.module.as_str(), broken.line, broken.excerpt.as_str()),
        ("library unused", 1, "this is not Python")
    );
    let taken = engine().await.load(with_libraries("import json", &[("json", "")])).await.map(|_| ()).unwrap_err();
    assert!(taken.message.contains("has the name of a module of Python itself"), "{taken}");
}

#[tokio::test]
async fn there_is_no_network_to_grant() {
    let granted = Source { hosts: vec!["example.com".to_owned()], ..source("def transformEvent(event): pass") };
    let error = engine().await.load(granted).await.map(|_| ()).unwrap_err();
    assert!(error.message.contains("no network"), "{error}");
}

#[tokio::test]
async fn a_syntax_error_names_its_place_and_shows_the_line() {
    let error = refusal("def transformEvent(event):\n  é = '日😀';  x = event..y\n").await;
    assert_eq!((error.line, error.column), (2, 25), "{error}");
    assert_eq!(error.excerpt, "  é = '日😀';  x = event..y");
    assert_eq!((error.message.as_str(), error.module.as_str()), ("SyntaxError: invalid syntax", "transformation.py"));
    for (code, line, message) in [
        ("def transformEvent(event):\n  return (event\n", 2, "SyntaxError: '(' was never closed"),
        ("def transformEvent(event):\nreturn event\n", 2, "IndentationError: expected an indented block"),
        ("x = 'abc\n", 1, "SyntaxError: unterminated string literal"),
        ("\0", 0, "SyntaxError: source code string cannot contain null bytes"),
    ] {
        let error = refusal(code).await;
        assert_eq!(error.line, line, "{error:?}");
        assert!(error.message.starts_with(message), "{error:?}");
    }
}

#[tokio::test]
async fn a_mistake_at_the_top_level_has_its_place_too() {
    let error = refusal("settings = None\nlimit = settings.limit\ndef transformEvent(event): pass").await;
    assert_eq!((error.line, error.column, error.excerpt.as_str()), (2, 9, "limit = settings.limit"), "{error:?}");
    assert_eq!(error.stack, "    at transformation.py:2:9");
    let error = refusal("raise SystemExit(1)").await;
    assert_eq!((error.line, error.message.as_str()), (1, "SystemExit: 1"));
}

#[tokio::test]
async fn a_module_without_a_handler_or_with_both_is_refused() {
    let error = refusal("def transform(event): pass").await;
    assert_eq!(error.message, "Expected one of transformEvent,transformBatch. Found transform");
    let error = refusal("def transformEvent(e): pass\ndef transformBatch(e): pass").await;
    assert!(error.message.ends_with("Found transformEvent,transformBatch"), "{error}");
    let error = refusal("\n\nasync def transformEvent(e): return e").await;
    assert_eq!((error.line, error.message.contains("is async")), (3, true), "{error}");
}

#[tokio::test]
async fn a_script_that_never_finishes_loading_is_refused() {
    let error = refusal("while True: pass").await;
    assert_eq!(error.message, "while it was loaded, it was stopped after 2 s");
}

#[tokio::test]
async fn a_script_that_is_too_large_is_refused() {
    let error = refusal(&"#".repeat(Config::default().source_bytes_max + 1)).await;
    assert_eq!(error.message, "it has 524289 bytes, more than the 524288 of source-bytes-max");
}

#[tokio::test]
async fn fresh_per_batch_forgets_what_a_batch_left_behind() {
    let code = "n = 0\ndef transformEvent(event):\n    global n\n    n += 1\n    return {'n': n}";
    let kept = load(code).await;
    run(&kept, &events(1)).await.unwrap();
    assert_eq!(outputs(&run(&kept, &events(1)).await.unwrap()), [r#"0: {"n":2}"#]);
    let (_runtime, engine) = runtime(Config { fresh_per_batch: true, ..Config::default() }).await;
    let fresh = engine.load(source(code)).await.unwrap();
    for _ in 0..3 {
        assert_eq!(outputs(&run(&fresh, &events(1)).await.unwrap()), [r#"0: {"n":1}"#]);
    }
}
