//! Python that does its worst, and those beside it that must not notice.

use crate::hostile::{GUILTY, dealt_with};
use crate::neighbours::{Neighbours, assert_unharmed, bodies_alone, events};
use pintle_tests::events::post;
use pintle_tests::pintle::{Options, Pintle};
use pintle_tests::receiver::Receiver;
use std::ops::RangeInclusive;

/// What a transformation does with a few events, and how many of those few are refused for it. Who breaks the
/// interpreter under itself may find it broken at its next misdeed, if that meets the same instance.
const MISDEEDS: [(&str, &str, RangeInclusive<u64>); 10] = [
    ("loop", "while True: pass", GUILTY.1..=GUILTY.1),
    ("recursion", "import copy; a = []; [a := [a] for _ in range(100000)]; copy.deepcopy(a)", GUILTY.1..=GUILTY.1),
    ("memory", "a = []; [a.append(bytearray(1 << 20)) for _ in range(1 << 20)]", GUILTY.1..=GUILTY.1),
    ("output", "event['filler'] = 'x' * (16 << 20)", GUILTY.1..=GUILTY.1),
    ("logs", "[print('x' * 100) for _ in range(100000)]", 0..=0),
    ("regex", "import re; re.match('(a+)+$', 'a' * 60 + 'b')", GUILTY.1..=GUILTY.1),
    ("builtins", "import builtins, json, sys; builtins.len = json.dumps = None; sys.modules.clear()", 0..=GUILTY.1),
    ("exit", "import sys; sys.exit(1)", GUILTY.1..=GUILTY.1),
    ("crash", "import faulthandler; faulthandler._sigabrt()", GUILTY.1..=GUILTY.1),
    ("files", "open('/etc/passwd').read()", GUILTY.1..=GUILTY.1),
];

fn code(misdeed: &str) -> String {
    format!(
        "def transformEvent(event, metadata):\n    if event['messageId'].endswith('{}'):\n        {misdeed}\n    return event\n",
        GUILTY.0
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn python_that_does_its_worst_harms_nobody_beside_it() {
    let alone = bodies_alone().await;
    let neighbours = Neighbours::start().await;
    let sink = Receiver::start().await;
    let mut workspace = neighbours.workspace();
    for (id, misdeed, _) in MISDEEDS {
        workspace = workspace.python(id, &sink.url("/"), &code(misdeed));
    }
    let pintle = Pintle::start(Options::new(&workspace).set("runtime", "run-time-max", 3)).await;

    post(pintle.gateway(), &events(), 100).await.unwrap();
    assert_unharmed(&neighbours, &pintle, alone).await;
    for (id, _, refused) in MISDEEDS {
        let dead = dealt_with(&pintle, id).await;
        assert!(refused.contains(&dead), "{id}: {dead} refused");
    }
}
