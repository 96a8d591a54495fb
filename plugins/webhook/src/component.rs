//! The glue to the `destination-plugin` world; see `mapping` for what it does.

use std::cell::RefCell;

use crate::{
    MANIFEST,
    config::{self, Config},
    mapping,
};

wit_bindgen::generate!({ world: "destination-plugin", path: "../../wit" });

use exports::pintle::plugin::destination::{
    BatchContext, Body, Combined, ConfigError, Delivery, Guest, Method, Outcome, Request, Response, Verdict,
};

thread_local! {
    // Set once by `configure`; a component has one thread.
    static CONFIG: RefCell<Option<Config>> = const { RefCell::new(None) };
}

struct Webhook;

impl Guest for Webhook {
    fn describe() -> String {
        MANIFEST.to_owned()
    }

    fn configure(config: String) -> Result<(), Vec<ConfigError>> {
        let config = Config::parse(&config)
            .map_err(|mistakes| mistakes.into_iter().map(ConfigError::from).collect::<Vec<_>>())?;
        CONFIG.set(Some(config));
        Ok(())
    }

    fn transform(_: BatchContext, batch: Vec<u8>) -> Vec<Outcome> {
        CONFIG.with_borrow(|config| {
            let config = config.as_ref().expect("the host calls configure before transform");
            let outcomes = mapping::transform(config, &batch).expect("the host hands in a JSON array of events");
            outcomes.into_iter().map(Outcome::from).collect()
        })
    }

    fn combine(_: Vec<Request>) -> Vec<Combined> {
        // The manifest says `"combine": false`: every event is a request of its own.
        Vec::new()
    }

    fn conclude(_: Request, response: Response) -> Vec<Verdict> {
        // The manifest says `"conclude": "standard"`; this is the same rule, for a host that asks anyway.
        vec![match response.status {
            200..=299 => Verdict::Delivered,
            408 | 429 | 500..=599 => Verdict::Retry(None),
            status => Verdict::Reject(format!("the destination answered {status}")),
        }]
    }

    fn authenticate() -> Option<Request> {
        None
    }
}

export!(Webhook);

impl From<config::Mistake> for ConfigError {
    fn from(config::Mistake { path, message }: config::Mistake) -> Self {
        Self { path, message }
    }
}

impl From<mapping::Outcome> for Outcome {
    fn from(outcome: mapping::Outcome) -> Self {
        match outcome {
            mapping::Outcome::Deliver(request) => Self::Deliver(vec![Delivery::Request(request.into())]),
            mapping::Outcome::Reject(reason) => Self::Reject(reason),
        }
    }
}

impl From<mapping::Request> for Request {
    fn from(mapping::Request { method, url, query, headers, body }: mapping::Request) -> Self {
        Self { method: method.into(), url, query, headers, body: body.map_or(Body::None, Body::Json), gzip: false }
    }
}

impl From<config::Method> for Method {
    fn from(method: config::Method) -> Self {
        match method {
            config::Method::Post => Self::Post,
            config::Method::Put => Self::Put,
            config::Method::Patch => Self::Patch,
            config::Method::Get => Self::Get,
            config::Method::Delete => Self::Delete,
        }
    }
}
