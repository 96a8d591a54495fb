//! The tools that building takes: other people's programs, which may not be there.

use crate::failure::{Exit, Failure};
use std::io::ErrorKind;
use std::process::Stdio;
use tokio::process::Command;

/// Runs a tool to its end and gives its stdout; what it says on stderr is shown as it comes. `missing` says what
/// to do when it is not there.
pub(crate) async fn run(command: &mut Command, missing: &str) -> Result<Vec<u8>, Failure> {
    let shown = command.as_std().get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null()).stderr(Stdio::inherit()).stdout(Stdio::piped()).kill_on_drop(true);
    // Not `output()`, which would keep stderr to itself.
    let child = match command.spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(Failure::new(Exit::Failed, format!("{shown} is not on this machine; {missing}")));
        }
        Err(error) => return Err(Failure::new(Exit::Failed, format!("{shown}: {error}"))),
    };
    let output =
        child.wait_with_output().await.map_err(|error| Failure::new(Exit::Failed, format!("{shown}: {error}")))?;
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(Failure::new(Exit::Failed, format!("{shown} failed ({}); what it said is above", output.status))),
    }
}
