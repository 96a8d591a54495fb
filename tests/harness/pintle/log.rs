//! What it says on stderr.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// Lines that are kept of each of the two ends.
const LINES_SHOWN: usize = 150;

/// The lines of all starts.
#[derive(Debug, Default)]
pub(super) struct Log {
    lines: Arc<Mutex<Vec<String>>>,
    /// Where those of the last start begin.
    start: usize,
}

impl Log {
    /// Collects lines until the process ends. Answers with the gateway's and the admin API's address when it
    /// is up; the sender is dropped when it ends before.
    pub(super) fn follow(&mut self, stderr: impl Read + Send + 'static) -> oneshot::Receiver<(SocketAddr, SocketAddr)> {
        let (up, came_up) = oneshot::channel();
        let lines = self.lines.clone();
        let start = self.lock().len();
        self.start = start;
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
        let lines = self.lock();
        if lines.len() <= 2 * LINES_SHOWN {
            return lines.join("\n");
        }
        let (first, last) = (&lines[..LINES_SHOWN], &lines[lines.len() - LINES_SHOWN..]);
        let left_out = lines.len() - 2 * LINES_SHOWN;
        format!("{}\n… {left_out} lines …\n{}", first.join("\n"), last.join("\n"))
    }

    /// The fields of the first line of the last start that says this, if there is one.
    pub(super) fn said(&self, message: &str, is_it: impl Fn(&Value) -> bool) -> Option<Value> {
        self.lock()[self.start..]
            .iter()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .map(|mut line| line["fields"].take())
            .find(|fields| fields["message"] == message && is_it(fields))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
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
