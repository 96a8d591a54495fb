//! What a transformation in JavaScript costs, beside plain Node and beside an isolate per batch.

use super::Bench;
use crate::clock::median;
use crate::figure::Figure;
use crate::guests::{Kind, cell_us};
use crate::node;
use crate::peers::Peer;
use crate::pintle::demo_transformation;
use std::path::{Path, PathBuf};

const NAME: &str = "transformation";
const BATCH_EVENTS: usize = 100;
const NODE_RATIO_MOST: f64 = 3.0;
const ISOLATE_TIMES: f64 = 10.0;

/// A way to run the same function in Node, over the same batches.
struct Script {
    path: PathBuf,
    transformation: PathBuf,
}

impl Script {
    fn new(bench: &Bench, folder: &Path, name: &str) -> anyhow::Result<Script> {
        // Node tells a module by its name.
        let transformation = bench.scratch.join("transformation.mjs");
        std::fs::copy(demo_transformation(), &transformation)?;
        Ok(Script { path: folder.join(name), transformation })
    }

    /// CPU time of one batch, in microseconds.
    fn cell_us(&self, bench: &Bench, batches: &Path) -> anyhow::Result<f64> {
        let [path, transformation, batches] = [&self.path, &self.transformation, batches].map(Path::to_string_lossy);
        let [warm, measured] = [bench.spans.warm, bench.spans.cell].map(|span| span.as_secs_f64().to_string());
        let [us] = Peer::node(&[&path, &transformation, &batches, &warm, &measured])?.numbers()?;
        Ok(us)
    }
}

pub fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let folder = node::folder()?;
    let batches = bench.batches_of(BATCH_EVENTS)?;
    let (us, baseline, ratio) = compare(bench, &Script::new(bench, &folder, "plain.js")?, &batches)?;
    let us = us / BATCH_EVENTS as f64;
    bench.record(
        Figure::new(NAME, format!("JavaScript, batch {BATCH_EVENTS}; baseline: plain Node"), us, "µs/event")
            .against(baseline / BATCH_EVENTS as f64)
            .ratio(ratio)
            .cpu(us)
            .aim(format!("ratio ≤ {NODE_RATIO_MOST}"), ratio <= NODE_RATIO_MOST),
    );
    let batches = bench.batches_of(1)?;
    let (us, baseline, ratio) = compare(bench, &Script::new(bench, &folder, "isolates.js")?, &batches)?;
    bench.record(
        Figure::new(NAME, "JavaScript, batch 1, warm; baseline: a new isolate of isolated-vm", us, "µs/batch")
            .against(baseline)
            .ratio(ratio)
            .cpu(us)
            .aim(format!("ratio ≤ 1/{ISOLATE_TIMES}"), ratio <= 1.0 / ISOLATE_TIMES),
    );
    Ok(())
}

/// CPU time of one batch of ours and of the script's, and their ratio within rounds.
fn compare(bench: &Bench, script: &Script, batches: &Path) -> anyhow::Result<(f64, f64, f64)> {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..bench.spans.rounds {
        ours.push(cell_us(Kind::Transformation, batches, bench.spans.warm, bench.spans.cell)?);
        theirs.push(script.cell_us(bench, batches)?);
    }
    let ratio = median(ours.iter().zip(&theirs).map(|(ours, theirs)| ours / theirs).collect());
    Ok((median(ours), median(theirs), ratio))
}
