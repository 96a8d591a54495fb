//! Prometheus: the recorder that every crate's metrics go to.

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

/// Upper bounds of histogram buckets, in seconds: from a commit to a hanging destination.
const SECONDS: [f64; 14] = [0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0];

/// The same for histograms that count events; their names end in `_events`.
const EVENTS: [f64; 10] = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0];

/// Installs the recorder of this process and gives the handle that renders it. Call it once, before
/// anything counts: what was counted earlier is lost.
pub fn metrics_handle() -> Result<PrometheusHandle, BuildError> {
    let events = Matcher::Suffix("_events".to_owned());
    PrometheusBuilder::new().set_buckets(&SECONDS)?.set_buckets_for_metric(events, &EVENTS)?.install_recorder()
}
