//! `pintle ledger`: whether the books balance.

use crate::client::{Client, encoded};
use crate::commands::{json, now_ms};
use crate::failure::{Exit, Failure};
use crate::remote::args::{Ledger, LedgerBy};
use crate::show::plain;
use crate::show::table::Table;
use pintle_control::views::ledger::{By, LedgerQuery, LedgerRow, LedgerView};
use std::io::{self, Write};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

const HOUR_MS: i64 = 3_600_000;

pub(crate) async fn run(command: Ledger, out: &mut dyn Write, err: &mut dyn Write) -> Result<Exit, Failure> {
    let query = query(&command, now_ms())?;
    let mut parameters = Vec::new();
    for (name, value) in [("source", &query.source), ("destination", &query.destination)] {
        parameters.extend(value.as_ref().map(|value| format!("{name}={}", encoded(value))));
    }
    for (name, value) in [("since_ms", query.since_ms), ("until_ms", query.until_ms)] {
        parameters.extend(value.map(|value| format!("{name}={value}")));
    }
    let By { destination, source, hour } = query.by;
    let by = [("destination", destination), ("source", source), ("hour", hour)];
    let by: Vec<&str> = by.iter().filter(|(_, is)| *is).map(|(name, _)| *name).collect();
    parameters.push(format!("by={}&all={}", by.join(","), query.all));
    let view: LedgerView =
        Client::of(&command.server)?.get(&format!("/admin/v1/ledger?{}", parameters.join("&"))).await?;
    show(&view, command.server.json, out, err)
}

/// What the command line asks for.
pub(crate) fn query(command: &Ledger, now_ms: i64) -> Result<LedgerQuery, Failure> {
    let at = |flag: &str, text: &Option<String>| text.as_deref().map(|text| moment(flag, text, now_ms)).transpose();
    let by = if command.by.is_empty() {
        By::default()
    } else {
        let has = |by: LedgerBy| command.by.contains(&by);
        By { destination: has(LedgerBy::Destination), source: has(LedgerBy::Source), hour: has(LedgerBy::Hour) }
    };
    Ok(LedgerQuery {
        source: command.source.clone(),
        destination: command.destination.clone(),
        since_ms: at("--since", &command.since)?,
        until_ms: at("--until", &command.until)?,
        by,
        all: command.all,
    })
}

/// Shows the books; they have to balance.
pub(crate) fn show(
    view: &LedgerView,
    as_json: bool,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Exit, Failure> {
    if as_json {
        json(view, out)?;
    } else {
        table(view, out)?;
    }
    if view.balanced {
        return Ok(Exit::Done);
    }
    writeln!(err, "pintle: the books do not balance in {} rows:", view.unbalanced_rows)?;
    for row in &view.unbalanced {
        let LedgerRow { destination, source, off, .. } = row;
        let name = |name: &Option<String>| plain(name.as_deref().unwrap_or("-"));
        let what = if *off > 0 { "missing" } else { "too many" };
        let (source, destination) = (name(source), name(destination));
        writeln!(err, "  {source} to {destination}, {}: {} {what}", hour(row.hour_ms), off.abs())?;
    }
    Ok(Exit::Failed)
}

fn table(view: &LedgerView, out: &mut dyn Write) -> io::Result<()> {
    if view.rows.is_empty() {
        return writeln!(out, "nothing in the books");
    }
    let mut table = Table::new(&[
        "SOURCE",
        "DESTINATION",
        "HOUR",
        "ACCEPTED#",
        "DELIVERED#",
        "FILTERED#",
        "DEAD#",
        "PARKED#",
        "PENDING#",
        "OFF#",
        "OF WHICH",
    ]);
    for row in &view.rows {
        let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "all".to_owned());
        table.row([
            name(&row.source),
            name(&row.destination),
            row.hour_ms.map_or_else(|| "all".to_owned(), |at| hour(Some(at))),
            row.accepted.to_string(),
            row.delivered.to_string(),
            row.filtered.to_string(),
            row.dead.to_string(),
            row.parked.to_string(),
            row.pending.to_string(),
            row.off.to_string(),
            of_which(row),
        ]);
    }
    table.write(out)
}

