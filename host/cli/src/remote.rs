//! Commands about the catalog of a running Pintle: thin clients of the admin API.

pub(crate) mod args;
mod audit;
mod code;
mod delivery;
mod export;
mod figures;
mod filter;
mod keep_out;
mod plugins;
mod replays;
mod revisions;
mod rudder_cli;
mod things;
mod tokens;
mod traces;
mod trials;

pub(crate) use code::transform;
pub(crate) use plugins::run as plugin;
pub(crate) use rudder_cli::import as import_rudder_cli;
pub(crate) use tokens::{show_all as show_tokens, show_new as show_new_token};

use crate::args::Server;
use crate::client::{Client, Reply, Sent};
use crate::failure::{Exit, Failure};
use args::{Change, Remote};
use hyper::Method;
use serde_json::Value;
use std::io::{Read, Write};
use std::path::Path;

/// The largest file that is read to be sent, in bytes: what the API takes by default.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// Does what was asked.
pub(crate) async fn run(command: Remote, out: &mut dyn Write, err: &mut dyn Write) -> Result<Exit, Failure> {
    match command {
        Remote::Library(command) => code::library(command, out, err).await,
        Remote::Source(command) => things::source(command, out, err).await,
        Remote::Destination(command) => things::destination(command, out, err).await,
        Remote::Connection(command) => things::connection(command, out, err).await,
        Remote::Credential(command) => things::credential(command, out, err).await,
        Remote::RejectedEvents(command) => keep_out::rejected(command, out, err).await,
        Remote::Suppress(command) => keep_out::suppress(command, out, err).await,
        Remote::Trace(command) => traces::run(command, out, err).await,
        Remote::Replay(command) => replays::run(command, out, err).await,
        Remote::Ledger(command) => crate::ledger::run(command, out, err).await,
        Remote::Audit(command) => audit::run(command, out, err).await,
        Remote::Revisions(command) => revisions::run(command, out, err).await,
        Remote::Export(export) => export::run(&export, out, err).await,
        Remote::Token(command) => tokens::run(command, out, err).await,
        Remote::Secrets(command) => tokens::secrets(command, out, err).await,
    }
}

/// Sends a change, with the reason and the tag that it was given.
async fn change(client: &Client, method: Method, path: &str, sent: Sent, change: &Change) -> Result<Reply, Failure> {
    let mut headers = Vec::new();
    if let Some(reason) = &change.reason {
        headers.push(("pintle-reason", reason.clone()));
    }
    if let Some(tag) = &change.if_match {
        headers.push(("if-match", tag.clone()));
    }
    client.send(method, path, sent, &headers).await
}

/// Prints the API's own document, or what `show` makes of it.
fn print<T: serde::Serialize>(
    server: &Server,
    document: &T,
    out: &mut dyn Write,
    show: impl FnOnce(&T, &mut dyn Write) -> std::io::Result<()>,
) -> Result<Exit, Failure> {
    if server.json {
        crate::commands::json(document, out)?;
    } else {
        show(document, out)?;
    }
    Ok(Exit::Done)
}

/// Everything on all pages of a list.
pub(crate) async fn all(client: &Client, path: &str) -> Result<Vec<Value>, Failure> {
    let mut items = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let query = after.as_ref().map(|after| format!("?after={}", crate::client::encoded(after))).unwrap_or_default();
        let mut page: Value = client.get(&format!("{path}{query}")).await?;
        if let Some(found) = page["items"].as_array_mut() {
            items.append(found);
        }
        match page["next"].as_str() {
            Some(next) => after = Some(next.to_owned()),
            None => return Ok(items),
        }
    }
}

/// A file's bytes; `-` is stdin.
fn read_file(file: &Path) -> Result<Vec<u8>, Failure> {
    let unusable = |why: String| Failure::new(Exit::BadFile, format!("{}: {why}", file.display()));
    let mut bytes = Vec::new();
    // One byte past the limit tells a file of exactly the limit from a larger one.
    let read = if file == Path::new("-") {
        std::io::stdin().lock().take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|open| open.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes))
    };
    read.map_err(|error| unusable(error.to_string()))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(unusable(format!("it has more than {FILE_BYTES_MAX} bytes")));
    }
    Ok(bytes)
}

/// A text of a document; empty when it is not there.
fn text(document: &Value, name: &str) -> String {
    match &document[name] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            items.iter().map(|item| item.as_str().unwrap_or_default()).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

/// The same, with a dash where there is nothing.
fn cell(document: &Value, name: &str) -> String {
    let text = text(document, name);
    if text.is_empty() { "-".to_owned() } else { text }
}
