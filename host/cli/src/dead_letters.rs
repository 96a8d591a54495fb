//! `pintle dead-letters`: looked at, delivered again, given up.

use crate::args::{DeadLetters, Server, WhichLetters};
use crate::client::{Client, Sent, encoded};
use crate::commands::{json, now_ms};
use crate::failure::{Exit, Failure};
use crate::show;
use hyper::Method;
use pintle_control::{
    DeadLetterBatch, DeadLetterDetail, DeadLetterFilter, DeadLetterPage, DiscardedBatch, DryRun, RetriedBatch,
    RetryBody, RetryOutcome,
};
use serde_json::value::RawValue;
use std::io::Write;
use std::path::Path;

const PATH: &str = "/admin/v1/dead-letters";

pub(crate) async fn run(command: DeadLetters, out: &mut dyn Write, err: &mut dyn Write) -> Result<Exit, Failure> {
    match command {
        DeadLetters::List { which, limit, before, server } => {
            let filter = DeadLetterFilter { before, ..filter(which) };
            list(&server, &filter, limit, out, err).await
        }
        DeadLetters::Show { id, server } => {
            let letter: DeadLetterDetail = Client::of(&server)?.get(&one(&id)).await?;
            if server.json {
                json(&letter, out)?;
            } else {
                show::dead_letters::detail(&letter, now_ms(), out)?;
            }
            Ok(Exit::Done)
        }
        DeadLetters::DryRun { id, message, reason, server } => {
            let (client, path) = (Client::of(&server)?, format!("{}/dry-run", one(&id)));
            let answer = client.send(Method::POST, &path, with(message.as_deref())?, &said(reason)).await?;
            let run: DryRun = answer.json(&client)?;
            if server.json {
                json(&run, out)?;
            } else {
                show::dead_letters::dry_run(&run, out)?;
            }
            Ok(if run.would_be_sent() { Exit::Done } else { Exit::Failed })
        }
        DeadLetters::Retry { id: Some(id), which, all, message, reason, server } => {
            nothing_else(which, all)?;
            let (client, path) = (Client::of(&server)?, format!("{}/retry", one(&id)));
            let sent = with(message.as_deref())?;
            let answer = client.send(Method::POST, &path, sent, &said(reason)).await?;
            if server.json {
                json(&answer.json::<RetryOutcome>(&client)?, out)?;
            } else {
                writeln!(out, "{} will be delivered again", show::plain(&id))?;
            }
            Ok(Exit::Done)
        }
        DeadLetters::Retry { id: None, which, all, reason, server, .. } => {
            let filter = many(which, all)?;
            retry_all(&server, filter, reason, out, err).await
        }
        DeadLetters::Discard { id: Some(id), which, all, reason, server } => {
            nothing_else(which, all)?;
            Client::of(&server)?.send(Method::DELETE, &one(&id), Sent::Nothing, &said(Some(reason))).await?;
            writeln!(err, "{} is discarded", show::plain(&id))?;
            Ok(Exit::Done)
        }
        DeadLetters::Discard { id: None, which, all, reason, server } => {
            let filter = many(which, all)?;
            discard_all(&server, filter, &reason, out).await
        }
    }
}

