//! What a destination answers with: the types of the `destination` world as plain Rust.

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

impl Method {
    /// As HTTP writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }
}

/// The body of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Body {
    /// No body at all.
    #[default]
    None,
    /// A JSON document, sent as it is, with `content-type: application/json` unless a header says otherwise.
    Json(Vec<u8>),
    /// Pairs that the host encodes as `application/x-www-form-urlencoded`.
    Form(Vec<(String, String)>),
    /// An XML document.
    Xml(String),
    /// Any bytes.
    Raw(Vec<u8>),
}

/// One HTTP request for the host to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Absolute `http` or `https` URL, to one of the manifest's hosts.
    pub url: String,
    /// Query parameters that the host appends, not yet encoded, in this order.
    pub query: Vec<(String, String)>,
    /// Headers, in this order. Those of the connection (`host`, `content-length`, …) are the host's.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Body,
    /// Whether the host compresses the body with gzip.
    pub gzip: bool,
}

impl Request {
    /// A request without query, headers and body.
    #[must_use]
    pub fn new(method: Method, url: impl Into<String>) -> Request {
        Request { method, url: url.into(), query: Vec::new(), headers: Vec::new(), body: Body::None, gzip: false }
    }

    /// A POST of a JSON document.
    #[must_use]
    pub fn post_json(url: impl Into<String>, document: &serde_json::Value) -> Request {
        Request { body: Body::Json(document.to_string().into_bytes()), ..Request::new(Method::Post, url) }
    }

    /// The request with one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Request {
        crate::http::set_header(&mut self.headers, name, value.into());
        self
    }
}

/// A row or object for destinations whose wire the host speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Which stream, table or topic it belongs to.
    pub stream: String,
    /// Partition or row key; empty for none.
    pub key: String,
    /// The bytes of the record.
    pub body: Vec<u8>,
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

/// What becomes of one event that can be handled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Deliver these, one after another.
    Deliver(Vec<Delivery>),
    /// Nothing to deliver, by rule; the reason is counted.
    Filter(String),
}

impl Outcome {
    /// Nothing to deliver, for this reason.
    #[must_use]
    pub fn filter(reason: impl Into<String>) -> Outcome {
        Outcome::Filter(reason.into())
    }
}

impl From<Request> for Outcome {
    fn from(request: Request) -> Outcome {
        Outcome::Deliver(vec![Delivery::Request(request)])
    }
}

/// Why an event can never be delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject(pub String);

impl From<String> for Reject {
    fn from(reason: String) -> Reject {
        Reject(reason)
    }
}

impl From<&str> for Reject {
    fn from(reason: &str) -> Reject {
        Reject(reason.to_owned())
    }
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, cut at the host's limit.
    pub body: Vec<u8>,
}

/// What an answer means for one event of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It arrived.
    Delivered,
    /// Try again, after so many milliseconds if given.
    Retry(Option<u64>),
    /// It never will arrive.
    Reject(String),
    /// The credentials have run out: renew them and try again.
    RenewAuth,
}

impl Verdict {
    /// The host's own rule: 2xx arrived; 408, 429 and 5xx come again; all else is refused.
    #[must_use]
    pub fn standard(status: u16) -> Verdict {
        match status {
            200..=299 => Verdict::Delivered,
            408 | 429 | 500..=599 => Verdict::Retry(None),
            status => Verdict::Reject(format!("the destination answered {status}")),
        }
    }
}

/// A bulk request and the deliveries that it carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Combined {
    /// The bulk request.
    pub request: Request,
    /// Places in the list given to `combine`, in order.
    pub members: Vec<u32>,
}
