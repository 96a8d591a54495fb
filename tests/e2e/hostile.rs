//! Guests that do their worst, and those beside them that must not notice.

use crate::neighbours::{EVENTS, Neighbours, assert_unharmed, bodies_alone, events};
use pintle_tests::events::post;
use pintle_tests::folder::{Folder, target_dir};
use pintle_tests::pintle::{Options, Pintle, destination};
use pintle_tests::receiver::Receiver;
use pintle_tests::workspace::Workspace;
use serde_json::json;
use std::os::unix::fs::symlink;

/// What a transformation does with a few events, and whether that event is refused for it.
const MISDEEDS: [(&str, &str, bool); 8] = [
    ("loop", "for (;;);", true),
    ("recursion", "const down = (n) => down(n + 1) + 1; down(0);", true),
    ("memory", "const hoard = []; for (;;) hoard.push(new Uint8Array(1 << 20).fill(1));", true),
    ("output", "return { ...event, filler: 'x'.repeat(16 << 20) };", true),
    ("logs", "for (let i = 0; i < 10_000; i++) log('x'.repeat(100));", false),
    ("regex", "/^(a+)+$/.test('a'.repeat(60) + 'b');", true),
    (
        "prototypes",
        "Object.prototype.index = 7; Array.prototype.push = () => { throw 1; }; JSON.stringify = () => 'x';
         Object.defineProperty(Object.prototype, 'messageId', { set() { throw 2; }, configurable: true });
         Promise.prototype.then = null; Map.prototype.get = null; String.prototype.split = null;",
        false,
    ),
    ("fetches", "await Promise.all(Array.from({ length: 1_500 }, () => fetchV2(URL).catch(() => 0)));", false),
];
/// How the ids of the guilty events end, and how many they are.
pub const GUILTY: (&str, u64) = ("0/19", 5);

fn code(misdeed: &str, url: &str) -> String {
    format!(
        "const URL = {};
         export async function transformEvent(event) {{
           if (event.messageId.endsWith('{}')) {{ {misdeed} }}
           return event;
         }}",
        json!(url),
        GUILTY.0
    )
}

/// Waits until a destination has dealt with every event; returns how many it refused.
pub async fn dealt_with(pintle: &Pintle, id: &str) -> u64 {
    let counts = |status: &serde_json::Value| {
        let state = destination(status, id);
        let count = |key: &str| state[key].as_u64().unwrap_or(0);
        (count("delivered") + count("dead_letters"), count("dead_letters"))
    };
    let status = pintle.wait_until(&format!("{id} has dealt with all"), |status| counts(status).0 >= EVENTS).await;
    counts(&status).1
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_that_do_their_worst_harm_nobody_beside_them() {
    let alone = bodies_alone().await;
    let neighbours = Neighbours::start().await;
    let (sink, service) = (Receiver::start().await, Receiver::start().await);
    let mut workspace = neighbours.workspace();
    for (id, misdeed, _) in MISDEEDS {
        workspace = workspace.transformed(id, &sink.url("/"), &code(misdeed, &service.url("/")));
    }
    workspace = workspace.granted("fetches", &["127.0.0.1"]);
    let options =
        Options::new(&workspace).set("runtime", "run-time-max", 3).set("runtime", "fetches-per-call-max", 100);
    let pintle = Pintle::start(options).await;

    post(pintle.gateway(), &events(), 100).await.unwrap();
    assert_unharmed(&neighbours, &pintle, alone).await;
    for (id, _, refused) in MISDEEDS {
        let dead = dealt_with(&pintle, id).await;
        assert_eq!(dead, if refused { GUILTY.1 } else { 0 }, "{id}");
    }
    assert!(service.count() > 0, "the flood was let out as far as it may");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rust_guest_that_does_its_worst_harms_nobody_beside_it() {
    let alone = bodies_alone().await;
    let neighbours = Neighbours::start().await;
    let sink = Receiver::start().await;
    // The guest is not among the plugins that are shipped.
    let folder = Folder::new("pintle-plugins");
    let built = target_dir().join("plugins");
    for name in ["webhook.wasm", "javascript-engine.wasm", "fixtures/hostile.wasm"] {
        let file = built.join(name);
        assert!(file.is_file(), "{}: run scripts/build-plugins --fixtures", file.display());
        symlink(&file, folder.path().join(file.file_name().unwrap())).unwrap();
    }
    let misdeeds = ["loop", "recursion", "memory", "output", "panic"];
    let mut workspace: Workspace = neighbours.workspace();
    for misdeed in misdeeds {
        let config = json!({"misdeed": misdeed, "guilty": GUILTY.0, "url": sink.url("/")});
        workspace = workspace.destination(misdeed, "hostile", config);
    }
    let options = Options::new(&workspace).plugins(folder.path()).set("runtime", "run-time-max", 0.5);
    let pintle = Pintle::start(options).await;

    post(pintle.gateway(), &events(), 100).await.unwrap();
    assert_unharmed(&neighbours, &pintle, alone).await;
    for misdeed in misdeeds {
        assert_eq!(dealt_with(&pintle, misdeed).await, GUILTY.1, "{misdeed}");
    }
}
