//! Prometheus: the recorder that every crate's metrics go to.

use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};

/// Upper bounds of histogram buckets, in seconds: from a commit to a hanging destination.
const SECONDS: [f64; 14] = [0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0];

/// Installs the recorder of this process and gives the handle that renders it. Call it once, before
/// anything counts: what was counted earlier is lost.
pub fn metrics_handle() -> Result<PrometheusHandle, BuildError> {
    PrometheusBuilder::new().set_buckets(&SECONDS)?.install_recorder()
}
