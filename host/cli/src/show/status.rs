//! `pintle status`.

use super::table::Table;
use super::{ago, duration, plain, short, size};
use pintle_control::status::DestinationState;
use pintle_control::{Breaker, DestinationStatus, LogStatus, Status};
use std::io::{self, Write};

/// The longest last error a table shows, in characters.
const ERROR_SHOWN: usize = 60;

pub(crate) fn status(status: &Status, now_ms: i64, out: &mut dyn Write) -> io::Result<()> {
    let node = &status.node;
    let catalog = &status.catalog;
    writeln!(
        out,
        "pintle {} · up {} · postgres {}",
        plain(&node.version),
        duration(node.uptime_seconds as f64),
        plain(&node.postgres)
    )?;
    let file = catalog.file.as_deref().map(|f| format!(" ({})", plain(f))).unwrap_or_default();
    writeln!(out, "catalog: revision {} by {}{file}", catalog.revision, plain(&catalog.author))?;
    writeln!(out, "log: {}", log(&status.log, now_ms))?;
    if let Some(error) = &catalog.last_error {
        writeln!(out, "\nthe workspace file is not in force:\n  {}", super::plain_lines(error).replace('\n', "\n  "))?;
    }
    writeln!(out)?;
    if status.destinations.is_empty() {
        writeln!(out, "no destinations")?;
    } else {
        destinations(&status.destinations, now_ms).write(out)?;
    }
    if !catalog.off.is_empty() {
        writeln!(out, "\nconnections that stay off:")?;
        for off in &catalog.off {
            writeln!(out, "  {}: {}", plain(&off.connection), plain(&off.reason))?;
        }
    }
    Ok(())
}

fn log(log: &LogStatus, now_ms: i64) -> String {
    let mut parts = vec![
        if log.accepting { "accepting".to_owned() } else { "refusing".to_owned() },
        format!("{} accepted", log.accepted),
        format!("{} of {}", size(log.bytes), size(log.bytes_max)),
        format!("{} segments", log.segments),
    ];
    if let Some(refusal) = &log.refusal {
        parts[0].push_str(&format!(": {}", plain(refusal)));
    }
    if let Some(at) = log.oldest_at_ms {
        parts.push(format!("oldest {}", ago(at, now_ms)));
    }
    if let Some(free) = log.disk_free_bytes {
        parts.push(format!("{} free on disk", size(free)));
    }
    if let Some(hours) = log.hours_left {
        parts.push(format!("full in {}", duration(hours * 3600.0)));
    }
    parts.join(" · ")
}

fn destinations(destinations: &[DestinationStatus], now_ms: i64) -> Table {
    let mut table = Table::new(&[
        "DESTINATION",
        "STATE",
        "DELIVERED#",
        "FILTERED#",
        "LAG#",
        "OLDEST#",
        "IN FLIGHT#",
        "PARKED#",
        "DEAD#",
        "LAST ERROR",
    ]);
    for destination in destinations {
        table.row([
            destination.id.clone(),
            state(destination).to_owned(),
            destination.delivered.to_string(),
            destination.filtered.to_string(),
            destination.lag_events.to_string(),
            destination.lag_seconds.map_or("-".to_owned(), duration),
            destination.in_flight.to_string(),
            destination.parked.to_string(),
            destination.dead_letters.to_string(),
            destination.last_error.as_ref().map_or("-".to_owned(), |error| {
                format!("{} ({})", short(&error.message, ERROR_SHOWN), ago(error.at_ms, now_ms))
            }),
        ]);
    }
    table
}

fn state(destination: &DestinationStatus) -> &'static str {
    match (destination.state, destination.breaker) {
        (DestinationState::Paused, _) => "paused",
        (DestinationState::Disabled, _) => "disabled",
        (DestinationState::Enabled, Breaker::Closed) => "delivering",
        (DestinationState::Enabled, Breaker::Open) => "waiting",
        (DestinationState::Enabled, Breaker::HalfOpen) => "probing",
    }
}