async fn list(
    server: &Server,
    filter: &DeadLetterFilter,
    limit: u32,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Exit, Failure> {
    let mut path = format!("{PATH}?limit={limit}");
    for (name, value) in [
        ("destination", &filter.destination),
        ("source", &filter.source),
        ("connection", &filter.connection),
        ("stage", &filter.stage),
        ("type", &filter.event_type),
        ("message_id", &filter.message_id),
        ("reason", &filter.reason),
        ("before", &filter.before),
    ] {
        if let Some(value) = value {
            path.push_str(&format!("&{name}={}", encoded(value)));
        }
    }
    let page: DeadLetterPage = Client::of(server)?.get(&path).await?;
    if server.json {
        json(&page, out)?;
        return Ok(Exit::Done);
    }
    show::dead_letters::list(&page, now_ms(), out)?;
    if page.dead_letters.is_empty() {
        writeln!(err, "no dead letters")?;
    }
    if let Some(before) = &page.next_before {
        writeln!(err, "older ones: --before {}", show::plain(before))?;
    }
    Ok(Exit::Done)
}

/// Batch after batch, until there is nothing left that was not asked about.
async fn retry_all(
    server: &Server,
    mut filter: DeadLetterFilter,
    reason: Option<String>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Exit, Failure> {
    let client = Client::of(server)?;
    let mut all = RetriedBatch::default();
    loop {
        let batch: RetriedBatch = batch(&client, "retry", &filter, reason.clone()).await?;
        all.queued += batch.queued;
        all.refused.extend(batch.refused);
        match batch.next_after {
            Some(after) => filter.after = Some(after),
            None => break,
        }
    }
    if server.json {
        json(&all, out)?;
    } else {
        writeln!(out, "{} will be delivered again", all.queued)?;
        for refused in &all.refused {
            writeln!(err, "{} stays: {}", show::plain(&refused.id), show::plain(&refused.reason))?;
        }
    }
    Ok(if all.refused.is_empty() { Exit::Done } else { Exit::Failed })
}

async fn discard_all(
    server: &Server,
    filter: DeadLetterFilter,
    reason: &str,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let client = Client::of(server)?;
    let mut discarded = 0;
    loop {
        let batch: DiscardedBatch = batch(&client, "discard", &filter, Some(reason.to_owned())).await?;
        discarded += batch.discarded;
        if !batch.more {
            break;
        }
    }
    if server.json {
        json(&DiscardedBatch { discarded, more: false }, out)?;
    } else {
        writeln!(out, "{discarded} are discarded")?;
    }
    Ok(Exit::Done)
}

async fn batch<T: serde::de::DeserializeOwned>(
    client: &Client,
    what: &str,
    filter: &DeadLetterFilter,
    reason: Option<String>,
) -> Result<T, Failure> {
    let body = DeadLetterBatch { filter: filter.clone(), limit: None };
    let (path, sent) = (format!("{PATH}/{what}"), Sent::Json(serde_json::to_value(&body)?));
    client.send(Method::POST, &path, sent, &said(reason)).await?.json(client)
}

fn one(id: &str) -> String {
    format!("{PATH}/{}", encoded(id))
}

fn said(reason: Option<String>) -> Vec<(&'static str, String)> {
    reason.map(|reason| ("pintle-reason", reason)).into_iter().collect()
}

fn filter(which: WhichLetters) -> DeadLetterFilter {
    let WhichLetters { destination, source, connection, stage, event_type, message_id, because } = which;
    DeadLetterFilter {
        destination,
        source,
        connection,
        stage,
        event_type,
        message_id,
        reason: because,
        ..DeadLetterFilter::default()
    }
}

/// The filter for many; nobody means all of them by saying nothing.
fn many(which: WhichLetters, all: bool) -> Result<DeadLetterFilter, Failure> {
    let filter = filter(which);
    if filter == DeadLetterFilter::default() && !all {
        return Err(Failure::new(Exit::Usage, "say which: an id, a filter such as --destination, or --all"));
    }
    Ok(filter)
}

fn nothing_else(which: WhichLetters, all: bool) -> Result<(), Failure> {
    if all || filter(which) != DeadLetterFilter::default() {
        return Err(Failure::new(Exit::Usage, "an id means one dead letter: leave the filter out"));
    }
    Ok(())
}

/// The event that is sent along, if there is one. As bytes: its numbers keep their spelling.
fn with(file: Option<&Path>) -> Result<Sent, Failure> {
    let body = RetryBody { message: file.map(event).transpose()? };
    Ok(Sent::Bytes(serde_json::to_vec(&body)?))
}

fn event(file: &Path) -> Result<Box<RawValue>, Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::new(Exit::BadFile, format!("{}: {error}", file.display())))?;
    serde_json::from_str(&text).map_err(|error| Failure::new(Exit::BadFile, format!("{}: {error}", file.display())))
}
