//! Events whose every byte is the client's, so that receipts can be compared byte by byte.

use crate::http::{Answer, Connection, Request};
use crate::workspace::WRITE_KEY;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::io;
use std::net::SocketAddr;

/// Makes events; the same seed makes the same.
#[derive(Debug)]
pub struct Events {
    random: StdRng,
    filler: usize,
    first: usize,
}

impl Events {
    /// Events with this many bytes that do not compress (beyond what their spelling in hexadecimal allows).
    #[must_use]
    pub fn new(seed: u64, filler: usize) -> Events {
        Events { random: StdRng::seed_from_u64(seed), filler, first: 0 }
    }

    /// Begins to number each user's events here: behind others that were posted before, of which they would be
    /// duplicates.
    #[must_use]
    pub fn after(self, first: usize) -> Events {
        Events { first, ..self }
    }

    /// The `n`th event of a user. It has everything that the gateway would otherwise add.
    pub fn track(&mut self, user: &str, n: usize) -> String {
        let filler: String =
            (0..self.filler.div_ceil(16)).map(|_| format!("{:016x}", self.random.random::<u64>())).collect();
        format!(
            r#"{{"type":"track","event":"Counted","userId":"{user}","messageId":"{user}/{n}","channel":"server","context":{{"library":{{"name":"pintle-tests"}}}},"properties":{{"n":{n},"user":"{user}","filler":"{filler}"}},"originalTimestamp":"2026-01-02T03:04:05.006Z","sentAt":"2026-01-02T03:04:05.007Z","receivedAt":"2026-01-02T03:04:05.008Z","request_ip":"192.0.2.1"}}"#
        )
    }

    /// `users × each` events, the users taking turns.
    pub fn many(&mut self, users: usize, each: usize) -> Vec<String> {
        let first = self.first;
        (0..users * each).map(|at| self.track(&format!("user-{}", at % users), first + at / users)).collect()
    }
}

/// The body of `/v1/batch` with these events.
#[must_use]
pub fn batch(events: &[String]) -> String {
    format!(r#"{{"batch":[{}]}}"#, events.join(","))
}

/// Posts events, so many a request, one request after the other.
///
/// # Errors
/// When the connection breaks.
///
/// # Panics
/// When one is not answered 200.
pub async fn post(gateway: SocketAddr, events: &[String], per_request: usize) -> io::Result<()> {
    let mut connection = Connection::open(gateway).await?;
    for some in events.chunks(per_request) {
        let answer = post_on(&mut connection, some).await?;
        assert_eq!((answer.status, answer.text.as_str()), (200, "ok"));
    }
    Ok(())
}

/// Posts events in one request on this connection.
///
/// # Errors
/// When the connection breaks.
pub async fn post_on(connection: &mut Connection, events: &[String]) -> io::Result<Answer> {
    connection.ask(&Request::post("/v1/batch", batch(events)).key(WRITE_KEY)).await
}
