//! Revisions of the catalog.

use super::args::Revisions;
use super::{change, print, text};
use crate::client::{Client, Sent};
use crate::failure::{Exit, Failure};
use crate::show::table::Table;
use crate::show::{ago, plain, plain_lines};
use hyper::Method;
use serde_json::Value;
use std::io::Write;

pub(super) async fn run(command: Revisions, out: &mut dyn Write, err: &mut dyn Write) -> Result<Exit, Failure> {
    match command {
        Revisions::List { limit, before, server } => {
            let before = before.map(|before| format!("&before={before}")).unwrap_or_default();
            let page: Value = Client::of(&server)?.get(&format!("/admin/v1/revisions?limit={limit}{before}")).await?;
            let done = print(&server, &page, out, list)?;
            if let Some(next) = page["next"].as_str().filter(|_| !server.json) {
                writeln!(err, "older ones: --before {}", plain(next))?;
            }
            Ok(done)
        }
        Revisions::Show { revision, server } => {
            let found: Value = Client::of(&server)?.get(&format!("/admin/v1/revisions/{revision}")).await?;
            print(&server, &found, out, |found, out| {
                for name in ["revision", "author", "reason"] {
                    writeln!(out, "{name:<10} {}", plain(&text(found, name)))?;
                }
                lines(&found["changes"], out)?;
                let catalog = serde_json::to_string_pretty(&found["catalog"]).unwrap_or_default();
                writeln!(out, "catalog:\n{}", plain_lines(&catalog))
            })
        }
        Revisions::Diff { revision, from, server } => {
            let from = from.map(|from| format!("?from={from}")).unwrap_or_default();
            let path = format!("/admin/v1/revisions/{revision}/diff{from}");
            let found: Value = Client::of(&server)?.get(&path).await?;
            print(&server, &found, out, |found, out| lines(&found["lines"], out))
        }
        Revisions::Rollback { revision, change: said, server } => {
            let client = Client::of(&server)?;
            let path = format!("/admin/v1/revisions/{revision}/rollback");
            let done: Value = change(&client, Method::POST, &path, Sent::Nothing, &said).await?.json(&client)?;
            if !server.json {
                for kept in done["kept"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                    writeln!(err, "{} stays: the workspace file owns it", plain(kept))?;
                }
            }
            print(&server, &done, out, |done, out| {
                writeln!(out, "revision {} is in force", done["revision"])?;
                lines(&done["changes"], out)
            })
        }
    }
}

fn list(page: &Value, out: &mut dyn Write) -> std::io::Result<()> {
    let now = crate::commands::now_ms();
    let mut table = Table::new(&["REVISION#", "WHEN", "BY", "REASON", "CHANGES"]);
    for revision in page["items"].as_array().into_iter().flatten() {
        let changes = revision["changes"].as_array().map(Vec::as_slice).unwrap_or_default();
        let first = changes.first().and_then(Value::as_str).unwrap_or("-");
        let more = if changes.len() > 1 { format!(" and {} more", changes.len() - 1) } else { String::new() };
        table.row([
            revision["revision"].to_string(),
            ago(revision["at_ms"].as_i64().unwrap_or_default(), now),
            text(revision, "author"),
            text(revision, "reason"),
            format!("{first}{more}"),
        ]);
    }
    table.write(out)
}

fn lines(lines: &Value, out: &mut dyn Write) -> std::io::Result<()> {
    let lines = lines.as_array().map(Vec::as_slice).unwrap_or_default();
    if lines.is_empty() {
        return writeln!(out, "nothing differs");
    }
    lines.iter().filter_map(Value::as_str).try_for_each(|line| writeln!(out, "{}", plain(line)))
}
