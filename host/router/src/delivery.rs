//! What the processor hands to an outlet.

use bytes::Bytes;
use pintle_events::Position;
use pintle_runtime::destination::{Body, Request};
use pintle_store::settle::Ticket;
use std::sync::Arc;

/// One output of one event on its way to one destination.
#[derive(Debug)]
pub struct Delivery {
    /// Where its fate is handed in.
    pub ticket: Arc<Ticket>,
    /// Which output of the ticket it is.
    pub output: u32,
    /// The event that the output belongs to.
    pub position: Position,
    /// The hash of that event's ordering key.
    pub key_hash: u64,
    /// The event's source.
    pub source_id: Arc<str>,
    /// The connection it travels on.
    pub connection_id: Arc<str>,
    /// The event's message id.
    pub message_id: String,
    /// The event's type.
    pub event_type: String,
    /// JSON `{"message", "metadata"}`: what the destination transform was given.
    pub payload: Bytes,
    /// What the destination transform made of it, to be sent one after another.
    pub requests: Vec<Request>,
}

/// What a delivery costs beside its payload and requests: itself, its place in a queue, its future.
const OVERHEAD_BYTES: usize = 2_048;

impl Delivery {
    /// The memory it takes, near enough.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let requests: usize = self.requests.iter().map(request_bytes).sum();
        OVERHEAD_BYTES + self.payload.len() + self.message_id.len() + requests
    }
}

fn request_bytes(request: &Request) -> usize {
    request.url.len() + pairs_bytes(&request.query) + pairs_bytes(&request.headers) + body_bytes(&request.body)
}

/// The length of a body before compression; of a form, near enough.
pub(crate) fn body_bytes(body: &Body) -> usize {
    match body {
        Body::None => 0,
        Body::Json(bytes) | Body::Raw(bytes) => bytes.len(),
        Body::Xml(text) => text.len(),
        Body::Form(fields) => pairs_bytes(fields),
    }
}

fn pairs_bytes(pairs: &[(String, String)]) -> usize {
    pairs.iter().map(|(name, value)| name.len() + value.len() + 48).sum()
}
