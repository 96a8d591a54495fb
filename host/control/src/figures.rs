//! What a component has done so far, read from the metrics: the same numbers that a scraper sees.

use crate::views::figures::{FiguresView, Seconds};
use std::collections::BTreeMap;

/// Sums up the runtime's metrics whose label `label` is `id`. `text` is in Prometheus' text form.
pub(crate) fn of(text: &str, label: &str, id: &str) -> FiguresView {
    let mut figures = FiguresView::default();
    let mut buckets = BTreeMap::new();
    let ours = text.lines().filter_map(Sample::read).filter(|sample| sample.labels.get(label) == Some(&id));
    for Sample { name, labels, value } in ours {
        let count = value as u64;
        let kind = |label: &str| labels.get(label).map_or_else(String::new, |kind| (*kind).to_owned());
        match name {
            "pintle_runtime_calls_total" => figures.calls += count,
            "pintle_runtime_events_total" => figures.events += count,
            "pintle_runtime_failures_total" => *figures.failures.entry(kind("kind")).or_default() += count,
            "pintle_runtime_instance_starts_total" => figures.starts += count,
            "pintle_runtime_instance_recycles_total" => *figures.recycles.entry(kind("reason")).or_default() += count,
            "pintle_runtime_memory_high_bytes" => figures.memory_high_bytes = figures.memory_high_bytes.max(count),
            "pintle_runtime_call_seconds_sum" => figures.seconds.total += value,
            "pintle_runtime_call_seconds_bucket" => *buckets.entry(kind("le")).or_insert(0) += count,
            _ => {}
        }
    }
    figures.seconds = Seconds { p50_max: below(&buckets, 0.5), p99_max: below(&buckets, 0.99), ..figures.seconds };
    figures
}

/// The smallest bound below which that share of the calls lies; none before the first call, and none when they
/// lie beyond the last bound.
fn below(buckets: &BTreeMap<String, u64>, share: f64) -> Option<f64> {
    let all = *buckets.get("+Inf")? as f64;
    let fits = buckets.iter().filter(|(_, count)| all > 0.0 && **count as f64 >= share * all);
    fits.filter_map(|(bound, _)| bound.parse().ok().filter(|bound: &f64| bound.is_finite())).reduce(f64::min)
}

/// One line of the text form.
struct Sample<'a> {
    name: &'a str,
    labels: BTreeMap<&'a str, &'a str>,
    value: f64,
}

impl<'a> Sample<'a> {
    /// None for comments and for lines without labels. Values with quotes or commas are none of ours: ids,
    /// names of functions, kinds and numbers.
    fn read(line: &'a str) -> Option<Sample<'a>> {
        let (name, rest) = line.split_once('{')?;
        let (labels, value) = rest.rsplit_once("} ")?;
        let labels = labels.split(',').filter_map(|label| {
            let (name, value) = label.split_once('=')?;
            Some((name, value.trim_matches('"')))
        });
        Some(Sample { name, labels: labels.collect(), value: value.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"# TYPE pintle_runtime_calls_total counter
pintle_runtime_calls_total{world="script-engine",plugin="",transformation="tidy",function="transform"} 10
pintle_runtime_calls_total{world="script-engine",plugin="",transformation="other",function="transform"} 7
pintle_runtime_events_total{world="script-engine",plugin="",transformation="tidy"} 900
pintle_runtime_failures_total{world="script-engine",plugin="",transformation="tidy",kind="trapped"} 2
pintle_runtime_instance_recycles_total{transformation="tidy",reason="idle"} 3
pintle_runtime_memory_high_bytes{world="script-engine",plugin="",transformation="tidy"} 2097152
pintle_runtime_call_seconds_bucket{transformation="tidy",function="transform",le="0.001"} 6
pintle_runtime_call_seconds_bucket{transformation="tidy",function="transform",le="0.01"} 9
pintle_runtime_call_seconds_bucket{transformation="tidy",function="transform",le="+Inf"} 10
pintle_runtime_call_seconds_sum{transformation="tidy",function="transform"} 0.25
pintle_runtime_instances 4
"#;

    #[test]
    fn only_its_own_samples_count() {
        let figures = of(TEXT, "transformation", "tidy");
        assert_eq!((figures.calls, figures.events, figures.memory_high_bytes), (10, 900, 2 << 20));
        assert_eq!((figures.failures["trapped"], figures.recycles["idle"]), (2, 3));
        assert_eq!(of(TEXT, "transformation", "tid"), FiguresView::default());
    }

    #[test]
    fn a_share_of_the_calls_lies_below_a_bound_or_beyond_the_last() {
        let seconds = of(TEXT, "transformation", "tidy").seconds;
        assert_eq!((seconds.total, seconds.p50_max, seconds.p99_max), (0.25, Some(0.001), None));
    }
}