fn of_which(row: &LedgerRow) -> String {
    let parts = [("duplicates", row.duplicates), ("not connected", row.unrouted), ("expired", row.expired)];
    let parts: Vec<String> =
        parts.iter().filter(|(_, events)| *events != 0).map(|(what, events)| format!("{events} {what}")).collect();
    parts.join(", ")
}

fn hour(at_ms: Option<i64>) -> String {
    let layout = format_description!("[year]-[month]-[day] [hour]h");
    let at = at_ms.and_then(|at| OffsetDateTime::from_unix_timestamp(at / 1_000).ok());
    at.and_then(|at| at.format(&layout).ok()).unwrap_or_else(|| "-".to_owned())
}

/// A time as people say it: `2026-01-31T10:00:00Z`, `2026-01-31`, or so long ago, as in `36h` and `7d`.
pub(crate) fn moment(flag: &str, text: &str, now_ms: i64) -> Result<i64, Failure> {
    let ago = |unit: char, hours: i64| {
        let count: i64 = text.strip_suffix(unit)?.parse().ok()?;
        now_ms.checked_sub(count.checked_mul(hours)?.checked_mul(HOUR_MS)?)
    };
    let whole = || {
        let text = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
        Some(OffsetDateTime::parse(&text, &Rfc3339).ok()?.unix_timestamp() * 1_000)
    };
    ago('h', 1).or_else(|| ago('d', 24)).or_else(whole).ok_or_else(|| {
        let message = format!(
            "{flag} {text}: say a time as in 2026-01-31T10:00:00Z, a day as in 2026-01-31, or how \
             long ago as in 36h or 7d"
        );
        Failure::new(Exit::Usage, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(off: i64) -> LedgerRow {
        LedgerRow {
            destination: Some("orders".to_owned()),
            source: Some("site".to_owned()),
            hour_ms: Some(498_680 * HOUR_MS),
            accepted: 10 + off,
            delivered: 7,
            filtered: 3,
            duplicates: 1,
            off,
            ..LedgerRow::default()
        }
    }

    fn shown(view: &LedgerView) -> (Exit, String, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let exit = show(view, false, &mut out, &mut err).unwrap();
        (exit, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
    }

    #[test]
    fn books_that_balance_are_a_table_and_good_news() {
        let view = LedgerView { balanced: true, rows: vec![row(0)], ..LedgerView::default() };
        let (exit, out, err) = shown(&view);
        assert_eq!((exit, err.as_str()), (Exit::Done, ""));
        assert!(out.contains("site") && out.contains("2026-11-21 08h") && out.contains("1 duplicates"), "{out}");
    }

    #[test]
    fn what_does_not_balance_is_named_and_ends_with_1() {
        let view = LedgerView {
            rows: vec![row(2)],
            unbalanced: vec![row(2), row(-1)],
            unbalanced_rows: 2,
            ..LedgerView::default()
        };
        let (exit, _, err) = shown(&view);
        assert_eq!(exit, Exit::Failed);
        assert!(err.contains("site to orders, 2026-11-21 08h: 2 missing"), "{err}");
        assert!(err.contains("1 too many"), "{err}");
    }

    #[test]
    fn times_are_said_in_three_ways() {
        let now = 1_000 * HOUR_MS;
        let said = |text| moment("--since", text, now).ok();
        assert_eq!(said("36h"), Some(964 * HOUR_MS));
        assert_eq!(said("2d"), Some(952 * HOUR_MS));
        assert_eq!(said("1970-01-02"), Some(24 * HOUR_MS));
        assert_eq!(said("1970-01-01T01:00:00Z"), Some(HOUR_MS));
        for wrong in ["", "h", "yesterday", "1970-13-01", "99999999999999999d"] {
            assert_eq!(said(wrong), None, "{wrong}");
        }
    }
}
