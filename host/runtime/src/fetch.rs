//! The way out of a guest: the import `network`, and who carries the requests.
//!
//! A guest gets here only if its component asks for the import, as engines with network and some
//! transformations do, and further only if its transformation was granted hosts. The runtime opens no sockets: whoever starts it hands in a
//! [`Network`], which looks at the granted hosts and at every address before it connects.

use crate::Config;
use crate::bindings::network as wit;
use crate::egress::Hosts;
use crate::limiter::State;
use bytes::Bytes;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use wasmtime::component::{HasSelf, Linker};

/// One request of a guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method, as the guest wrote it.
    pub method: String,
    /// The URL, as the guest wrote it.
    pub url: String,
    /// Headers, in this order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Option<Bytes>,
    /// Whether redirects are followed.
    pub follow: bool,
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Where it came from in the end.
    pub url: String,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

/// Answers, in the order of the requests; an error is a sentence for the author of the code.
pub type Answers<'a> = Pin<Box<dyn Future<Output = Vec<Result<Response, String>>> + Send + 'a>>;

/// Carries requests of guests.
pub trait Network: Send + Sync + 'static {
    /// Sends all requests side by side, each to one of `hosts` or not at all. One answer per request. The
    /// future is dropped when the guest's time is up: nothing of it may go on then.
    fn fetch<'a>(&'a self, hosts: &'a Hosts, requests: Vec<Request>) -> Answers<'a>;
}

/// What one instance may ask of the network.
pub(crate) struct WayOut {
    network: Option<Arc<dyn Network>>,
    hosts: Arc<Hosts>,
    left: u32,
    max: u32,
}

impl WayOut {
    /// Nothing is granted yet.
    pub(crate) fn new(network: Option<Arc<dyn Network>>, config: &Config) -> WayOut {
        let max = config.fetches_per_call_max;
        WayOut { network, hosts: Arc::default(), left: max, max }
    }

    pub(crate) fn grant(&mut self, hosts: Arc<Hosts>) {
        self.hosts = hosts;
    }

    /// A call begins, with all requests that it may send.
    pub(crate) fn begin(&mut self) {
        self.left = self.max;
    }

    async fn fetch(&mut self, requests: Vec<Request>) -> Vec<Result<Response, String>> {
        let Some(network) = self.network.clone() else {
            return requests.iter().map(|_| Err("this Pintle has no network for transformations".to_owned())).collect();
        };
        let asked = requests.len();
        let sent = asked.min(self.left as usize);
        self.left -= u32::try_from(sent).unwrap_or(self.left);
        let mut answers = match sent {
            0 => Vec::new(),
            _ => network.fetch(&self.hosts, requests.into_iter().take(sent).collect()).await,
        };
        answers.truncate(sent);
        let message = format!("more than {} requests in one call (fetches-per-call-max)", self.max);
        answers.resize_with(asked, || Err(message.clone()));
        answers
    }
}

/// Offers the import to a component.
pub(crate) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    wit::add_to_linker::<State, HasSelf<State>>(linker, |state| state)
}

impl wit::Host for State {
    async fn fetch_batch(&mut self, requests: Vec<wit::Request>) -> Vec<Result<wit::Response, String>> {
        let requests = requests.into_iter().map(|request| Request {
            method: request.method,
            url: request.url,
            headers: request.headers,
            body: request.body.map(Bytes::from),
            follow: request.follow,
        });
        let answers = self.way_out.fetch(requests.collect()).await;
        let answer = |response: Response| wit::Response {
            status: response.status,
            url: response.url,
            headers: response.headers,
            body: response.body.into(),
        };
        answers.into_iter().map(|result| result.map(answer)).collect()
    }
}
