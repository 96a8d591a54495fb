//! Python that loops, hoards, floods and crashes: it is stopped, explained, and the next batch runs.

use super::{Config, ctx, error, events, load, reply, run, runtime, source};
use crate::guests::outputs;
use pintle_runtime::CallFailure;
use pintle_runtime::transformation::Entry;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn what_never_ends_is_stopped_and_the_next_batch_runs() {
    let transformation = load(
        "import re, time
def transformEvent(event):
    kind = event.get('event')
    if kind == 'loop':
        while True: pass
    if kind == 'catch':
        while True:
            try:
                while True: pass
            except BaseException: pass
    if kind == 'regex': re.match('(a+)+$', 'a' * 60 + 'b')
    if kind == 'power': 10 ** 10 ** 9
    if kind == 'sleep':
        while True: time.sleep(1)
    if kind == 'print':
        while True: print('x' * 1000)
    if kind == 'write':
        import os
        while True: os.write(1, b'x' * 1000)
    return {'ok': True}",
    )
    .await;
    for kind in ["loop", "catch", "regex", "power", "sleep", "print", "write"] {
        let failure = run(&transformation, &[json!({"event": kind})]).await.unwrap_err();
        assert_eq!(failure, CallFailure::TimedOut(Duration::from_secs(2)), "{kind}");
        assert_eq!(outputs(&run(&transformation, &[json!({})]).await.unwrap()), [r#"0: {"ok":true}"#]);
    }
}

#[tokio::test]
async fn recursion_is_the_events_own_problem() {
    let reply = reply("def transformEvent(event):\n    return transformEvent(event)", 1).await;
    assert_eq!(error(&reply), "RecursionError: maximum recursion depth exceeded");
}

/// Recursion through C does not always reach Python's own limit before that of the host.
#[tokio::test]
async fn recursion_through_c_takes_the_instance_down_at_most() {
    for body in [
        "class A:\n    def __repr__(self): return repr(self)\nreturn {'a': repr(A())}",
        "a = []\nfor _ in range(100000): a = [a]\nreturn {'a': a}",
        "import copy\na = []\nfor _ in range(100000): a = [a]\nreturn {'a': copy.deepcopy(a)}",
        "import json\nreturn {'a': json.loads('[' * 100000)}",
        "return {'a': eval('-' * 100000 + '1')}",
    ] {
        let body = body.replace('\n', "\n        ");
        let code =
            format!("def transformEvent(event):\n    if event['event'] == 'e0':\n        {body}\n    return {{}}");
        let transformation = load(&code).await;
        match run(&transformation, &events(1)).await {
            Ok(reply) => assert!(error(&reply).contains("Error"), "{body}: {reply:?}"),
            Err(failure) => assert_eq!(failure, CallFailure::Trapped("its stack overflowed".to_owned()), "{body}"),
        }
        assert_eq!(outputs(&run(&transformation, &events(2)[1..]).await.unwrap()), ["0: {}"]);
    }
}

#[tokio::test]
async fn recursion_without_a_limit_is_stopped_somehow() {
    let transformation = load(
        "import sys\nsys.setrecursionlimit(2**31 - 1)\nclass A:\n    def __repr__(self): return '%r' % self\ndef transformEvent(event):\n    if event['event'] == 'e1': return {}\n    return {'a': repr(A())}",
    )
    .await;
    match run(&transformation, &events(1)).await {
        Ok(reply) => assert!(matches!(&reply.entries[0], Entry::Error { .. }), "{reply:?}"),
        Err(failure) => assert!(failure.guilty(), "{failure:?}"),
    }
    assert_eq!(outputs(&run(&transformation, &events(2)[1..]).await.unwrap()), ["0: {}"]);
}

#[tokio::test]
async fn hogs_are_told_apart_from_crashes() {
    let (_runtime, engine) = runtime(Config { run_time_max: Duration::from_secs(60), ..Config::default() }).await;
    for code in [
        "def transformEvent(event):\n    hoard = []\n    while True: hoard.append({'a': [1, 2, 3], 'b': 'x' + str(len(hoard))})",
        "def transformEvent(event):\n    return {'n': len(bytearray(1 << 30))}",
        "def transformEvent(event):\n    text = 'x'\n    while True: text += text",
    ] {
        let transformation = engine.load(source(code)).await.unwrap();
        match run(&transformation, &events(1)).await {
            Err(failure) => assert_eq!(failure, CallFailure::OutOfMemory, "{code}"),
            Ok(reply) => assert!(error(&reply).starts_with("MemoryError"), "{code}: {reply:?}"),
        }
        let again = run(&transformation, &events(0)).await.unwrap();
        assert!(again.entries.is_empty(), "{again:?}");
    }
}

#[tokio::test]
async fn a_huge_output_is_refused() {
    let transformation = load("def transformEvent(event):\n    return {'a': 'x' * (9 << 20)}").await;
    let failure = run(&transformation, &events(1)).await.unwrap_err();
    assert_eq!(failure, CallFailure::OutputTooLarge { max: 8 << 20 });
}

#[tokio::test]
async fn what_is_written_past_the_log_is_kept_up_to_a_limit() {
    let code =
        "import os\ndef transformEvent(event):\n    os.write(1, b'one\\ntwo\\n'); os.write(2, b'three')\n    return {}";
    let reply = reply(code, 1).await;
    let logs: Vec<_> = reply.logs.iter().map(|line| (line.level.as_str(), line.message.as_str())).collect();
    assert_eq!(logs, [("info", "one"), ("info", "two"), ("error", "three")]);
    let flood =
        "import os\ndef transformEvent(event):\n    for _ in range(100): os.write(2, b'y' * 2000)\n    return {}";
    let reply = self::reply(flood, 1).await;
    let logs: Vec<_> = reply.logs.iter().map(|line| line.message.as_str()).collect();
    assert_eq!(logs.len(), 2, "{logs:?}");
    assert_eq!(logs[1], format!("{} more bytes were written and left out", 200_000 - (64 << 10)));
}

#[tokio::test]
async fn a_crash_of_the_interpreter_costs_the_batch_and_is_explained() {
    let transformation = load(
        "import faulthandler\ndef transformEvent(event):\n    if event['event'] == 'e0': faulthandler._sigabrt()\n    return {}",
    )
    .await;
    let failure = run(&transformation, &events(1)).await.unwrap_err();
    assert!(matches!(&failure, CallFailure::Trapped(_)), "{failure:?}");
    assert_eq!(outputs(&run(&transformation, &events(2)[1..]).await.unwrap()), ["0: {}"]);
}

/// componentize-py frees nothing that it returns.
#[tokio::test]
async fn an_instance_that_has_returned_much_makes_room_before_its_memory_is_full() {
    let limits = Config { recycle_memory_bytes: 1 << 30, recycle_output_bytes: 8 << 20, ..Config::default() };
    let (runtime, engine) = runtime(limits).await;
    let code = "calls = 0\ndef transformEvent(event):\n    global calls\n    calls += 1\n    return {'calls': calls, 'a': 'x' * (1 << 20)}";
    let transformation = engine.load(source(code)).await.unwrap();
    let mut calls = Vec::new();
    for _ in 0..60 {
        let batch = serde_json::to_vec(&[json!({"message": {}, "metadata": {}})]).unwrap();
        let reply = transformation.transform(&ctx(), batch, 1).await.unwrap();
        let output = outputs(&reply).remove(0);
        calls.push(output[12..output.find(',').unwrap()].parse::<u32>().unwrap());
        assert!(runtime.usage().memory_bytes < 128 << 20, "{:?}", runtime.usage());
    }
    assert_eq!(calls.iter().max(), Some(&8), "{calls:?}");
    assert!(calls.iter().filter(|call| **call == 1).count() >= 7, "{calls:?}");
}
