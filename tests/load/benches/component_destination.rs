//! What a destination costs as a component, beside the same mapping compiled into the program.

use super::Bench;
use crate::clock::median;
use crate::figure::Figure;
use crate::guests::{Kind, cell_us};

const NAME: &str = "component-destination";
const BATCH_EVENTS: usize = 100;
const RATIO_MOST: f64 = 1.5;

pub fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let batches = bench.batches_of(BATCH_EVENTS)?;
    let (mut component, mut native) = (Vec::new(), Vec::new());
    for _ in 0..bench.spans.rounds {
        let cell = |kind| cell_us(kind, &batches, bench.spans.warm, bench.spans.cell);
        component.push(cell(Kind::Component)? / BATCH_EVENTS as f64);
        native.push(cell(Kind::Native)? / BATCH_EVENTS as f64);
    }
    let ratio = median(component.iter().zip(&native).map(|(component, native)| component / native).collect());
    let figure = format!("webhook, batch {BATCH_EVENTS}; baseline: compiled natively");
    let us = median(component);
    bench.record(
        Figure::new(NAME, figure, us, "µs/event")
            .against(median(native))
            .ratio(ratio)
            .cpu(us)
            .aim(format!("ratio ≤ {RATIO_MOST}"), ratio <= RATIO_MOST),
    );
    Ok(())
}
