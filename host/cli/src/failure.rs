//! How a command ends when it does not end well.

use std::process::ExitCode;

/// The exit codes there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// It did not work: not found, refused, something stays off.
    Failed = 1,
    /// Something is not as it should be (`status --check`).
    Unhealthy = 2,
    /// The command line makes no sense.
    Usage = 64,
    /// The file cannot be used.
    BadFile = 65,
    /// No Pintle answers.
    Unreachable = 69,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// Why a command failed, and the code to leave with.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) error: anyhow::Error,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Failure {
        Failure { exit, error: anyhow::Error::msg(message.into()) }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Failure {
        Failure { exit: Exit::Failed, error: error.into() }
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Failure {
        // serde_json wraps the error of the writer: a closed pipe must stay recognisable.
        match error.io_error_kind() {
            Some(kind) => Failure::from(std::io::Error::from(kind)),
            None => Failure { exit: Exit::Failed, error: error.into() },
        }
    }
}
