//! `pintle dead-letters list`, `show` and `dry-run`.

use super::table::Table;
use super::{ago, plain, plain_lines, short};
use pintle_control::{DeadLetterDetail, DeadLetterPage, DryRun, TraceStep};
use std::io::{self, Write};

/// The longest reason a table shows, in characters.
const REASON_SHOWN: usize = 80;

pub(crate) fn list(page: &DeadLetterPage, now_ms: i64, out: &mut dyn Write) -> io::Result<()> {
    if page.dead_letters.is_empty() {
        return Ok(());
    }
    let mut table = Table::new(&["ID", "WHEN", "DESTINATION", "SOURCE", "TYPE", "TRIES#", "MESSAGE ID", "REASON"]);
    for letter in &page.dead_letters {
        table.row([
            letter.id.clone(),
            ago(letter.at_ms, now_ms),
            letter.destination_id.clone(),
            letter.source_id.clone(),
            letter.event_type.clone(),
            letter.attempts.to_string(),
            letter.message_id.clone(),
            short(&letter.reason, REASON_SHOWN),
        ]);
    }
    table.write(out)
}

pub(crate) fn detail(detail: &DeadLetterDetail, now_ms: i64, out: &mut dyn Write) -> io::Result<()> {
    let letter = &detail.letter;
    let fields = [
        ("id", letter.id.clone()),
        ("when", ago(letter.at_ms, now_ms)),
        ("destination", letter.destination_id.clone()),
        ("source", letter.source_id.clone()),
        ("connection", detail.connection_id.clone()),
        ("type", letter.event_type.clone()),
        ("message id", letter.message_id.clone()),
        ("position", format!("{} output {}", detail.position, detail.output)),
        ("died in", detail.stage.clone()),
        ("tries", letter.attempts.to_string()),
        ("reason", letter.reason.clone()),
    ];
    for (name, value) in fields {
        writeln!(out, "{name:<12} {}", plain(&value))?;
    }
    let first = |text: &Option<String>, name: &str, out: &mut dyn Write| match text {
        Some(text) => section(name, &plain_lines(text), out),
        None => Ok(()),
    };
    first(&detail.error, "error", out)?;
    match &detail.received {
        Some(received) => section("received", &pretty(received.get()), out)?,
        None => section("received", "gone: the log does not have it any more", out)?,
    }
    steps(&detail.steps, out)?;
    if let Some(untold) = detail.untold.as_ref().filter(|_| detail.received.is_some()) {
        section("transformations", &plain(untold), out)?;
    }
    match &detail.payload {
        Some(payload) => section("payload", &pretty(payload.get()), out)?,
        None => section("payload", "gone: it has outlived its retention", out)?,
    }
    first(&detail.request, "request", out)?;
    first(&detail.response, "response", out)
}

pub(crate) fn dry_run(run: &DryRun, out: &mut dyn Write) -> io::Result<()> {
    steps(&run.steps, out)?;
    for result in &run.results {
        if let Some(reason) = &result.reason {
            section(&plain(&result.outcome), &plain_lines(reason), out)?;
        }
        for request in &result.requests {
            section("request", &plain_lines(&request.request), out)?;
            if let Some(refused) = &request.refused {
                section("not sent", &plain_lines(refused), out)?;
            }
        }
    }
    Ok(())
}

fn steps(steps: &[TraceStep], out: &mut dyn Write) -> io::Result<()> {
    for step in steps {
        let name = format!("after {} ({})", plain(&step.transformation), plain(&step.version));
        let mut texts: Vec<String> = step.events.iter().map(|event| pretty(event.get())).collect();
        if step.more > 0 {
            texts.push(format!("and {} more, too large to be shown", step.more));
        }
        texts.extend(step.ended.iter().map(|ended| plain_lines(ended)));
        section(&name, &texts.join("\n"), out)?;
    }
    Ok(())
}

fn section(name: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n{name}:")?;
    for line in text.lines() {
        writeln!(out, "  {line}")?;
    }
    Ok(())
}

/// Indented JSON. JSON text can hold invisible characters inside its strings; those go.
fn pretty(json: &str) -> String {
    let indented =
        serde_json::from_str::<serde_json::Value>(json).and_then(|value| serde_json::to_string_pretty(&value));
    plain_lines(indented.as_deref().unwrap_or(json))
}
