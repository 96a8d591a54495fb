//! `pintle replay`: events of the past that go to one destination again.

use super::{print, text};
use crate::args::Server;
use crate::client::{Client, Sent, encoded};
use crate::commands::now_ms;
use crate::failure::{Exit, Failure};
use crate::ledger::moment;
use crate::show::table::Table;
use crate::show::{ago, plain};
use clap::{Args, Subcommand};
use hyper::Method;
use pintle_control::{ReplayBody, ReplayCount, ReplayList, ReplayView};
use serde_json::Value;
use std::io::Write;

const PATH: &str = "/admin/v1/replays";

#[derive(Debug, Subcommand)]
pub(crate) enum Replay {
    /// Send events of the past to a destination again, from the log or from the archive
    Start(Start),
    /// Replays, newest first
    List {
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: u32,
        #[command(flatten)]
        server: Server,
    },
    /// One of them, and how far it is
    Show {
        /// Its id, from the list
        id: String,
        #[command(flatten)]
        server: Server,
    },
    /// Let it go no further; what it has parked becomes dead letters
    Cancel {
        /// Its id, from the list
        id: String,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        #[command(flatten)]
        server: Server,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Start {
    /// The destination that gets them
    #[arg(long, value_name = "ID")]
    destination: String,
    /// Events received from then on: a time as in 2026-01-31T10:00:00Z, a day, or so long ago, as in 36h or 7d
    /// [default: from the beginning]
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Events received before then [default: now]
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// From the archive instead of the log: a folder below its prefix, e.g. site/gw/2026-01-31
    #[arg(long, value_name = "PREFIX")]
    from_archive: Option<String>,
    /// Count what would be sent, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// Why
    #[arg(long, value_name = "TEXT", conflicts_with = "dry_run")]
    reason: Option<String>,
    #[command(flatten)]
    server: Server,
}

pub(super) async fn run(command: Replay, out: &mut dyn Write, err: &mut dyn Write) -> Result<Exit, Failure> {
    match command {
        Replay::Start(command) => start(command, out, err).await,
        Replay::List { limit, server } => {
            let list: ReplayList = Client::of(&server)?.get(&format!("{PATH}?limit={limit}")).await?;
            if !server.json && list.items.is_empty() {
                writeln!(err, "no replays")?;
            }
            print(&server, &list, out, table)
        }
        Replay::Show { id, server } => {
            let view: ReplayView = Client::of(&server)?.get(&format!("{PATH}/{}", encoded(&id))).await?;
            print(&server, &view, out, shown)
        }
        Replay::Cancel { id, reason, server } => {
            let headers: Vec<_> = reason.map(|reason| ("pintle-reason", reason)).into_iter().collect();
            let path = format!("{PATH}/{}/cancel", encoded(&id));
            Client::of(&server)?.send(Method::POST, &path, Sent::Nothing, &headers).await?;
            writeln!(err, "replay {} goes no further", plain(&id))?;
            Ok(Exit::Done)
        }
    }
}

async fn start(command: Start, out: &mut dyn Write, err: &mut dyn Write) -> Result<Exit, Failure> {
    let Start { destination, since, until, from_archive, dry_run, reason, server } = command;
    let now = now_ms();
    let at = |flag: &str, said: Option<String>| said.map(|said| moment(flag, &said, now)).transpose();
    let body = ReplayBody {
        destination,
        since_ms: at("--since", since)?,
        until_ms: at("--until", until)?,
        archive: from_archive,
    };
    let (client, sent) = (Client::of(&server)?, Sent::Json(serde_json::to_value(&body)?));
    if dry_run {
        let count: Value = client.send(Method::POST, &format!("{PATH}/dry-run"), sent, &[]).await?.json(&client)?;
        let count: ReplayCount = serde_json::from_value(count)?;
        return print(&server, &count, out, counted);
    }
    let headers: Vec<_> = reason.map(|reason| ("pintle-reason", reason)).into_iter().collect();
    let view: Value = client.send(Method::POST, PATH, sent, &headers).await?.json(&client)?;
    if !server.json {
        let (id, destination) = (text(&view, "id"), text(&view, "destination"));
        writeln!(
            err,
            "replay {} to {} has begun; `pintle replay show {}` says how far it is",
            plain(&id),
            plain(&destination),
            plain(&id)
        )?;
    }
    print(&server, &view, out, |_, _| Ok(()))
}

fn counted(count: &ReplayCount, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "{} events would be sent, unless a transformation lets go of them", count.events)?;
    for kind in &count.by_type {
        writeln!(out, "  {:>10}  {} from {}", kind.events, plain(&kind.event_type), plain(&kind.source))?;
    }
    if count.duplicates > 0 || !count.filtered.is_empty() {
        writeln!(out, "not sent:")?;
    }
    if count.duplicates > 0 {
        writeln!(out, "  {:>10}  copies of earlier events", count.duplicates)?;
    }
    for rule in &count.filtered {
        writeln!(out, "  {:>10}  {}", rule.events, plain(&rule.reason))?;
    }
    if count.unreadable > 0 {
        writeln!(out, "{} lines of the archive are no events and would be left out:", count.unreadable)?;
        for line in &count.unreadable_first {
            writeln!(out, "  {}", plain(line))?;
        }
    }
    if !count.complete {
        let up_to = count.up_to_ms.map_or_else(|| "its beginning".to_owned(), |at| ago(at, now_ms()));
        writeln!(out, "there are more: counting took longer than replay-count-time-max, and came up to {up_to}")?;
    }
    Ok(())
}

fn table(list: &ReplayList, out: &mut dyn Write) -> std::io::Result<()> {
    let mut table = Table::new(&[
        "ID#",
        "DESTINATION",
        "STATE",
        "WHEN",
        "BY",
        "DELIVERED#",
        "FILTERED#",
        "DEAD#",
        "PARKED#",
        "PENDING#",
        "FROM",
    ]);
    for one in &list.items {
        table.row([
            one.id.clone(),
            one.destination.clone(),
            one.state.clone(),
            ago(one.created_ms, now_ms()),
            one.author.clone(),
            one.delivered.to_string(),
            one.filtered.to_string(),
            one.dead.to_string(),
            one.parked.to_string(),
            pending(one),
            one.archive.as_ref().map_or_else(|| "the log".to_owned(), |folder| format!("archive: {folder}")),
        ]);
    }
    table.write(out)
}

fn pending(one: &ReplayView) -> String {
    match one.objects {
        Some(objects) => format!("{} objects", objects.all - objects.done.min(objects.all)),
        None => one.pending.to_string(),
    }
}

fn shown(one: &ReplayView, out: &mut dyn Write) -> std::io::Result<()> {
    let reason = one.reason.as_ref().map(|reason| format!(": {}", plain(reason))).unwrap_or_default();
    writeln!(out, "replay {} to {}: {}{reason}", plain(&one.id), plain(&one.destination), plain(&one.state))?;
    writeln!(out, "begun {} by {}", ago(one.created_ms, now_ms()), plain(&one.author))?;
    let ReplayView { delivered, filtered, dead, parked, .. } = one;
    writeln!(
        out,
        "{delivered} delivered, {filtered} filtered, {dead} dead letters, {parked} parked, {} pending",
        pending(one)
    )?;
    if one.dead > 0 {
        writeln!(out, "its dead letters: pintle dead-letters list --destination '{}'", plain(&one.reader))?;
    }
    Ok(())
}
