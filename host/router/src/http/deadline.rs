//! A bound on the whole of making a connection.

use hyper::Uri;
use std::error::Error;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tower_service::Service;

type Failure = Box<dyn Error + Send + Sync>;

/// A connector whose connections stand within a time: names are resolved, TCP is connected and TLS agreed on.
#[derive(Clone, Debug)]
pub(super) struct Deadline<C> {
    inner: C,
    within: Duration,
}

impl<C> Deadline<C> {
    pub(super) fn new(inner: C, within: Duration) -> Deadline<C> {
        Deadline { inner, within }
    }
}

impl<C> Service<Uri> for Deadline<C>
where
    C: Service<Uri, Error = Failure>,
    C::Response: 'static,
    C::Future: Send + 'static,
{
    type Response = C::Response;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<C::Response, Failure>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = tokio::time::timeout(self.within, self.inner.call(uri));
        Box::pin(async move {
            match connecting.await {
                Ok(connected) => connected,
                Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
            }
        })
    }
}
