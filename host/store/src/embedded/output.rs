//! What Postgres says: into a file of bounded size, and its end into our messages.

use std::fs::{self, File};
use std::io::{PipeReader, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of the log's end that are kept for messages.
const TAIL_BYTES: usize = 4096;

/// The end of what one run of Postgres has said.
#[derive(Clone, Debug, Default)]
pub(super) struct Tail(Arc<Mutex<Vec<u8>>>);

impl Tail {
    /// The last complaint, or else the last line.
    pub(super) fn complaint(&self) -> String {
        let text = self.text();
        let lines = || text.lines().filter(|line| !line.trim().is_empty());
        let worst = lines().rfind(|line| line.contains("PANIC:") || line.contains("FATAL:"));
        worst.or_else(|| lines().next_back()).unwrap_or("it said nothing").trim().to_owned()
    }

    /// Whether it has said this lately.
    pub(super) fn mentions(&self, text: &str) -> bool {
        self.text().contains(text)
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    fn push(&self, said: &[u8]) {
        let mut tail = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tail.extend_from_slice(said);
        let excess = tail.len().saturating_sub(TAIL_BYTES);
        tail.drain(..excess);
    }
}

/// Copies from `said` to the file until every process that could say something has ended. It never stops
/// reading before, whatever happens to the file: a full pipe would halt Postgres.
pub(super) fn copy(mut said: PipeReader, path: &Path, bytes_max: u64, tail: &Tail) {
    let mut log = Log::open(path, bytes_max);
    let mut buffer = [0; 8192];
    loop {
        match said.read(&mut buffer) {
            Ok(0) => return,
            Ok(n) => {
                tail.push(&buffer[..n]);
                log.write(&buffer[..n]);
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

/// The file, and the older one beside it.
struct Log {
    path: PathBuf,
    bytes_max: u64,
    bytes: u64,
    file: Option<File>,
}

impl Log {
    fn open(path: &Path, bytes_max: u64) -> Log {
        let bytes = fs::metadata(path).map_or(0, |found| found.len());
        Log { path: path.to_path_buf(), bytes_max, bytes, file: append(path) }
    }

    fn write(&mut self, said: &[u8]) {
        if self.bytes > 0 && self.bytes + said.len() as u64 > self.bytes_max {
            let _ = fs::rename(&self.path, self.path.with_extension("log.1"));
            self.file = append(&self.path);
            self.bytes = 0;
        }
        // A disk that is full loses us the log and nothing else.
        if let Some(file) = &mut self.file
            && file.write_all(said).is_ok()
        {
            self.bytes += said.len() as u64;
        }
    }
}

fn append(path: &Path) -> Option<File> {
    File::options().append(true).create(true).mode(0o600).open(path).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_stays_within_twice_its_bound() {
        let dir = std::env::temp_dir().join(format!("pintle-output-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let path = dir.join("postgres.log");
        let mut log = Log::open(&path, 100);
        for _ in 0..50 {
            log.write(&[b'x'; 30]);
        }
        assert!(fs::metadata(&path).unwrap().len() <= 100);
        assert!(fs::metadata(dir.join("postgres.log.1")).unwrap().len() <= 100);
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 2);
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn the_complaint_is_the_last_fatal_line() {
        let tail = Tail::default();
        tail.push(b"LOG:  starting\nFATAL:  no space\nLOG:  shut down\n");
        assert_eq!(tail.complaint(), "FATAL:  no space");
        tail.push(&[b'y'; 2 * TAIL_BYTES]);
        assert!(tail.text().len() <= TAIL_BYTES);
    }
}
