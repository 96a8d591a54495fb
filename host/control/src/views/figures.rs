//! What a component has done since the server started.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a transformation or a plugin has done since the server started, test runs included.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FiguresView {
    /// Calls of its functions.
    pub calls: u64,
    /// Events given to it.
    pub events: u64,
    /// Calls that came to nothing, by kind; crashes are of the kind `trapped`.
    pub failures: BTreeMap<String, u64>,
    /// The time of its calls.
    pub seconds: Seconds,
    /// The most linear memory that one instance has had, in bytes.
    pub memory_high_bytes: u64,
    /// Instances started.
    pub starts: u64,
    /// Instances given up, by reason.
    pub recycles: BTreeMap<String, u64>,
}

/// The time of calls, in seconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Seconds {
    /// Of all of them.
    pub total: f64,
    /// Half of them took at most this: a bound of the histogram in `/metrics`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p50_max: Option<f64>,
    /// 99 % of them took at most this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99_max: Option<f64>,
}
