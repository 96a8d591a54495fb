//! What each command does.

use crate::args::{ClientCommand, Events, Import, ImportWhat, Plugin, Server, Transform};
use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::{Outside, dead_letters, plugin, remote, show, transform};
use pintle_control::health::{Thresholds, complaints};
use pintle_control::{Status, TailLine};
use serde::Serialize;
use std::collections::BTreeSet;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// Runs a command to its end; what went wrong is told on `err`.
pub(crate) fn run(command: ClientCommand, outside: Outside, out: &mut dyn Write, err: &mut dyn Write) -> Exit {
    let done = match command {
        ClientCommand::Import(Import { what: None, check: Some(file), plugins_dir, json }) => {
            check(&file, plugins_dir.as_deref(), json, out)
        }
        other => match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime.block_on(ask(other, outside, out, err)),
            Err(error) => Err(error.into()),
        },
    };
    match done {
        Ok(exit) => exit,
        Err(failure) if is_closed_pipe(&failure) => Exit::Done,
        Err(failure) => {
            let _ = writeln!(err, "pintle: {}", show::plain_lines(&failure.error.to_string()));
            failure.exit
        }
    }
}

/// `pintle events tail | head` closes the pipe when it has seen enough.
fn is_closed_pipe(failure: &Failure) -> bool {
    let error = failure.error.downcast_ref::<std::io::Error>();
    error.is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

async fn ask(
    command: ClientCommand,
    outside: Outside,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Exit, Failure> {
    match command {
        ClientCommand::Status { check: false, server, .. } => status(&server, out).await,
        ClientCommand::Status { check: true, unsettled_max, dead_letters_max, server } => {
            let thresholds =
                Thresholds { unsettled_seconds_max: unsettled_max, dead_letters_max, ..Thresholds::default() };
            health(&server, &thresholds, out).await
        }
        ClientCommand::DeadLetters(command) => dead_letters::run(command, out, err).await,
        ClientCommand::Events(Events::Tail { server }) => tail(&server, out, err).await,
        // In a box: it may run components, and would make the future of every other command larger.
        ClientCommand::Why(command) => Box::pin(crate::why::run(command, out, err)).await,
        ClientCommand::Import(Import { what: Some(ImportWhat::RudderCli(import)), .. }) => {
            remote::import_rudder_cli(&import, out, err).await
        }
        ClientCommand::Import(_) => Err(Failure::new(Exit::Usage, "name a file with --check, or what to import")),
        // In boxes: they run components, and would make the future of every other command larger.
        ClientCommand::Plugin(Plugin::Local(command)) => Box::pin(plugin::run(command, out, err)).await,
        ClientCommand::Transform(Transform::Local(command)) => {
            Box::pin(transform::run(command, outside, out, err)).await
        }
        ClientCommand::Plugin(Plugin::Remote(command)) => remote::plugin(command, out, err).await,
        ClientCommand::Transform(Transform::Remote(command)) => remote::transform(command, out, err).await,
        ClientCommand::Remote(command) => remote::run(command, out, err).await,
    }
}

async fn status(server: &Server, out: &mut dyn Write) -> Result<Exit, Failure> {
    let status: Status = Client::of(server)?.get("/admin/v1/status").await?;
    if server.json {
        json(&status, out)?;
    } else {
        show::status::status(&status, now_ms(), out)?;
    }
    Ok(Exit::Done)
}

/// For a monitor that knows exit codes: nothing to say is good news.
async fn health(server: &Server, thresholds: &Thresholds, out: &mut dyn Write) -> Result<Exit, Failure> {
    let status: Status = Client::of(server)?.get("/admin/v1/status").await?;
    let found = complaints(&status, thresholds);
    if server.json {
        json(&serde_json::json!({"healthy": found.is_empty(), "complaints": found}), out)?;
    } else {
        for complaint in &found {
            writeln!(out, "{}", show::plain(complaint))?;
        }
    }
    Ok(if found.is_empty() { Exit::Done } else { Exit::Unhealthy })
}

async fn tail(server: &Server, out: &mut dyn Write, err: &mut dyn Write) -> Result<Exit, Failure> {
    let mut lines = Client::of(server)?.lines("/admin/v1/events/tail").await?;
    while let Some(line) = lines.next().await? {
        match serde_json::from_slice::<TailLine>(&line)? {
            TailLine::Event(event) if server.json => {
                json_line(&event, out)?;
            }
            TailLine::Event(event) => show::events::line(&event, out)?,
            TailLine::End(end) => {
                writeln!(err, "pintle: the stream ends: {}; {} missed", end.reason, end.missed)?;
                return Ok(Exit::Failed);
            }
        }
        // Whoever watches wants to see it now, also through a pipe.
        out.flush()?;
    }
    Err(Failure::new(Exit::Failed, "the stream broke off: the server is gone"))
}

fn check(file: &Path, plugins_dir: Option<&Path>, as_json: bool, out: &mut dyn Write) -> Result<Exit, Failure> {
    let plugins = match plugins_dir {
        Some(folder) => plugins_in(folder)?,
        None => pintle_catalog::file::bundled_plugins(),
    };
    let loaded = match pintle_catalog::load(file, &plugins) {
        Ok(loaded) => loaded,
        Err(error) if as_json => {
            json(&error, out)?;
            return Ok(Exit::BadFile);
        }
        Err(error) => return Err(Failure::new(Exit::BadFile, error.to_string())),
    };
    let report = show::import::Checked::of(&loaded);
    if as_json {
        json(&report, out)?;
    } else {
        show::import::report(&report, out)?;
    }
    Ok(if report.all_on() { Exit::Done } else { Exit::Failed })
}

fn plugins_in(folder: &Path) -> Result<BTreeSet<String>, Failure> {
    let unreadable = |error: std::io::Error| {
        let message = format!("--plugins-dir {} cannot be read: {error}", folder.display());
        Failure::new(Exit::Usage, message)
    };
    let mut plugins = BTreeSet::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "wasm")
            && let Some(name) = path.file_stem().and_then(|stem| stem.to_str())
        {
            plugins.insert(name.to_owned());
        }
    }
    Ok(plugins)
}

pub(crate) fn json(document: &impl Serialize, out: &mut dyn Write) -> Result<(), Failure> {
    serde_json::to_writer_pretty(&mut *out, document)?;
    writeln!(out)?;
    Ok(())
}

pub(crate) fn json_line(document: &impl Serialize, out: &mut dyn Write) -> Result<(), Failure> {
    serde_json::to_writer(&mut *out, document)?;
    writeln!(out)?;
    Ok(())
}

pub(crate) fn now_ms() -> i64 {
    // A clock before 1970 makes ages wrong, nothing else.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}
