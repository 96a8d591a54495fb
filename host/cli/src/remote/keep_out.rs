//! What the gateway keeps out: events that it did not take, and users whose events it does not.

use super::args::{RejectedEvents, Suppress};
use super::{cell, print, text};
use crate::client::{Client, Sent, encoded};
use crate::failure::{Exit, Failure};
use crate::show::table::Table;
use crate::show::{ago, plain};
use hyper::Method;
use serde_json::{Value, json};
use std::io::Write;

pub(super) async fn rejected(
    command: RejectedEvents,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Exit, Failure> {
    let RejectedEvents { source, reason, limit, before, server } = command;
    let mut path = format!("/admin/v1/rejected-events?limit={limit}");
    for (name, value) in [("source", source), ("reason", reason), ("before", before)] {
        if let Some(value) = value {
            path.push_str(&format!("&{name}={}", encoded(&value)));
        }
    }
    let page: Value = Client::of(&server)?.get(&path).await?;
    if !server.json {
        if page["items"].as_array().is_none_or(Vec::is_empty) {
            writeln!(err, "no rejected events")?;
        }
        if let Some(next) = page["next"].as_str() {
            writeln!(err, "older ones: --before {}", plain(next))?;
        }
    }
    print(&server, &page, out, |page, out| {
        let now = crate::commands::now_ms();
        let mut table = Table::new(&["ID#", "WHEN", "SOURCE", "REASON", "TYPE", "MESSAGE ID", "EVENT"]);
        for one in page["items"].as_array().into_iter().flatten() {
            let start: String = text(one, "excerpt").chars().take(60).collect();
            table.row([
                text(one, "id"),
                ago(one["at_ms"].as_i64().unwrap_or_default(), now),
                text(one, "source_id"),
                text(one, "reason"),
                cell(one, "event_type"),
                cell(one, "message_id"),
                start,
            ]);
        }
        table.write(out)
    })
}

pub(super) async fn suppress(command: Suppress, out: &mut dyn Write, err: &mut dyn Write) -> Result<Exit, Failure> {
    let path = |user: &str| format!("/admin/v1/suppressions/{}", encoded(user));
    match command {
        Suppress::Add { user, reason, server } => {
            let headers: Vec<_> = reason.map(|reason| ("pintle-reason", reason)).into_iter().collect();
            Client::of(&server)?.send(Method::PUT, &path(&user), Sent::Nothing, &headers).await?;
            writeln!(err, "events of {} are neither stored nor delivered from now on", plain(&user))?;
            Ok(Exit::Done)
        }
        Suppress::Remove { user, server } => {
            Client::of(&server)?.send(Method::DELETE, &path(&user), Sent::Nothing, &[]).await?;
            writeln!(err, "events of {} are taken again", plain(&user))?;
            Ok(Exit::Done)
        }
        Suppress::List { server } => {
            let items = super::all(&Client::of(&server)?, "/admin/v1/suppressions").await?;
            print(&server, &json!({"items": items}), out, |_, out| {
                let now = crate::commands::now_ms();
                let mut table = Table::new(&["USER ID", "WHEN", "BY", "REASON"]);
                for one in &items {
                    let at = ago(one["at_ms"].as_i64().unwrap_or_default(), now);
                    table.row([text(one, "user_id"), at, text(one, "author"), text(one, "reason")]);
                }
                table.write(out)
            })
        }
    }
}
