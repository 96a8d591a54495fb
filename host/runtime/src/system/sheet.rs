//! What a guest writes to its standard output or error: kept, up to a limit, for the log.

use crate::transformation::LogLine;
use bytes::Bytes;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// How much a guest may write before it has to ask again: all that wasi-libc ever hands over at once.
const PERMIT_BYTES: usize = 64 << 10;

/// One standard stream of an instance. Clones write to the same sheet.
#[derive(Clone)]
pub(super) struct Sheet {
    written: Arc<Mutex<Written>>,
    bytes_max: usize,
}

/// What stands on a sheet.
#[derive(Default)]
pub(super) struct Written {
    text: Vec<u8>,
    left_out: usize,
}

impl Sheet {
    pub(super) fn new(bytes_max: usize) -> Sheet {
        Sheet { written: Arc::default(), bytes_max }
    }

    /// What was written, leaving the sheet empty.
    pub(super) fn take(&self) -> Written {
        std::mem::take(&mut self.written())
    }

    /// Keeps what fits. A guest never notices that something did not.
    fn keep(&self, bytes: &[u8]) {
        let mut written = self.written();
        let room = self.bytes_max - written.text.len();
        let kept = bytes.len().min(room);
        written.text.extend_from_slice(&bytes[..kept]);
        written.left_out = written.left_out.saturating_add(bytes.len() - kept);
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Written {
    /// One log line for each line that is not blank.
    pub(super) fn lines(&self, level: &str) -> Vec<LogLine> {
        let line = |message: &str| LogLine { level: level.to_owned(), message: message.trim_end().to_owned() };
        let text = String::from_utf8_lossy(&self.text);
        let mut lines: Vec<_> = text.lines().filter(|text| !text.trim().is_empty()).map(line).collect();
        if self.left_out > 0 {
            lines.push(line(&format!("{} more bytes were written and left out", self.left_out)));
        }
        lines
    }
}

impl IsTerminal for Sheet {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Sheet {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    // Without a task in between, unlike the stream that would be made of the one above.
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl OutputStream for Sheet {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.keep(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(PERMIT_BYTES)
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Sheet {
    async fn ready(&mut self) {}
}

impl AsyncWrite for Sheet {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.keep(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_counted() {
        let sheet = Sheet::new(10);
        sheet.clone().write(Bytes::from_static(b"one\n\ntwo\xff and more")).unwrap();
        sheet.clone().write(Bytes::from_static(b"!")).unwrap();
        let messages: Vec<_> = sheet.take().lines("info").into_iter().map(|line| line.message).collect();
        assert_eq!(messages, ["one", "two\u{fffd}", "9 more bytes were written and left out"]);
        assert!(sheet.take().lines("info").is_empty());
    }
}
