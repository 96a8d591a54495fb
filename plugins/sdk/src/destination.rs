//! What a destination must be able to do.

use crate::{Combined, Event, Outcome, Reject, Request, Response, Verdict};
use serde_json::Value;

/// A configured destination.
pub trait Destination: Sized + 'static {
    /// The text of its `manifest.json`: name, version, limits, and the JSON Schema of its configuration.
    const MANIFEST: &'static str;

    /// Takes a configuration, or says everything that is wrong with it at once.
    ///
    /// The host has checked it against the manifest's schema before; what is left to find here is what a
    /// schema cannot say. A value must not appear in a message: it may be a secret.
    ///
    /// # Errors
    /// What is wrong, and where.
    fn configure(config: &Value) -> Result<Self, Mistakes>;

    /// Decides what becomes of one event. The same event and context must give the same outcome: the host
    /// asks again after a crash.
    ///
    /// # Errors
    /// Why the event can never be delivered; it becomes a dead letter. Its neighbours are not touched.
    fn transform(&self, event: &Event<'_>, context: &Context) -> Result<Outcome, Reject>;

    /// Merges prepared requests into bulk requests; only called when the manifest says `"combine": true`, and with
    /// one request alone only when its `batch` says `"alone": true` as well.
    ///
    /// Each request is in one of them at most; what is in none is sent as it is. Keep the order in which they
    /// come: several may be of one user.
    fn combine(&self, requests: Vec<Request>) -> Vec<Combined> {
        drop(requests);
        Vec::new()
    }

    /// Judges an answer; only called when the manifest says `"conclude": "custom"`.
    ///
    /// One verdict for each event that the request carries, in its order, or one for all of them: then the
    /// answer is about the request, and what it refuses is tried again in halves until the guilty event is found.
    fn conclude(&self, request: &Request, response: &Response) -> Vec<Verdict> {
        let _ = request;
        vec![Verdict::standard(response.status)]
    }

    /// The request that gets a token, when the manifest asks for that kind of authentication.
    fn authenticate(&self) -> Option<Request> {
        None
    }
}

/// What a call may know of the world outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// Wall-clock time of the batch, in milliseconds since 1970.
    pub now_ms: u64,
    /// Seed for everything random: the same seed and event give the same outcome.
    pub random_seed: u64,
    /// 1 for the first try of the event, counting up.
    pub attempt: u32,
}

/// One thing that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// JSON Pointer to the value, e.g. `/webhookUrl`.
    pub path: String,
    /// What is wrong and how to mend it, without the value itself.
    pub message: String,
}

/// Everything that is wrong with a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mistakes(pub Vec<Mistake>);

impl Mistakes {
    /// Notes one more.
    pub fn add(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.0.push(Mistake { path: path.into(), message: message.into() });
    }

    /// The value if nothing was noted.
    ///
    /// # Errors
    /// What was noted.
    pub fn or<T>(self, value: T) -> Result<T, Mistakes> {
        if self.0.is_empty() { Ok(value) } else { Err(self) }
    }
}
