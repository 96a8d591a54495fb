//! What a component has done since the server started, for people.

use crate::show::{plain, size};
use pintle_control::views::figures::FiguresView;
use std::collections::BTreeMap;
use std::io::Write;

/// Writes the figures, one line each.
pub(super) fn write(figures: &FiguresView, out: &mut dyn Write) -> std::io::Result<()> {
    let FiguresView { calls, events, failures, seconds, memory_high_bytes, starts, recycles } = figures;
    writeln!(out, "{:<12} {calls}, with {events} events{}", "calls", counted(", failed", failures))?;
    writeln!(out, "{:<12} {:.3} s in all{}", "time", seconds.total, share(seconds.p50_max, seconds.p99_max))?;
    writeln!(out, "{:<12} {} at most", "memory", size(*memory_high_bytes))?;
    writeln!(out, "{:<12} {starts} started{}", "instances", counted(", given up", recycles))
}

fn counted(what: &str, counts: &BTreeMap<String, u64>) -> String {
    let total: u64 = counts.values().sum();
    if total == 0 {
        return String::new();
    }
    let each: Vec<String> = counts.iter().map(|(kind, count)| format!("{} {count}", plain(kind))).collect();
    format!("{what} {total} ({})", each.join(", "))
}

fn share(half: Option<f64>, most: Option<f64>) -> String {
    let within = |share, seconds: f64| format!("; {share} within {} ms", seconds * 1000.0);
    let half = half.map(|seconds| within("half of the calls", seconds)).unwrap_or_default();
    half + &most.map(|seconds| within("99 %", seconds)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pintle_control::views::figures::Seconds;

    #[test]
    fn what_did_not_happen_is_not_mentioned() {
        let mut out = Vec::new();
        let figures = FiguresView {
            calls: 10,
            events: 900,
            failures: BTreeMap::from([("timed-out".to_owned(), 1), ("trapped".to_owned(), 2)]),
            seconds: Seconds { total: 0.25, p50_max: Some(0.001), p99_max: None },
            memory_high_bytes: 2 << 20,
            starts: 1,
            ..FiguresView::default()
        };
        write(&figures, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("10, with 900 events, failed 3 (timed-out 1, trapped 2)\n"), "{text}");
        assert!(text.contains("0.250 s in all; half of the calls within 1 ms\n"), "{text}");
        assert!(text.contains("1 started\n"), "{text}");
    }
}
