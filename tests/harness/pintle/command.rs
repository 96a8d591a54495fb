//! The program's other commands.

use super::{Pintle, program};
use serde_json::Value;
use std::process::Stdio;

/// What a command said.
#[derive(Debug)]
pub struct Said {
    /// Its exit code.
    pub code: i32,
    /// On stdout.
    pub out: String,
    /// On stderr.
    pub err: String,
}

impl Said {
    /// Its JSON document.
    ///
    /// # Panics
    /// When it said something else.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("not JSON ({error}): {self:?}"))
    }
}

impl Pintle {
    /// Runs `pintle` with these arguments against this one's admin API.
    ///
    /// # Panics
    /// When the program cannot be run.
    pub async fn cli(&self, arguments: &[&str]) -> Said {
        let output = self.command(arguments).output().await.expect("the program runs");
        Said {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The command without an admin API to ask: for what needs no running Pintle.
    #[must_use]
    pub fn command_alone(&self, arguments: &[&str]) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(program());
        command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    /// The command, to be run in another way. It ends when its process is dropped.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(program());
        command.args(arguments).env("PINTLE_ADMIN", format!("http://{}", self.admin_address()));
        command.stdin(Stdio::null()).kill_on_drop(true);
        command
    }
}
