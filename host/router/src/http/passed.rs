//! Requests that somebody else has made whole, and signed: they go over the same connections, to the same
//! addresses and no others.

use super::errors::{Connected, cause, describe};
use super::{HttpClient, Unanswered, read};
use bytes::Bytes;
use http_body_util::Full;
use pintle_runtime::egress::Refusal;
use std::time::Duration;
use tokio::time::timeout;

impl HttpClient {
    /// Sends a request as it is, and reads its answer up to `bytes_max`; what lies beyond is not read. Both
    /// together may take so long, by the setting of that name.
    ///
    /// # Errors
    /// When there is no answer, or it may not go there.
    pub async fn pass(
        &self,
        request: hyper::Request<Bytes>,
        (name, within): (&'static str, Duration),
        bytes_max: usize,
    ) -> Result<hyper::Response<Bytes>, Unanswered> {
        self.check(request.uri())?;
        let exchange = async {
            let answer = self.client.request(request.map(Full::new)).await.map_err(|error| {
                cause::<Refusal>(&error)
                    .map_or_else(|| Unanswered::Network(describe(&error, Connected::of(&error))), Unanswered::Forbidden)
            })?;
            let (head, body) = answer.into_parts();
            let body = read(body, bytes_max).await.map_err(|error| {
                Unanswered::Network(format!("the answer broke off: {}", describe(&error, Connected::Yes)))
            })?;
            Ok(hyper::Response::from_parts(head, body))
        };
        let timed_out = |_| Unanswered::TimedOut { what: "no answer came", limit: within, name };
        timeout(within, exchange).await.map_err(timed_out)?
    }
}
