//! Test runs, shadow runs and logs of transformations.

use super::args::Format;
use super::{print, read_file};
use crate::args::Server;
use crate::client::{Client, Sent, encoded};
use crate::failure::{Exit, Failure};
use crate::show::{plain, plain_lines, size};
use hyper::Method;
use pintle_control::views::Page;
use pintle_control::views::trials::{KeptLine, ShadowView, TrialView};
use pintle_control::{LogsLine, comparison};
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;

pub(super) async fn test_run(
    id: &str,
    events: &Path,
    version: Option<String>,
    server: &Server,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Exit, Failure> {
    let body = json!({"events": parse(events)?, "version": version});
    let client = Client::of(server)?;
    let path = format!("/admin/v1/transformations/{}/test", encoded(id));
    let reply = client.send(Method::POST, &path, Sent::Json(body), &[]).await?;
    let trial: TrialView = reply.json(&client)?;
    let failed = trial.results.iter().filter(|result| result.error.is_some()).count();
    if server.json {
        out.write_all(&reply.body)?;
        writeln!(out)?;
    } else {
        show(&trial, out)?;
        let memory = trial.memory_bytes.map(|bytes| format!(", {} of memory", size(bytes))).unwrap_or_default();
        let (events, dropped) = (trial.results.len(), trial.results.iter().filter(|result| result.dropped).count());
        writeln!(
            err,
            "version {}: {events} events, {dropped} dropped, {failed} failed; {:.1} ms{memory}",
            plain(&trial.version),
            trial.took_ms
        )?;
    }
    Ok(if failed == 0 { Exit::Done } else { Exit::Failed })
}

/// A JSON array, or one document a line.
fn parse(file: &Path) -> Result<Vec<Value>, Failure> {
    let bytes = read_file(file)?;
    let wrong = |error: serde_json::Error| Failure::new(Exit::BadFile, format!("{}: {error}", file.display()));
    if bytes.trim_ascii_start().starts_with(b"[") {
        return serde_json::from_slice(&bytes).map_err(wrong);
    }
    serde_json::Deserializer::from_slice(&bytes).into_iter().collect::<Result<_, _>>().map_err(wrong)
}

fn show(trial: &TrialView, out: &mut dyn Write) -> std::io::Result<()> {
    for result in &trial.results {
        let index = result.index;
        for output in &result.outputs {
            writeln!(out, "{index}: {}", plain(output.get()))?;
        }
        if result.dropped {
            writeln!(out, "{index}: dropped")?;
        }
        if let Some(error) = &result.error {
            writeln!(out, "{index}: error: {}", plain(&error.message))?;
            if let Some(stack) = &error.stack {
                writeln!(out, "{}", plain_lines(stack))?;
            }
        }
    }
    for line in &trial.logs {
        writeln!(out, "log {}: {}", plain(&line.level), plain(&line.message))?;
    }
    Ok(())
}

pub(super) async fn shadow(
    id: &str,
    asked: &Value,
    format: Format,
    check: bool,
    server: &Server,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let client = Client::of(server)?;
    let path = format!("/admin/v1/transformations/{}/shadow", encoded(id));
    let view: ShadowView = client.send(Method::POST, &path, Sent::Json(asked.clone()), &[]).await?.json(&client)?;
    match format {
        _ if server.json => crate::commands::json(&view, out)?,
        Format::Json => crate::commands::json(&view, out)?,
        Format::Text => write!(out, "{}", plain_lines(&comparison::text(&view)) + "\n")?,
        Format::Markdown => write!(out, "{}", plain_lines(&comparison::markdown(&view)) + "\n")?,
    }
    Ok(if check && !view.is_same() { Exit::Failed } else { Exit::Done })
}

pub(super) async fn logs(
    id: &str,
    limit: u32,
    follow: bool,
    server: &Server,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Exit, Failure> {
    let client = Client::of(server)?;
    let path = format!("/admin/v1/transformations/{}/logs?limit={limit}", encoded(id));
    if !follow {
        let page: Value = client.get(&path).await?;
        let lines: Page<KeptLine> = serde_json::from_value(page.clone())?;
        return print(server, &page, out, |_, out| lines.items.iter().try_for_each(|kept| line(kept, out)));
    }
    let mut lines = client.lines(&format!("{path}&follow=true")).await?;
    while let Some(text) = lines.next().await? {
        match serde_json::from_slice::<LogsLine>(&text)? {
            LogsLine::Line(kept) if server.json => crate::commands::json_line(&kept, out)?,
            LogsLine::Line(kept) => line(&kept, out)?,
            LogsLine::End(end) => {
                writeln!(err, "pintle: the stream ends: {}; {} missed", plain(&end.reason), end.missed)?;
                return Ok(Exit::Failed);
            }
        }
        out.flush()?;
    }
    Err(Failure::new(Exit::Failed, "the stream broke off: the server is gone"))
}

fn line(kept: &KeptLine, out: &mut dyn Write) -> std::io::Result<()> {
    let at = crate::show::events::clock(i64::try_from(kept.at_ms).unwrap_or(i64::MAX));
    let message = plain_lines(&kept.message).replace('\n', "\n    ");
    writeln!(out, "{at}  {}  {:<5}  {message}", plain(&kept.version), plain(&kept.level))
}
