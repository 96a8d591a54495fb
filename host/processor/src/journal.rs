//! What transformations log, kept in memory: the last lines of each, and everyone who follows them.

use crate::config::Config;
use pintle_runtime::transformation::LogLine;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::broadcast;

/// Lines that a follower may be behind before it misses some.
const BEHIND_MAX: usize = 1_024;

/// The books of all transformations. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Journal {
    books: Arc<Mutex<BTreeMap<String, Arc<Book>>>>,
    lines_max: usize,
    bytes_max: usize,
}

/// The log of one transformation.
#[derive(Debug)]
pub struct Book {
    lines_max: usize,
    bytes_max: usize,
    kept: Mutex<Kept>,
    follow: broadcast::Sender<Line>,
}

#[derive(Debug, Default)]
struct Kept {
    lines: VecDeque<Line>,
    bytes: usize,
    next: u64,
}

/// A logged line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Counted up from 1 since the process started.
    pub seq: u64,
    /// When it was logged, in Unix milliseconds.
    pub at_ms: u64,
    /// The version that logged it: the start of its code's digest.
    pub version: Arc<str>,
    /// `debug`, `info`, `warn` or `error`.
    pub level: Arc<str>,
    /// The text.
    pub message: Arc<str>,
}

impl Journal {
    /// An empty journal with these bounds.
    #[must_use]
    pub fn new(config: &Config) -> Journal {
        Journal { books: Arc::default(), lines_max: config.log_lines_max.get(), bytes_max: config.log_bytes_max.get() }
    }

    /// The book of a transformation.
    #[must_use]
    pub fn book(&self, transformation: &str) -> Arc<Book> {
        let mut books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        books.entry(transformation.to_owned()).or_insert_with(|| Arc::new(self.blank())).clone()
    }

    /// Forgets the books of transformations that are gone.
    pub fn retain(&self, is_there: impl Fn(&str) -> bool) {
        self.books.lock().unwrap_or_else(PoisonError::into_inner).retain(|id, _| is_there(id));
    }

    fn blank(&self) -> Book {
        Book {
            lines_max: self.lines_max,
            bytes_max: self.bytes_max,
            kept: Mutex::default(),
            follow: broadcast::Sender::new(BEHIND_MAX),
        }
    }
}

impl Book {
    /// Adds what a batch logged.
    pub fn write(&self, version: &str, lines: &[LogLine]) {
        if !lines.is_empty() {
            self.add(version, lines.iter().map(|line| (line.level.as_str(), line.message.as_str())));
        }
    }

    /// Adds an error.
    pub fn error(&self, version: &str, message: &str) {
        self.add(version, std::iter::once(("error", message)));
    }

    /// The last lines, and every line from then on: none is missed in between.
    #[must_use]
    pub fn follow(&self, limit: usize) -> (Vec<Line>, broadcast::Receiver<Line>) {
        let kept = self.kept();
        let lines = kept.lines.iter().skip(kept.lines.len().saturating_sub(limit)).cloned().collect();
        (lines, self.follow.subscribe())
    }

    fn add<'a>(&self, version: &str, lines: impl Iterator<Item = (&'a str, &'a str)>) {
        let (at_ms, version): (u64, Arc<str>) = (crate::runner::now_ms(), version.into());
        let mut kept = self.kept();
        for (level, message) in lines {
            kept.next += 1;
            let line =
                Line { seq: kept.next, at_ms, version: version.clone(), level: level.into(), message: message.into() };
            kept.bytes += message.len();
            kept.lines.push_back(line.clone());
            while kept.lines.len() > self.lines_max || (kept.bytes > self.bytes_max && kept.lines.len() > 1) {
                let oldest = kept.lines.pop_front().expect("there is more than one");
                kept.bytes -= oldest.message.len();
            }
            // Under the lock, so that followers get lines in order. Nobody follows: no harm.
            _ = self.follow.send(line);
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroUsize;

    fn journal(lines: usize, bytes: usize) -> Journal {
        let positive = |n| NonZeroUsize::new(n).unwrap();
        Journal::new(&Config { log_lines_max: positive(lines), log_bytes_max: positive(bytes), ..Config::default() })
    }

    fn texts(lines: &[Line]) -> Vec<&str> {
        lines.iter().map(|line| &*line.message).collect()
    }

    #[test]
    fn the_oldest_lines_go_by_number_and_by_bytes() {
        let book = journal(3, 10).book("tidy");
        for text in ["one", "two", "three", "four"] {
            book.error("v", text);
        }
        // Three lines would be allowed, but they have twelve bytes.
        assert_eq!(texts(&book.follow(10).0), ["three", "four"]);
        assert_eq!(texts(&book.follow(1).0), ["four"]);
        book.error("v", "longer than all the bytes");
        assert_eq!(book.follow(10).0.len(), 1, "the newest is always kept");
    }

    #[tokio::test]
    async fn a_follower_gets_what_is_there_and_what_comes() {
        let journal = journal(10, 1000);
        let book = journal.book("tidy");
        book.error("v", "before");
        let (lines, mut follow) = book.follow(10);
        journal.book("tidy").error("v", "after");
        assert_eq!(texts(&lines), ["before"]);
        assert_eq!(follow.recv().await.unwrap().message.as_ref(), "after");
    }
}
