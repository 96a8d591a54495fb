//! What would be sent of an event now, without sending it.

use super::attempt::{self, End};
use super::suppressed::is_suppressed;
use super::{Outlet, Shared};
use crate::excerpt;
use crate::verdict::Failure;
use pintle_events::Position;
use pintle_runtime::destination::Request;
use pintle_store::suppressions;

/// What would become of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rehearsal {
    /// These requests would be sent, one after another, unless one of them is refused or not answered well. Where
    /// the plugin combines requests, they may travel in company.
    Requests(Vec<Preview>),
    /// Nothing would be sent, for this reason.
    Filtered(String),
    /// It would be a dead letter at once, for this reason.
    Refused(String),
    /// The plugin cannot be asked now, for this reason.
    Unknown(String),
}

/// A request that would be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// Method, URL, headers and body before compression, without secrets, at most `preview-bytes-max`.
    pub request: String,
    /// Why it would not be sent after all: it is malformed, or goes where requests may not go.
    pub refusal: Option<String>,
}

impl Outlet {
    /// Passes an event through the destination transform as a retry would, and shows what comes of it.
    ///
    /// `payload` is JSON `{"message", "metadata"}`; the place makes what is random in it come out as in a retry.
    pub async fn rehearse(&self, position: Position, payload: &[u8]) -> Rehearsal {
        let shared = &*self.inner.shared;
        if is_suppressed(&shared.suppressions, payload) {
            return Rehearsal::Filtered(suppressions::REASON.to_owned());
        }
        match attempt::remake(shared, position, payload, 1, None).await {
            Ok(requests) if requests.is_empty() => {
                Rehearsal::Filtered("the destination has nothing to send for it".to_owned())
            }
            Ok(requests) => Rehearsal::Requests(requests.iter().map(|request| preview(shared, request)).collect()),
            Err(End::Filtered(reason)) => Rehearsal::Filtered(self.masked(&reason)),
            Err(End::Failed(Failure::Unsent { reason }, _)) => Rehearsal::Unknown(self.masked(&reason)),
            Err(End::Failed(failure, _)) => Rehearsal::Refused(self.masked(failure.reason())),
            // Nothing was sent.
            Err(End::Delivered) => Rehearsal::Filtered(String::new()),
        }
    }

    /// A whole text without the destination's secrets.
    #[must_use]
    pub fn unsecret(&self, text: &str) -> String {
        self.inner.shared.mask.excerpt(text, usize::MAX)
    }

    /// The start of a text without the destination's secrets, at most `preview-bytes-max`.
    #[must_use]
    pub fn masked(&self, text: &str) -> String {
        let shared = &*self.inner.shared;
        shared.mask.excerpt(text, shared.config.preview_bytes_max.get())
    }
}

fn preview(shared: &Shared, request: &Request) -> Preview {
    let bytes_max = shared.config.preview_bytes_max.get();
    let refusal = shared.http.refusal(request);
    Preview {
        request: excerpt::request(request, &shared.mask, bytes_max),
        refusal: refusal.map(|refusal| shared.mask.excerpt(&refusal.to_string(), bytes_max)),
    }
}
