//! What each destination's component costs, beside the same transform in the system that people come from.

use super::Bench;
use crate::clock::median;
use crate::events::completed;
use crate::figure::Figure;
use crate::guests::{Kind, cell_us};
use crate::shipped::SHIPPED;
use anyhow::Context;
use std::path::PathBuf;

const NAME: &str = "destinations";
const BATCH_EVENTS: usize = 100;
/// What the geometric mean of the ratios, and each of them, may be.
const MEAN_MOST: f64 = 0.25;
const EACH_MOST: f64 = 0.75;

pub fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let batches = batches(bench)?;
    let mut ratios = Vec::new();
    for shipped in &SHIPPED {
        let mut rounds = Vec::new();
        for _ in 0..bench.spans.rounds {
            let cell = cell_us(Kind::Destination(shipped), &batches, bench.spans.warm, bench.spans.cell)?;
            rounds.push(cell / BATCH_EVENTS as f64);
        }
        let us = median(rounds);
        let figure = Figure::new(NAME, format!("{}, batch {BATCH_EVENTS}", shipped.plugin), us, "µs/event").cpu(us);
        bench.record(match shipped.peer_us {
            Some(peer_us) => {
                let ratio = us / peer_us;
                ratios.push(ratio);
                figure.against(peer_us).aim(format!("ratio ≤ {EACH_MOST}"), ratio <= EACH_MOST)
            }
            None => figure.reported(),
        });
    }
    let mean = (ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / ratios.len() as f64).exp();
    let figure = Figure::new(NAME, "geometric mean of the ratios", mean, "ratio");
    bench.record(figure.aim(format!("≤ {MEAN_MOST}"), mean <= MEAN_MOST));
    Ok(())
}

/// Batches that every destination takes whole: one that refused some would be cheap for them.
fn batches(bench: &Bench) -> anyhow::Result<PathBuf> {
    let (events, batches) =
        (bench.scratch.join("events-completed.ndjson"), bench.scratch.join("batches-completed.ndjson"));
    let mut text = String::new();
    for event in std::fs::read_to_string(&bench.events)?.lines() {
        text += &completed(event).with_context(|| format!("not one of the pool: {event}"))?;
        text.push('\n');
    }
    std::fs::write(&events, text)?;
    crate::batches::write(&events, &batches, BATCH_EVENTS)?;
    Ok(batches)
}
