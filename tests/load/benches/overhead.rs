//! What it costs to be able to stop a guest: the runtime beside the same component without any limit.

use super::Bench;
use crate::clock::median;
use crate::figure::Figure;
use crate::peers::Peer;
use crate::pintle::{demo_transformation, plugins_dir};

const NAME: &str = "overhead";
const BATCH_EVENTS: usize = 100;
const RATIO_MOST: f64 = 1.3;

pub fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let batches = bench.batches_of(BATCH_EVENTS)?;
    let [engine, code, batches] = [plugins_dir()?.join("javascript-engine.wasm"), demo_transformation(), batches]
        .map(|path| path.to_string_lossy().into_owned());
    let [warm, cell] = [bench.spans.warm, bench.spans.cell].map(|span| span.as_secs_f64().to_string());
    let rounds = bench.spans.rounds.to_string();
    let mut peer = Peer::bare(&[&engine, &code, &batches, &warm, &cell, &rounds])?;
    let (mut limited, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..bench.spans.rounds {
        let [limited_us, bare_us] = peer.numbers()?;
        limited.push(limited_us / BATCH_EVENTS as f64);
        bare.push(bare_us / BATCH_EVENTS as f64);
    }
    let ratio = median(limited.iter().zip(&bare).map(|(limited, bare)| limited / bare).collect());
    let figure = format!("JavaScript, batch {BATCH_EVENTS}, with limits; baseline: without epochs and limits");
    let us = median(limited);
    bench.record(
        Figure::new(NAME, figure, us, "µs/event")
            .against(median(bare))
            .ratio(ratio)
            .cpu(us)
            .aim(format!("ratio ≤ {RATIO_MOST}"), ratio <= RATIO_MOST),
    );
    Ok(())
}
