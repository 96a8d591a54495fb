//! What is to be run, and for how long.

use anyhow::bail;
use std::time::Duration;

/// Every bench, in the order in which they run.
pub const NAMES: [&str; 17] = [
    "gateway",
    "gateway-batches",
    "postgres-cpu",
    "end-to-end",
    "delivery",
    "destinations-added",
    "isolation",
    "latency",
    "idle",
    "start",
    "component-destination",
    "destinations",
    "transformation",
    "overhead",
    "upload",
    "transformations-200",
    "sdk",
];

/// What was asked for.
#[derive(Clone, Debug)]
pub struct Plan {
    pub names: Vec<&'static str>,
    pub json: bool,
    pub keep: bool,
    pub spans: Spans,
}

/// How long things are measured.
#[derive(Clone, Copy, Debug)]
pub struct Spans {
    /// Load before anything counts: connections, caches, the first segment.
    pub warm: Duration,
    /// One measured cell.
    pub cell: Duration,
    /// Cells of ours and of the baseline, in turns; the median counts.
    pub rounds: usize,
    /// The open loop of the latency bench.
    pub open_loop: Duration,
    /// Nothing to do.
    pub idle: Duration,
    /// Events that wait while the process is killed, in bytes as clients sent them.
    pub unsettled_bytes: u64,
    /// Load on the hot ones among many transformations.
    pub hot: Duration,
    /// Another time than the default after which an instance without work goes: `hot` must be longer, or
    /// nothing is cold after it.
    pub instance_idle: Option<Duration>,
}

impl Plan {
    /// Reads the command line.
    pub fn parse(args: &[&str]) -> anyhow::Result<Plan> {
        let mut plan = Plan { names: Vec::new(), json: false, keep: false, spans: FULL };
        for arg in args {
            match *arg {
                "--json" => plan.json = true,
                "--keep" => plan.keep = true,
                "--quick" => plan.spans = QUICK,
                name => match NAMES.iter().find(|known| **known == name) {
                    Some(name) => plan.names.push(name),
                    None => bail!("there is no bench `{name}`; there are {}", NAMES.join(", ")),
                },
            }
        }
        if plan.names.is_empty() {
            plan.names = NAMES.to_vec();
        }
        Ok(plan)
    }
}

const FULL: Spans = Spans {
    warm: Duration::from_secs(2),
    cell: Duration::from_secs(8),
    rounds: 3,
    open_loop: Duration::from_secs(30),
    idle: Duration::from_secs(60),
    unsettled_bytes: 1 << 30,
    hot: Duration::from_secs(75),
    instance_idle: None,
};

const QUICK: Spans = Spans {
    warm: Duration::from_secs(1),
    cell: Duration::from_secs(2),
    rounds: 1,
    open_loop: Duration::from_secs(5),
    idle: Duration::from_secs(5),
    unsettled_bytes: 32 << 20,
    hot: Duration::from_secs(5),
    instance_idle: Some(Duration::from_secs(2)),
};
