//! What the tests of each script engine give it.

use pintle_runtime::CallFailure;
use pintle_runtime::transformation::{Context, Reply, Source, Transformation};
use serde_json::{Value, json};

pub fn source(name: &str, code: &str) -> Source {
    let (id, version) = ("transformation-1".to_owned(), "version-1".to_owned());
    Source { id, version, name: name.to_owned(), code: code.to_owned(), ..Source::default() }
}

pub fn ctx() -> Context {
    Context {
        now_ms: 1_700_000_000_000,
        random_seed: 42,
        transformation_id: "transformation-1".to_owned(),
        version_id: "version-1".to_owned(),
    }
}

pub fn events(count: usize) -> Vec<Value> {
    (0..count).map(|n| json!({"type": "track", "event": format!("e{n}"), "messageId": format!("m{n}")})).collect()
}

pub async fn run(transformation: &Transformation, events: &[Value]) -> Result<Reply, CallFailure> {
    let batch: Vec<_> =
        events.iter().map(|message| json!({"message": message, "metadata": {"sourceId": "s1"}})).collect();
    transformation.transform(&ctx(), serde_json::to_vec(&batch).unwrap(), events.len()).await
}
