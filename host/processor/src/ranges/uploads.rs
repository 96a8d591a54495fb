//! Writes objects, however long it takes.

use super::board::{Board, Why};
use super::gathered::Object;
use crate::metrics;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use pintle_objects::{Depot, Failure};
use pintle_router::Mask;
use pintle_store::fail_point;
use pintle_store::settle::Tracker;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// The way to one place.
pub(super) struct Uploads {
    pub(super) depot: Depot,
    pub(super) tracker: Arc<Tracker>,
    pub(super) board: Arc<Board>,
    pub(super) mask: Mask,
    pub(super) attempts_allowed: watch::Receiver<bool>,
    pub(super) at_once_max: NonZeroUsize,
    /// The first wait after a failure, which each further one doubles, and the longest.
    pub(super) retry_base: Duration,
    pub(super) retry_max: Duration,
    pub(super) excerpt_bytes_max: usize,
}

impl Uploads {
    /// Returns when all of them are there.
    pub(super) async fn all(&self, objects: &[Object]) {
        let uploads: Vec<BoxFuture<'_, ()>> = objects.iter().map(|object| self.one(object).boxed()).collect();
        let mut uploads = stream::iter(uploads).buffer_unordered(self.at_once_max.get());
        while uploads.next().await.is_some() {}
    }

    /// Returns when it is there.
    pub(super) async fn one(&self, object: &Object) {
        let mut tries = 0;
        loop {
            self.permission().await;
            let begun = Instant::now();
            let under_way = UnderWay::new(&self.board);
            let put = self.depot.put(&object.bucket, &object.name, object.body.clone()).await;
            drop(under_way);
            match put {
                Ok(()) => {
                    self.board.written();
                    metrics::uploaded(self.tracker.destination(), object.body.len(), object.records, begun.elapsed());
                    fail_point::pass("objects:after-upload");
                    return;
                }
                Err(failure) => {
                    self.note(&failure);
                    tries += 1;
                    tokio::time::sleep(wait(tries, self.retry_base, self.retry_max)).await;
                }
            }
        }
    }

    fn note(&self, failure: &Failure) {
        let (why, kind) = match failure {
            Failure::Refused { .. } => (Why::Refused, "refused"),
            Failure::Later { .. } => (Why::Failing, "retry"),
        };
        let error = self.mask.excerpt(&failure.to_string(), self.excerpt_bytes_max);
        metrics::upload_failed(self.tracker.destination(), kind);
        self.tracker.note_error(&error);
        if self.board.failed(why, &error) {
            tracing::warn!(destination = %self.tracker.destination(), error, "objects cannot be written; the range waits");
        }
    }

    /// Waits until this process may write: it may have lost its lease without knowing yet.
    async fn permission(&self) {
        if *self.attempts_allowed.borrow() {
            return;
        }
        if self.attempts_allowed.clone().wait_for(|allowed| *allowed).await.is_err() {
            // Whoever would allow it is gone for good: this process writes nothing any more.
            std::future::pending::<()>().await;
        }
    }
}

/// An upload that counts as under way, also when it is dropped.
struct UnderWay<'a>(&'a Board);

impl UnderWay<'_> {
    fn new(board: &Board) -> UnderWay<'_> {
        board.in_flight(1);
        UnderWay(board)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.in_flight(-1);
    }
}

fn wait(tries: u32, base: Duration, max: Duration) -> Duration {
    base.saturating_mul(1 << (tries - 1).min(20)).min(max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let (base, max) = (Duration::from_secs(1), Duration::from_secs(5));
        assert_eq!([1, 2, 3, 4, 40].map(|tries| wait(tries, base, max).as_secs()), [1, 2, 4, 5, 5]);
    }
}
