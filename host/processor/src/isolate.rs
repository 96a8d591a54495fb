//! Finds the guilty: a call that fails as a whole is repeated event by event.

use pintle_runtime::CallFailure;
use std::future::Future;
use std::time::Duration;

/// How long a call waits before it asks again for an instance when none was free.
const BUSY_PAUSE: Duration = Duration::from_millis(20);

/// Calls with all of `items`. When that fails and there is more than one, calls with each of them alone, in
/// fresh instances (a failed call never leaves a used one behind): only the guilty one gets the failure. One
/// that was stopped for time is tried once more alone, since a busy machine can do that to anyone.
///
/// `call` gets a range of the items and answers one result per item.
pub(crate) async fn guilty<R, F>(
    items: usize,
    call: impl Fn(std::ops::Range<usize>) -> F,
) -> Vec<Result<R, CallFailure>>
where
    F: Future<Output = Result<Vec<R>, CallFailure>>,
{
    match patient(|| call(0..items)).await {
        Ok(results) => return results.into_iter().map(Ok).collect(),
        Err(failure) if items == 1 && !matches!(failure, CallFailure::TimedOut(_)) => return vec![Err(failure)],
        Err(_) => {}
    }
    let mut results = Vec::with_capacity(items);
    for at in 0..items {
        let mut result = alone(&call, at).await;
        // With a single item the call above was the first of the two tries.
        if items > 1 && matches!(result, Err(CallFailure::TimedOut(_))) {
            result = alone(&call, at).await;
        }
        results.push(result);
    }
    results
}

async fn alone<R, F>(call: &impl Fn(std::ops::Range<usize>) -> F, at: usize) -> Result<R, CallFailure>
where
    F: Future<Output = Result<Vec<R>, CallFailure>>,
{
    let mut results = patient(|| call(at..at + 1)).await?;
    results.pop().ok_or_else(|| CallFailure::BadOutput("it gave no result for the event".to_owned()))
}

/// Waits for an instance as long as it takes: nobody is to blame when all are in use.
async fn patient<R, F>(call: impl Fn() -> F) -> Result<R, CallFailure>
where
    F: Future<Output = Result<R, CallFailure>>,
{
    loop {
        match call().await {
            Err(failure) if !failure.guilty() => tokio::time::sleep(BUSY_PAUSE).await,
            result => return result,
        }
    }
}
