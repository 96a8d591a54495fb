//! What was accepted against what became of it.

use super::Pintle;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// How often the books are looked at while something is waited for.
const LOOK: Duration = Duration::from_millis(50);
/// How long a look at the end may take.
const LAST_LOOK_MAX: Duration = Duration::from_secs(30);

/// The books of one destination, summed up over sources and hours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Books {
    /// Accepted while the destination was there to take them.
    pub accepted: i64,
    /// The destination has them.
    pub delivered: i64,
    /// By rule, copies and what is not connected included.
    pub filtered: i64,
    /// Copies of earlier ones.
    pub duplicates: i64,
    /// Dead letters, expired ones included.
    pub dead: i64,
    /// Older than `log-retention`.
    pub expired: i64,
    /// Set aside, to be tried again later.
    pub parked: i64,
    /// In the log, and not settled.
    pub pending: i64,
}

impl Books {
    fn of(row: &Value) -> Books {
        let count = |name: &str| row[name].as_i64().unwrap_or_default();
        Books {
            accepted: count("accepted"),
            delivered: count("delivered"),
            filtered: count("filtered"),
            duplicates: count("duplicates"),
            dead: count("dead"),
            expired: count("expired"),
            parked: count("parked"),
            pending: count("pending"),
        }
    }
}

impl Pintle {
    /// The books of a destination; nothing while the database is away.
    ///
    /// # Panics
    /// When they do not balance: they have to at every moment.
    pub async fn books(&self, destination: &str) -> Option<Books> {
        let path = format!("/admin/v1/ledger?by=destination&destination={destination}");
        let answer = self.admin(&path).await.ok().filter(|answer| answer.status == 200)?;
        let books: Value = serde_json::from_str(&answer.text).expect("the books are JSON");
        assert!(books["balanced"] == true, "the books do not balance: {:#}", books["unbalanced"]);
        Some(Books::of(&books["rows"][0]))
    }

    /// Waits until the books of a destination are as `enough` says, and gives them.
    ///
    /// # Panics
    /// When patience runs out, and when they do not balance at any look.
    pub async fn wait_books(
        &self,
        patience: Duration,
        destination: &str,
        what: &str,
        enough: impl Fn(&Books) -> bool,
    ) -> Books {
        let until = Instant::now() + patience;
        loop {
            let books = self.books(destination).await;
            if let Some(books) = books.filter(&enough) {
                return books;
            }
            if Instant::now() > until {
                let status = self.try_status().await;
                panic!(
                    "waited {patience:?} for {what} at {destination}; its books: {books:?}; the status: {status:#?}"
                );
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Somebody has meddled with the books: they are not looked at in the end.
    pub fn leave_books(&mut self) {
        self.is_audited = false;
    }

    /// What does not balance now, if that can be known.
    pub(super) fn unbalanced(&self) -> Option<String> {
        let admin = self.running.as_ref().filter(|_| self.is_audited)?.admin;
        // One that wants a token or TLS, or whose database is away, says nothing.
        let answer = get(admin, "/admin/v1/ledger?all=true&by=destination").ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let books: Value = serde_json::from_str(body).ok().filter(|_| head.contains(" 200 "))?;
        (books["balanced"] == false).then(|| format!("{:#}", books["unbalanced"]))
    }
}

/// Asks without a runtime: whatever runs has ended, or is about to.
fn get(address: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, LAST_LOOK_MAX)?;
    stream.set_read_timeout(Some(LAST_LOOK_MAX))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
