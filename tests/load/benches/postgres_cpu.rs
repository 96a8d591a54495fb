//! What Postgres pays per acknowledged event, beside what it pays for one row per event.
//!
//! The rows come as many to a statement as Pintle had events in a commit, on as many connections as Pintle
//! has lanes, so that only the form differs.

use super::Bench;
use super::gateway::{Cell, cells_alone, middle};
use crate::clock::median;
use crate::figure::Figure;
use crate::peers::run_baseline;

const NAME: &str = "postgres-cpu";
/// As Pintle has lanes.
const CONNECTIONS: usize = 2;

pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    if bench.singles.is_empty() || bench.batches.is_empty() {
        (bench.singles, bench.batches) = (Vec::new(), Vec::new());
        cells_alone(bench).await?;
    }
    let (singles, batches) = (bench.singles.clone(), bench.batches.clone());
    record(bench, "batches of 100", &batches, 15.0, Some(2.0))?;
    record(bench, "single events", &singles, 8.0, None)
}

fn record(bench: &mut Bench, what: &str, cells: &[Cell], times: f64, most_us: Option<f64>) -> anyhow::Result<()> {
    let rows = middle(cells, |cell| cell.chunk_events).round().max(1.0);
    let mut baselines = Vec::new();
    for round in 0..bench.spans.rounds {
        let folder = format!("rows-{rows}-{round}");
        let did = run_baseline(
            "rows",
            &bench.scratch.join(&folder),
            &bench.events,
            &[
                rows.to_string(),
                CONNECTIONS.to_string(),
                bench.spans.warm.as_secs().to_string(),
                bench.spans.cell.as_secs().to_string(),
            ],
        )?;
        bench.scratch.clear(&folder);
        baselines.push(did.postgres_cpu_us_per_event);
    }
    let value = middle(cells, |cell| cell.postgres_cpu_us);
    let baseline = median(baselines);
    let figure = format!("{what}; baseline: a row per event, {rows} a statement");
    let mut holds = value / baseline <= 1.0 / times;
    let mut aim = format!("ratio ≤ 1/{times}");
    if let Some(most_us) = most_us {
        holds &= value <= most_us;
        aim += &format!(", ≤ {most_us} µs");
    }
    bench.record(
        Figure::new(NAME, figure, value, "µs/event")
            .against(baseline)
            .cpu(middle(cells, |cell| cell.cpu_us))
            .aim(aim, holds),
    );
    Ok(())
}
