use crate::guests::{lasting_cache, outputs, shipped};
use crate::scripts::{self, events, run};
use pintle_runtime::transformation::{Entry, Handler, Reply, ScriptEngine, ScriptError, Source, Transformation};
use pintle_runtime::{CallFailure, Config, Runtime};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;

async fn engine() -> Arc<ScriptEngine> {
    static ENGINE: OnceCell<Arc<ScriptEngine>> = OnceCell::const_new();
    let start = || async {
        let limits = Config { run_time_max: Duration::from_secs(1), ..Config::default() };
        runtime(limits).await.1
    };
    ENGINE.get_or_init(start).await.clone()
}

async fn runtime(limits: Config) -> (Runtime, Arc<ScriptEngine>) {
    let limits = Config { cache_dir: Some(lasting_cache()), instances_max: 32, ..limits };
    let runtime = Runtime::new(limits).unwrap();
    let engine = runtime.script_engine(&shipped("javascript-engine.wasm")).await.unwrap();
    (runtime, engine)
}

fn source(code: &str) -> Source {
    scripts::source("transformation.js", code)
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

#[tokio::test]
async fn an_event_comes_back_changed() {
    let reply = reply("export function transformEvent(event, metadata) {\n  return {event: event.event + '!', source: metadata(event).sourceId};\n}", 2).await;
    assert_eq!(outputs(&reply), [r#"0: {"event":"e0!","source":"s1"}"#, r#"1: {"event":"e1!","source":"s1"}"#]);
}

#[tokio::test]
async fn a_promise_is_waited_for() {
    let code = "export async function transformEvent(event) {
        await null; await new Promise((resolve) => setTimeout(resolve, 5000));
        return {event: event.event};
    }";
    assert_eq!(outputs(&reply(code, 2).await), [r#"0: {"event":"e0"}"#, r#"1: {"event":"e1"}"#]);
}

#[tokio::test]
async fn what_an_event_throws_says_where_and_hurts_no_other() {
    let code = "export function transformEvent(event) {\n  if (event.event === 'e1') {\n    return event.missing.y;\n  }\n  return {};\n}";
    let reply = reply(code, 3).await;
    let [_, Entry::Error { index: 1, message, stack: Some(stack) }, _] = reply.entries.as_slice() else {
        panic!("{reply:?}")
    };
    assert!(message.starts_with("TypeError"), "{message}");
    assert!(stack.contains("transformation.js:3:"), "{stack}");
}

#[tokio::test]
async fn an_event_can_be_dropped_or_become_many() {
    let code = "export function transformEvent(event) {
        if (event.event === 'e0') return;
        if (event.event === 'e1') return [{a: 1}, {a: 2}];
        return {a: 3};
    }";
    assert_eq!(outputs(&reply(code, 3).await), ["0 dropped", r#"1: {"a":1}"#, r#"1: {"a":2}"#, r#"2: {"a":3}"#]);
}

#[tokio::test]
async fn a_batch_is_seen_as_a_whole() {
    let code =
        "export function transformBatch(events, metadata) {\n  return events.filter((e) => e.event !== 'e1');\n}";
    let transformation = load(code).await;
    assert_eq!(transformation.handler(), Handler::Batch);
    let reply = run(&transformation, &events(3)).await.unwrap();
    let kept: Vec<_> = reply.entries.iter().filter(|entry| matches!(entry, Entry::Output { .. })).collect();
    assert_eq!(kept.len(), 2, "{reply:?}");
}

#[tokio::test]
async fn time_and_chance_come_from_the_context() {
    let code = "export function transformEvent() {
        return {now: Date.now(), date: new Date().toISOString(), random: Math.random(), id: crypto.randomUUID()};
    }";
    let (first, second) = (load(code).await, load(code).await);
    let one = outputs(&run(&first, &events(2)).await.unwrap());
    assert_eq!(one, outputs(&run(&second, &events(2)).await.unwrap()));
    assert_eq!(one, outputs(&run(&first, &events(2)).await.unwrap()), "and do not depend on what ran before");
    assert!(one[0].contains(r#""now":1700000000000"#), "{one:?}");
    assert!(one[0].contains(r#""date":"2023-11-14T22:13:20"#), "{one:?}");
    assert_ne!(one[0][3..], one[1][3..], "each event has its own");
}

#[tokio::test]
async fn logs_are_kept_up_to_a_limit() {
    let code =
        "export function transformEvent(event) {\n  log('hello', {a: 1}); console.warn('careful'); return event;\n}";
    let reply = reply(code, 1).await;
    let logs: Vec<_> = reply.logs.iter().map(|line| (line.level.as_str(), line.message.as_str())).collect();
    assert_eq!(logs, [("info", r#"hello {"a":1}"#), ("warn", "careful")]);
    let flood =
        "export function transformEvent(event) { for (let i = 0; i < 5000; i++) log('line ' + i); return event; }";
    let reply = self::reply(flood, 1).await;
    assert_eq!(reply.logs.len(), Config::default().logs_per_batch_max + 1);
    assert!(reply.logs.last().unwrap().message.contains("left out"), "{:?}", reply.logs.last());
}

#[tokio::test]
async fn what_never_ends_is_stopped_and_the_next_batch_runs() {
    let transformation = load(
        "export function transformEvent(event) {
            if (event.event === 'loop') for (;;);
            if (event.event === 'catch') for (;;) try { for (;;); } catch {}
            if (event.event === 'regex') /^(a+)+$/.test('a'.repeat(60) + 'b');
            return {ok: true};
        }",
    )
    .await;
    for kind in ["loop", "catch", "regex"] {
        let failure = run(&transformation, &[json!({"event": kind})]).await.unwrap_err();
        assert_eq!(failure, CallFailure::TimedOut(Duration::from_secs(1)), "{kind}");
        assert_eq!(outputs(&run(&transformation, &[json!({})]).await.unwrap()), [r#"0: {"ok":true}"#]);
    }
}

#[tokio::test]
async fn a_promise_that_spins_is_stopped() {
    let transformation = load("export async function transformEvent() { for (;;) await null; }").await;
    assert!(matches!(run(&transformation, &events(1)).await, Err(CallFailure::TimedOut(_))));
}

#[tokio::test]
async fn hogs_are_told_apart_from_crashes() {
    let code = "export function transformEvent(event) {
        const hoard = [];
        for (;;) hoard.push({a: [1, 2, 3], b: 'x' + hoard.length});
    }";
    let (_runtime, engine) = runtime(Config { run_time_max: Duration::from_secs(60), ..Config::default() }).await;
    let transformation = engine.load(source(code)).await.unwrap();
    match run(&transformation, &events(1)).await {
        Err(failure) => assert_eq!(failure, CallFailure::OutOfMemory),
        Ok(reply) => assert!(
            matches!(&reply.entries[0], Entry::Error { message, .. } if message.contains("memory")),
            "{reply:?}"
        ),
    }
}

#[tokio::test]
async fn recursion_is_the_events_own_problem() {
    let reply = reply("export function transformEvent(event) { return transformEvent(event); }", 1).await;
    assert!(matches!(&reply.entries[0], Entry::Error { message, .. } if message.contains("recursion")), "{reply:?}");
}

#[tokio::test]
async fn a_huge_output_is_refused() {
    let transformation = load("export function transformEvent() { return {a: 'x'.repeat(9 << 20)}; }").await;
    let failure = run(&transformation, &events(1)).await.unwrap_err();
    assert_eq!(failure, CallFailure::OutputTooLarge { max: 8 << 20 });
}

#[tokio::test]
async fn a_syntax_error_names_its_place_and_shows_the_line() {
    let error = refusal("export function transformEvent(event) {\n  const é = '日本';  let x = event..y;\n}").await;
    assert_eq!((error.line, error.column), (2, 34), "{error}");
    assert_eq!(error.excerpt, "  const é = '日本';  let x = event..y;");
    assert!(error.message.starts_with("SyntaxError: "), "{error}");
    assert_eq!(error.module, "transformation.js");
}

#[tokio::test]
async fn a_mistake_that_only_the_engine_sees_has_its_place_too() {
    let error = refusal("export function transformEvent(event) {\n  return event;\n}\nlet a = 1;\nlet a = 2;\n").await;
    assert_eq!(error.line, 5, "{error:?}");
    let error = refusal(
        "const settings = undefined;\nexport const limit = settings.limit;\nexport function transformEvent() {}",
    )
    .await;
    assert_eq!((error.line, error.excerpt.as_str()), (2, "export const limit = settings.limit;"), "{error:?}");
    assert!(error.stack.contains("transformation.js:2:"), "{error:?}");
}

#[tokio::test]
async fn a_module_without_a_handler_or_with_both_is_refused() {
    let error = refusal("export function transform(event) {}").await;
    assert!(error.message.contains("transformEvent"), "{error}");
    let error = refusal("export function transformEvent() {}\nexport function transformBatch() {}").await;
    assert!(error.message.contains("transformBatch"), "{error}");
}

#[tokio::test]
async fn a_script_that_never_finishes_loading_is_refused() {
    let error = refusal("for (;;);\nexport function transformEvent() {}").await;
    assert_eq!(error.message, "while it was loaded, it was stopped after 1 s");
}

#[tokio::test]
async fn types_go_and_positions_stay() {
    let code = "interface Event { event: string; missing?: any }\n\
                type Maybe<T> = T | undefined;\n\
                const pick = <T,>(value: Maybe<T>, or: T): T => value ?? or;\n\
                export function transformEvent(event: Event, metadata: (e: Event) => unknown): object {\n\
                \x20 const name: string = pick<string>(event.event as string, 'none')!;\n\
                \x20 return name === 'e0' ? { name } : (event.missing as any).deep;\n\
                }";
    let reply = reply(code, 2).await;
    let [Entry::Output { event, .. }, Entry::Error { stack: Some(stack), .. }] = reply.entries.as_slice() else {
        panic!("{reply:?}")
    };
    assert_eq!(event.get(), r#"{"name":"e0"}"#);
    assert!(stack.contains("transformation.js:6:37") || stack.contains("transformation.js:6:"), "{stack}");
}

#[tokio::test]
async fn a_handler_may_be_exported_under_its_name_later() {
    let code = "const handle = (event) => ({a: event.event});\nexport { handle as transformEvent };\nexport default 7;";
    assert_eq!(outputs(&reply(code, 1).await), [r#"0: {"a":"e0"}"#]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scripts_run_side_by_side_and_do_not_meet() {
    let code = |n: usize| {
        format!("globalThis.n = {n}; export function transformEvent(event) {{ return {{n: globalThis.n}}; }}")
    };
    let mut calls = Vec::new();
    for n in 0..4 {
        let transformation = load(&code(n)).await;
        for _ in 0..10 {
            let transformation = transformation.clone();
            calls.push(tokio::spawn(async move { (n, outputs(&run(&transformation, &events(1)).await.unwrap())) }));
        }
    }
    for call in calls {
        let (n, outputs) = call.await.unwrap();
        assert_eq!(outputs, [format!(r#"0: {{"n":{n}}}"#)]);
    }
}

#[tokio::test]
async fn fresh_per_batch_forgets_what_a_batch_left_behind() {
    let code = "let n = 0; export function transformEvent() { return {n: ++n}; }";
    let kept = load(code).await;
    run(&kept, &events(1)).await.unwrap();
    assert_eq!(outputs(&run(&kept, &events(1)).await.unwrap()), [r#"0: {"n":2}"#]);
    let (_runtime, engine) = runtime(Config { fresh_per_batch: true, ..Config::default() }).await;
    let fresh = engine.load(source(code)).await.unwrap();
    for _ in 0..3 {
        assert_eq!(outputs(&run(&fresh, &events(1)).await.unwrap()), [r#"0: {"n":1}"#]);
    }
}

#[tokio::test]
async fn prototype_games_stay_in_the_event() {
    let code = "export function transformEvent(event) {
        if (event.event === 'e0') { Object.prototype.index = 7; Array.prototype.push = () => { throw 1 }; JSON.stringify = () => 'x'; Map.prototype.get = null; }
        return {own: Object.keys(event).length};
    }";
    let reply = reply(code, 3).await;
    assert_eq!(reply.entries.len(), 3, "{reply:?}");
}
