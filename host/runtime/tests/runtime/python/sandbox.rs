//! What a transformation cannot reach: the machine, and other transformations.

use super::{error, events, load, refusal, reply, run};
use crate::guests::outputs;
use pintle_runtime::transformation::Entry;

/// The error of a transformation whose body is this.
async fn attempt(body: &str) -> String {
    let code = format!("def transformEvent(event):\n    {}", body.replace('\n', "\n    "));
    let reply = reply(&code, 1).await;
    match reply.entries.as_slice() {
        [Entry::Error { message, .. }] => message.clone(),
        entries => panic!("{body}: {entries:?}"),
    }
}

#[tokio::test]
async fn there_are_no_files() {
    for body in [
        "return {'a': open('/etc/passwd').read()}",
        "return {'a': open('out.txt', 'w').write('x')}",
        "import os\nreturn {'a': os.listdir('/')}",
        "import os\nreturn {'a': os.open('/proc/self/environ', os.O_RDONLY)}",
        "import os\nos.mkdir('/tmp/x')\nreturn {}",
        "import io\nreturn {'a': io.open_code('/etc/hosts').read()}",
        "import pathlib\nreturn {'a': pathlib.Path('/etc/passwd').read_text()}",
        "import sys\nreturn {'a': open(sys.executable or '/usr/bin/python').read()}",
    ] {
        let message = attempt(body).await;
        let kinds = ["FileNotFoundError", "PermissionError", "OSError", "NotADirectoryError"];
        assert!(kinds.iter().any(|kind| message.starts_with(kind)), "{body}: {message}");
    }
}

#[tokio::test]
async fn there_is_no_network() {
    for module in ["socket", "ssl", "http.client", "urllib.request", "asyncio", "requests"] {
        let message = attempt(&format!("import {module}\nreturn {{}}")).await;
        assert!(message.starts_with("ModuleNotFoundError"), "{module}: {message}");
    }
    // The C module is compiled in; the system says no.
    let connect = "import _socket\ns = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)\ns.connect(('127.0.0.1', 80))\nreturn {}";
    let resolve = "import _socket\nreturn {'a': _socket.getaddrinfo('localhost', 80)}";
    let datagram = "import _socket\ns = _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM)\ns.sendto(b'x', ('127.0.0.1', 9))\nreturn {}";
    for body in [connect, resolve, datagram] {
        let message = attempt(body).await;
        let kinds = ["PermissionError", "OSError", "gaierror", "AttributeError"];
        assert!(kinds.iter().any(|kind| message.starts_with(kind)), "{body}: {message}");
    }
}

#[tokio::test]
async fn there_is_no_environment_and_no_other_process() {
    let code = "import os, sys\ndef transformEvent(event):\n    return {'env': dict(os.environ), 'args': sys.argv, 'path': sys.path}";
    assert_eq!(outputs(&reply(code, 1).await), [r#"0: {"env":{},"args":[""],"path":[]}"#]);
    for body in [
        "import subprocess\nreturn {}",
        "import multiprocessing\nreturn {}",
        "import ctypes\nreturn {}",
        "import os\nos.system('ls')\nreturn {}",
        "import os\nos.fork()\nreturn {}",
        "import os\nos.execv('/bin/ls', ['ls'])\nreturn {}",
        "import os\nos.kill(1, 9)\nreturn {}",
        "import threading\nthreading.Thread(target=print).start()\nreturn {}",
        "return {'a': input()}",
    ] {
        let message = attempt(body).await;
        let kinds = ["ModuleNotFoundError", "AttributeError", "OSError", "RuntimeError", "EOFError"];
        assert!(kinds.iter().any(|kind| message.starts_with(kind)), "{body}: {message}");
    }
}

#[tokio::test]
async fn leaving_ends_the_event_only() {
    for (body, expected) in [
        ("import sys\nsys.exit(3)", "SystemExit: 3"),
        ("exit()", "SystemExit"),
        ("import os\nos._exit(4)", "SystemExit: 4"),
        ("import os\nos.abort()", "SystemExit: 0"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise GeneratorExit('x')", "GeneratorExit: x"),
        ("raise BaseException", "BaseException"),
    ] {
        assert!(attempt(body).await.starts_with(expected), "{body}: {}", attempt(body).await);
    }
}

#[tokio::test]
async fn the_engine_and_its_glue_are_out_of_sight() {
    for module in ["pintle", "pintle.scope", "engine", "wit_world", "componentize_py_types", "poll_loop"] {
        let message = attempt(&format!("import {module}\nreturn {{}}")).await;
        assert!(message.starts_with("ModuleNotFoundError"), "{module}: {message}");
    }
}

#[tokio::test]
async fn imports_are_sealed_when_the_script_loads() {
    let code = "import sys\nsys.path.append('/')\nsys.path_hooks.append(print)\ndef transformEvent(event):\n    import smtplib\n    return {}";
    let message = error(&reply(code, 1).await).to_owned();
    assert!(message.starts_with("ModuleNotFoundError: No module named 'smtplib': it is neither"), "{message}");
    let error = refusal("def transformEvent(event): pass\nimport sqlite3").await;
    assert_eq!((error.line, error.column), (2, 1), "{error}");
}

#[tokio::test]
async fn what_one_transformation_breaks_another_does_not_see() {
    let vandal = "import builtins, datetime, json, random, sys, time
real = json.dumps
def transformEvent(event):
    builtins.len = lambda _: 7
    builtins.dict = builtins.isinstance = None
    json.dumps = json.loads = json.encoder.c_make_encoder = json.JSONEncoder.encode = lambda *_: 'broken'
    random.random = time.time = lambda: 4
    sys.modules.clear()
    sys.stdout = None
    return {'len': len('ab'), 'text': str(json.dumps({}))}";
    let (vandal, neighbour) = (load(vandal).await, load("import json, random, time\ndef transformEvent(event):\n    print('hi')\n    return {'len': len('ab'), 'text': json.dumps({}), 'now': time.time(), 'r': random.random() < 1}").await);
    for _ in 0..2 {
        assert_eq!(outputs(&run(&vandal, &events(1)).await.unwrap()), [r#"0: {"len":7,"text":"broken"}"#]);
        let reply = run(&neighbour, &events(1)).await.unwrap();
        assert_eq!(outputs(&reply), [r#"0: {"len":2,"text":"{}","now":1700000000.0,"r":true}"#]);
        assert_eq!(reply.logs[0].message, "hi");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scripts_run_side_by_side_and_do_not_meet() {
    let code = |n: usize| {
        format!(
            "import sys\nsys.mine = {n}\ndef transformEvent(event):\n    seen = sys.mine\n    sys.mine = seen\n    return {{'n': seen}}"
        )
    };
    let mut calls = Vec::new();
    for n in 0..4 {
        let transformation = load(&code(n)).await;
        for _ in 0..5 {
            let transformation = transformation.clone();
            calls.push(tokio::spawn(async move { (n, outputs(&run(&transformation, &events(1)).await.unwrap())) }));
        }
    }
    for call in calls {
        let (n, outputs) = call.await.unwrap();
        assert_eq!(outputs, [format!(r#"0: {{"n":{n}}}"#)]);
    }
}
