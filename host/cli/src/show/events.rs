//! `pintle events tail`.

use super::plain;
use pintle_control::TailEvent;
use std::io::{self, Write};

/// One event on one line: time, source, type, message id, and the event itself.
pub(crate) fn line(event: &TailEvent, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "{}  {}  {}  {}  {}",
        clock(event.received_at_ms),
        plain(&event.source_id),
        plain(&event.event_type),
        plain(&event.message_id),
        plain(event.event.get())
    )
}

/// The time of day in UTC: who watches a stream knows the day.
pub(crate) fn clock(at_ms: i64) -> String {
    let of_day = at_ms.rem_euclid(86_400_000);
    let (hours, minutes) = (of_day / 3_600_000, of_day / 60_000 % 60);
    format!("{hours:02}:{minutes:02}:{:02}.{:03}Z", of_day / 1000 % 60, of_day % 1000)
}
