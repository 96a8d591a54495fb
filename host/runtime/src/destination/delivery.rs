//! The plain types in which a plugin describes deliveries and judges answers.

use bytes::Bytes;
use std::time::Duration;

/// HTTP methods a destination may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET.
    Get,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
}

/// The body of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// No body at all.
    None,
    /// A JSON document, sent as it is.
    Json(Bytes),
    /// Pairs to encode as `application/x-www-form-urlencoded`.
    Form(Vec<(String, String)>),
    /// An XML document.
    Xml(String),
    /// Any bytes.
    Raw(Bytes),
}

/// One HTTP request for the host to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Absolute URL, as the plugin wrote it: not yet checked.
    pub url: String,
    /// Query parameters to append, in this order.
    pub query: Vec<(String, String)>,
    /// Headers in this order, as the plugin wrote them: not yet checked.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Body,
    /// Compress the body with gzip.
    pub gzip: bool,
}

/// A row or object for destinations whose wire the host speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Stream, table or topic.
    pub stream: String,
    /// Partition or row key; empty for none.
    pub key: String,
    /// The bytes.
    pub body: Bytes,
    /// Headers, for wires that have them.
    pub headers: Vec<(String, String)>,
}

/// What the host must carry to the destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// An HTTP request.
    Request(Request),
    /// A record.
    Record(Record),
}

/// What becomes of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Deliver these, one after another.
    Deliver(Vec<Delivery>),
    /// Nothing to deliver, by rule.
    Filter(String),
    /// It can never be delivered.
    Reject(String),
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, cut at the caller's limit.
    pub body: Bytes,
}

/// What an answer means for one event of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It arrived.
    Delivered,
    /// Try again, after this long if given.
    Retry(Option<Duration>),
    /// It never will arrive.
    Reject(String),
    /// Renew the credentials and try again.
    RenewAuth,
}

/// Several prepared requests as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Combined {
    /// The bulk request.
    pub request: Request,
    /// Which of the given requests it carries, in order.
    pub members: Vec<usize>,
}

/// One thing that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ConfigError {
    /// JSON Pointer to the value.
    pub path: String,
    /// What is wrong and how to mend it.
    pub message: String,
}
