//! `pintle dead-letters list` and `show`.

use super::table::Table;
use super::{ago, plain, plain_lines, short};
use pintle_control::{DeadLetterDetail, DeadLetterPage};
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
        ("type", letter.event_type.clone()),
        ("message id", letter.message_id.clone()),
        ("position", format!("{} output {}", detail.position, detail.output)),
        ("tries", letter.attempts.to_string()),
        ("reason", letter.reason.clone()),
    ];
    for (name, value) in fields {
        writeln!(out, "{name:<12} {}", plain(&value))?;
    }
    let texts = [("error", &detail.error), ("request", &detail.request), ("response", &detail.response)];
    for (name, text) in texts {
        if let Some(text) = text {
            section(name, &plain_lines(text), out)?;
        }
    }
    match &detail.payload {
        Some(payload) => section("payload", &pretty(payload.get()), out),
        None => section("payload", "gone: it has outlived its retention", out),
    }
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
