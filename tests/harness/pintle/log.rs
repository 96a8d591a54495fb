//! What it says on stderr.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// Lines that are kept of each of the two ends.
const LINES_SHOWN: usize = 150;

/// The lines of all starts.
#[derive(Clone, Debug, Default)]
pub(super) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    /// Collects lines until the process ends. Answers with the gateway's and the admin API's address when it
    /// is up; the sender is dropped when it ends before.
    pub(super) fn follow(&self, stderr: impl Read + Send + 'static) -> oneshot::Receiver<(SocketAddr, SocketAddr)> {
        let (up, came_up) = oneshot::channel();
        let lines = self.0.clone();
        std::thread::spawn(move || {
            let mut up = Some(up);
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if let Some(addresses) = addresses(&line)
                    && let Some(up) = up.take()
                {
                    _ = up.send(addresses);
                }
                lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
        came_up
    }

    /// The first and the last lines.
    pub(super) fn text(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() <= 2 * LINES_SHOWN {
            return lines.join("\n");
        }
        let (first, last) = (&lines[..LINES_SHOWN], &lines[lines.len() - LINES_SHOWN..]);
        let left_out = lines.len() - 2 * LINES_SHOWN;
        format!("{}\n… {left_out} lines …\n{}", first.join("\n"), last.join("\n"))
    }
}

fn addresses(line: &str) -> Option<(SocketAddr, SocketAddr)> {
    let line: Value = serde_json::from_str(line).ok()?;
    let fields = &line["fields"];
    if fields["message"] != "pintle is up" {
        return None;
    }
    Some((fields["listen"].as_str()?.parse().ok()?, fields["admin"].as_str()?.parse().ok()?))
}
