//! Behind a refusal: the rest of the body is read and thrown away.
//!
//! A socket that is closed with unread bytes in it resets the connection, and a client that is still
//! sending then sees the reset instead of the answer.

use crate::Config;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio_util::sync::CancellationToken;

/// Reads until the body ends, a bound is reached, or the gateway shuts down. Dropping what is left ends
/// the connection.
pub(crate) fn spawn(mut rest: Incoming, config: &Config, shutdown: CancellationToken) {
    let (mut left, time_max) = (config.drain_bytes_max, config.drain_time_max);
    tokio::spawn(async move {
        let all = async {
            while let Some(Ok(frame)) = rest.frame().await {
                let size = frame.data_ref().map_or(0, |data| data.len());
                match left.checked_sub(size) {
                    Some(rest) => left = rest,
                    None => break,
                }
            }
        };
        tokio::select! {
            _ = tokio::time::timeout(time_max, all) => {}
            () = shutdown.cancelled() => {}
        }
    });
}
