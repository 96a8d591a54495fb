//! `pintle why` for people.

use super::table::Table;
use super::{ago, plain, plain_lines, short};
use pintle_control::views::traces::{StepView, WhyEvent, WhyView};
use serde_json::Value;
use std::io::{self, Write};

/// The longest text of a step that is shown unless all of it is asked for, in characters.
const TEXT_SHOWN: usize = 400;
/// The longest reason a table shows, in characters.
const REASON_SHOWN: usize = 100;

pub(crate) fn all(known: &WhyView, now_ms: i64, full: bool, out: &mut dyn Write) -> io::Result<()> {
    for (number, event) in known.events.iter().enumerate() {
        if number > 0 {
            writeln!(out)?;
        }
        one(event, now_ms, full, out)?;
    }
    for rejected in &known.rejected {
        let (source, when) = (plain(&rejected.source_id), ago(rejected.at_ms, now_ms));
        writeln!(out, "not taken by the gateway {when}, from {source}: {}", plain(&rejected.reason))?;
    }
    Ok(())
}

fn one(event: &WhyEvent, now_ms: i64, full: bool, out: &mut dyn Write) -> io::Result<()> {
    let user = if event.user_id.is_empty() { &event.anonymous_id } else { &event.user_id };
    let from = event.request_ip.as_deref().map(|ip| format!(", from {}", plain(ip))).unwrap_or_default();
    writeln!(out, "event {} {} of {}", plain(&event.position), plain(&event.event_type), plain(user))?;
    writeln!(out, "received {} by source {}{from}", ago(event.received_at_ms, now_ms), plain(&event.source_id))?;
    if event.message.is_none() {
        writeln!(out, "the log does not have it any more")?;
    }
    if event.duplicate {
        let first = event.first.as_deref().map(|first| format!(" ({first})")).unwrap_or_default();
        writeln!(out, "a copy: an event with this messageId came before{first}, and only that one is delivered")?;
    }
    if event.destinations.is_empty() {
        writeln!(out, "its source is connected with nothing")?;
    } else {
        let mut table = Table::new(&["DESTINATION", "CONNECTION", "STATE", "TRIES#", "NEXT", "DEAD LETTER", "REASON"]);
        for place in &event.destinations {
            let next = place.next_at_ms.map(|at| match at - now_ms {
                left if left > 0 => format!("in {}", super::duration(left as f64 / 1000.0)),
                _ => "now".to_owned(),
            });
            table.row([
                place.destination_id.clone(),
                place.connection_id.clone(),
                place.how.clone(),
                place.attempts.map_or_else(|| "-".to_owned(), |attempts| attempts.to_string()),
                next.unwrap_or_else(|| "-".to_owned()),
                place.dead_letter.clone().unwrap_or_else(|| "-".to_owned()),
                short(&place.reason, REASON_SHOWN),
            ]);
        }
        table.write(out)?;
    }
    if event.steps.is_empty() {
        return writeln!(out, "not traced: `pintle trace on` records every step of the next events");
    }
    writeln!(out, "steps, each after the event was received:")?;
    for step in &event.steps {
        self::step(step, event.received_at_ms, full, out)?;
    }
    Ok(())
}

fn step(step: &StepView, received_at_ms: i64, full: bool, out: &mut dyn Write) -> io::Result<()> {
    let told = &step.told;
    let after = (step.at_ms - received_at_ms).max(0) as f64 / 1000.0;
    let to = if step.destination_id.is_empty() { String::new() } else { format!(" [{}]", plain(&step.destination_id)) };
    writeln!(out, "  +{after:.3} s{to} {}", plain(&headline(&step.kind, told)))?;
    for (name, label) in
        [("input", "in"), ("output", "out"), ("request", "request"), ("answer", "answer"), ("rerun", "no rerun")]
    {
        // An output of a settled step is a number.
        if let Some(text) = told[name].as_str().filter(|text| !text.is_empty()) {
            let text = if full { plain_lines(text) } else { short(text, TEXT_SHOWN) };
            let mut lines = text.lines();
            writeln!(out, "      {label}: {}", lines.next().unwrap_or_default())?;
            for line in lines {
                writeln!(out, "        {line}")?;
            }
        }
    }
    for line in told["logs"].as_array().into_iter().flatten() {
        let (level, message) = (word(line, "level"), word(line, "message"));
        writeln!(out, "      log {}: {}", plain(&level), plain(&message))?;
    }
    Ok(())
}

fn headline(kind: &str, told: &Value) -> String {
    let reason = match word(told, "reason") {
        reason if reason.is_empty() => reason,
        reason => format!(": {reason}"),
    };
    let together = match told["events"].as_u64() {
        Some(events) if events > 1 => format!(", called with {events} events at once"),
        _ => String::new(),
    };
    match kind {
        "accepted" => format!("followed by trace {}", word(told, "trace")),
        "filtered" => format!("filtered{reason}"),
        "transformation" => format!(
            "transformation {} version {} (component {}), revision {}{together}",
            word(told, "transformation"),
            word(told, "version"),
            short(&word(told, "component"), 13),
            word(told, "revision"),
        ),
        "destination" => format!(
            "plugin {} {} (component {}), revision {}, attempt {}{together}",
            word(told, "plugin"),
            word(told, "version"),
            short(&word(told, "digest"), 13),
            word(told, "revision"),
            word(told, "attempt"),
        ),
        "attempt" => {
            let status = told["status"].as_u64().map(|status| format!(" {status}")).unwrap_or_default();
            let (attempt, verdict) = (word(told, "attempt"), word(told, "verdict"));
            format!("attempt {attempt}:{status} {verdict} after {} ms{together}{reason}", word(told, "took_ms"))
        }
        "settled" => format!("output {}: {}{reason}", word(told, "output"), word(told, "how")),
        other => other.to_owned(),
    }
}

/// A member as text.
fn word(told: &Value, name: &str) -> String {
    match &told[name] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
