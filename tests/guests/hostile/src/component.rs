//! The glue to the `destination-plugin` world, and the misdeeds.

use crate::{MANIFEST, guilty};
use serde_json::Value;
use std::cell::RefCell;
use std::hint::black_box;

wit_bindgen::generate!({ world: "destination-plugin", path: "../../../wit" });

use exports::pintle::plugin::destination::{
    BatchContext, Body, Combined, ConfigError, Delivery, Guest, Method, Outcome, Request, Response, Verdict,
};

thread_local! {
    static CONFIG: RefCell<Value> = const { RefCell::new(Value::Null) };
}

struct Hostile;

impl Guest for Hostile {
    fn describe() -> String {
        MANIFEST.to_owned()
    }

    fn configure(config: String) -> Result<(), Vec<ConfigError>> {
        let config = serde_json::from_str(&config)
            .map_err(|error| vec![ConfigError { path: String::new(), message: error.to_string() }])?;
        CONFIG.set(config);
        Ok(())
    }

    fn transform(_: BatchContext, batch: Vec<u8>) -> Vec<Outcome> {
        let events: Vec<Value> = serde_json::from_slice(&batch).expect("the host hands in a JSON array of events");
        CONFIG.with_borrow(|config| events.into_iter().map(|event| outcome(config, &event)).collect())
    }

    fn combine(_: Vec<Request>) -> Vec<Combined> {
        Vec::new()
    }

    fn conclude(_: Request, _: Response) -> Vec<Verdict> {
        vec![Verdict::Delivered]
    }

    fn authenticate() -> Option<Request> {
        None
    }
}

export!(Hostile);

fn outcome(config: &Value, event: &Value) -> Outcome {
    let message = &event["message"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut url = text(&config["url"]);
    if guilty(&text(&message["messageId"]), &text(&config["guilty"])) {
        misbehave(&text(&config["misdeed"]));
        // Only one misdeed comes back: an outcome that is too large to take.
        url.push_str(&"x".repeat(32 << 20));
    }
    Outcome::Deliver(vec![Delivery::Request(Request {
        method: Method::Post,
        url,
        query: Vec::new(),
        headers: Vec::new(),
        body: Body::Json(message.to_string().into_bytes()),
        gzip: false,
    })])
}

fn misbehave(misdeed: &str) {
    match misdeed {
        "loop" => loop {
            black_box(0);
        },
        "recursion" => _ = recurse(black_box(1)),
        "memory" => {
            let mut hoard = Vec::new();
            loop {
                hoard.push(vec![1_u8; 1 << 20]);
                black_box(&hoard);
            }
        }
        "panic" => panic!("on purpose"),
        // `output` happens on the way back.
        _ => {}
    }
}

#[expect(unconditional_recursion, reason = "it is the misdeed")]
fn recurse(depth: u64) -> u64 {
    black_box(recurse(black_box(depth + 1))) + 1
}
