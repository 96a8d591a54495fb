//! What is wrong with a file, where, and what to do about it.

use serde::Serialize;
use std::fmt;
use std::path::{Path, PathBuf};

/// One thing wrong with a catalog or the file it came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// What it is about, e.g. `connections.site-orders.source`; empty for the file as a whole.
    pub path: String,
    /// Line of the file, from 1, when it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Column of the line, from 1, when it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u64>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub fix: String,
}

impl Problem {
    /// A problem whose place in the file is not known (yet).
    pub fn new(path: impl Into<String>, message: impl Into<String>, fix: impl Into<String>) -> Problem {
        Problem { path: path.into(), line: None, column: None, message: message.into(), fix: fix.into() }
    }

    /// The same problem, at this place.
    #[must_use]
    pub fn at(mut self, line: u64, column: u64) -> Problem {
        // A parser that does not know says 0.
        if line > 0 {
            self.line = Some(line);
            self.column = Some(column);
        }
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        if !self.fix.is_empty() {
            write!(f, "; {}", self.fix)?;
        }
        Ok(())
    }
}

/// A file that cannot become a catalog. Holds at least one problem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
pub struct FileError {
    /// The file that was asked for.
    pub file: PathBuf,
    /// Everything that is wrong, in the order of the file.
    pub problems: Vec<Problem>,
}

impl FileError {
    pub(crate) fn new(file: &Path, mut problems: Vec<Problem>) -> FileError {
        problems.sort_by_key(|p| (p.line.unwrap_or(u64::MAX), p.column));
        FileError { file: file.to_owned(), problems }
    }

    /// The line of the first problem.
    #[must_use]
    pub fn line(&self) -> Option<u64> {
        self.problems.first().and_then(|p| p.line)
    }

    /// The column of the first problem.
    #[must_use]
    pub fn column(&self) -> Option<u64> {
        self.problems.first().and_then(|p| p.column)
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, problem) in self.problems.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{}", self.file.display())?;
            if let (Some(line), Some(column)) = (problem.line, problem.column) {
                write!(f, ":{line}:{column}")?;
            }
            write!(f, ": {problem}")?;
        }
        Ok(())
    }
}
