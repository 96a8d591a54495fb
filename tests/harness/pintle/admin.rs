//! Asking the admin API.

use super::{Books, Pintle};
use crate::http::{Answer, Connection};
use serde_json::Value;
use std::io;
use std::time::{Duration, Instant};

/// How often the status is looked at while something is waited for.
const LOOK: Duration = Duration::from_millis(25);
/// What takes longer than this does not happen.
const PATIENCE: Duration = Duration::from_secs(120);

impl Pintle {
    /// GETs a path of the admin API.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn admin(&self, path: &str) -> io::Result<Answer> {
        let mut connection = Connection::open(self.admin_address()).await?;
        let host = self.admin_address();
        connection.write(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).await?;
        connection.answer().await
    }

    /// Sends a request to the admin API.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> io::Result<Answer> {
        let host = self.admin_address();
        let mut connection = Connection::open(host).await?;
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\n", body.len());
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        connection.write(&[head.as_bytes(), b"\r\n", body].concat()).await?;
        connection.answer().await
    }

    /// Sends a JSON document to the admin API; gives the status and the document that comes back, null without
    /// one.
    ///
    /// # Panics
    /// When it does not answer, or not with JSON.
    pub async fn call(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let answer = self.ask(method, path, &[], &body).await.expect("the admin API answers");
        if answer.text.is_empty() {
            return (answer.status, Value::Null);
        }
        let document = serde_json::from_str(&answer.text);
        (answer.status, document.unwrap_or_else(|error| panic!("{method} {path}: {error}: {}", answer.text)))
    }

    /// The same, when it has to succeed.
    ///
    /// # Panics
    /// When it does not.
    pub async fn make(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, document) = self.call(method, path, body).await;
        assert!((200..300).contains(&status), "{method} {path}: {status} {document:#}");
        document
    }

    /// The Prometheus text.
    ///
    /// # Panics
    /// When the admin API does not answer.
    pub async fn metrics(&self) -> String {
        self.admin("/metrics").await.expect("the admin API answers").text
    }

    /// The status.
    ///
    /// # Panics
    /// When the admin API does not answer it.
    pub async fn status(&self) -> Value {
        self.try_status().await.expect("the admin API answers")
    }

    pub(super) async fn try_status(&self) -> io::Result<Value> {
        let answer = self.admin("/admin/v1/status").await?;
        if answer.status != 200 {
            return Err(io::Error::other(format!("{} {}", answer.status, answer.text)));
        }
        Ok(serde_json::from_str(&answer.text)?)
    }

    /// Waits until the status is as `enough` says, and gives it. While Postgres is away there is no status,
    /// and that is fine.
    ///
    /// # Panics
    /// After two minutes, with the last status.
    pub async fn wait_until(&self, what: &str, enough: impl Fn(&Value) -> bool) -> Value {
        self.wait_within(PATIENCE, what, enough).await
    }

    /// The same with another patience.
    ///
    /// # Panics
    /// When it runs out.
    pub async fn wait_within(&self, patience: Duration, what: &str, enough: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + patience;
        loop {
            let status = self.try_status().await;
            match &status {
                Ok(status) if enough(status) => return status.clone(),
                _ => {}
            }
            assert!(Instant::now() < until, "waited {patience:?} for {what}; the last status: {status:#?}");
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until a destination has delivered exactly so many events and has nothing left to do, as the books say;
    /// gives the status then.
    ///
    /// # Panics
    /// As [`Pintle::wait_books`].
    pub async fn wait_delivered(&self, id: &str, events: u64) -> Value {
        let enough = |books: &Books| books.delivered == events as i64 && books.pending == 0;
        self.wait_books(PATIENCE, id, &format!("{events} delivered"), enough).await;
        self.status().await
    }
}

/// A destination's part of the status; null when it is not there.
///
#[must_use]
pub fn destination<'a>(status: &'a Value, id: &str) -> &'a Value {
    let all = status["destinations"].as_array().map(Vec::as_slice).unwrap_or_default();
    all.iter().find(|destination| destination["id"] == id).unwrap_or(&Value::Null)
}
