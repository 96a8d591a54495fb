//! Components by themselves, in a process of their own: the runtime as Pintle sets it up, without the rest of it.

use crate::batches;
use crate::clock::own_cpu_ns;
use crate::peers::Peer;
use crate::pintle::{demo_transformation, plugins_dir};
use crate::shipped::Shipped;
use anyhow::{anyhow, bail, ensure};
use pintle_plugin_sdk::{Context as NativeContext, Destination as _, Event, Outcome as NativeOutcome};
use pintle_plugin_webhook::Webhook;
use pintle_runtime::destination::{Context as DestinationContext, Destination, Outcome};
use pintle_runtime::transformation::{Context, Entry, Source, Transformation};
use pintle_runtime::{Config, Runtime};
use serde_json::{Value, json};
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// The webhook's component.
    Component,
    /// The same mapping in this program.
    Native,
    /// The demo's transformation.
    Transformation,
    /// The component of a destination that comes with Pintle.
    Destination(&'static Shipped),
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Component => "component",
            Kind::Native => "native",
            Kind::Transformation => "transformation",
            Kind::Destination(shipped) => shipped.plugin,
        }
    }

    fn named(name: &str) -> Option<Kind> {
        let known = [Kind::Component, Kind::Native, Kind::Transformation].into_iter().find(|kind| kind.name() == name);
        known.or_else(|| Shipped::named(name).map(Kind::Destination))
    }
}

/// The clock of a call: a day after the events, so that no destination finds them too old.
const NOW_MS: u64 = 1_772_452_800_000;

/// CPU time of one batch of the file, in microseconds, measured by another process.
pub fn cell_us(kind: Kind, batches: &Path, warm: Duration, measured: Duration) -> anyhow::Result<f64> {
    let (warm, measured) = (warm.as_secs_f64().to_string(), measured.as_secs_f64().to_string());
    let [us] = Peer::role(&["guests", kind.name(), &batches.to_string_lossy(), &warm, &measured])?.numbers()?;
    Ok(us)
}

/// The role of that other process.
pub fn run(kind: &str, batches: &Path, warm: &str, measured: &str) -> anyhow::Result<()> {
    let kind = Kind::named(kind).ok_or_else(|| anyhow!("no guest {kind}"))?;
    let cell = Cell {
        batches: batches::read(batches)?,
        warm: Duration::from_secs_f64(warm.parse()?),
        measured: Duration::from_secs_f64(measured.parse()?),
    };
    let us = match kind {
        Kind::Native => native(&cell)?,
        // One thread: what is measured is CPU time, and a call uses one at a time.
        _ => tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(guest(kind, &cell))?,
    };
    println!("{us}");
    Ok(())
}

async fn guest(kind: Kind, cell: &Cell) -> anyhow::Result<f64> {
    let precompiled = plugins_dir()?.join("compiled");
    let runtime = Runtime::new(Config { precompiled_dirs: vec![precompiled], ..Config::default() })?;
    match kind {
        Kind::Transformation => {
            let transformation = transformation(&runtime).await?;
            cell.run(async |batch, events| transform(&transformation, batch, events).await).await
        }
        _ => {
            let (name, config) = match kind {
                Kind::Destination(shipped) => (shipped.plugin, shipped.configuration()),
                _ => ("webhook", configuration()),
            };
            let plugin = runtime.destination(&std::fs::read(plugins_dir()?.join(format!("{name}.wasm")))?).await?;
            let destination = plugin.configure(&config).await?;
            cell.run(async |batch, events| deliver(&destination, batch, events).await).await
        }
    }
}

/// The mapping as the component has it: it reads the batch, and answers with an outcome per event.
fn native(cell: &Cell) -> anyhow::Result<f64> {
    let webhook = Webhook::configure(&configuration()).map_err(|mistakes| anyhow!("{mistakes:?}"))?;
    let deliver = |batch: &[u8], events: usize| -> anyhow::Result<()> {
        let entries = Event::batch(batch)?;
        let outcomes = entries.iter().map(|event| webhook.transform(event, &NativeContext::default()));
        let outcomes: Vec<NativeOutcome> =
            outcomes.collect::<Result<_, _>>().map_err(|reject| anyhow!("{reject:?}"))?;
        ensure!(black_box(outcomes).len() == events, "too few outcomes");
        Ok(())
    };
    let run = cell.run(async |batch, events| deliver(&batch, events));
    tokio::runtime::Builder::new_current_thread().build()?.block_on(run)
}

fn configuration() -> Value {
    json!({"webhookUrl": "https://example.com/hook", "webhookMethod": "POST"})
}

async fn deliver(destination: &Destination, batch: Vec<u8>, events: usize) -> anyhow::Result<()> {
    let context = DestinationContext { now_ms: NOW_MS, ..DestinationContext::default() };
    let outcomes = destination.transform(context, batch, events).await?;
    if let Some(other) = outcomes.iter().find(|outcome| !matches!(outcome, Outcome::Deliver(_))) {
        bail!("not each of {events} events is to be delivered: {other:?}");
    }
    black_box(outcomes);
    Ok(())
}

async fn transformation(runtime: &Runtime) -> anyhow::Result<Arc<Transformation>> {
    let engine = runtime.script_engine(&std::fs::read(plugins_dir()?.join("javascript-engine.wasm"))?).await?;
    let source = Source {
        id: "tidy".to_owned(),
        version: "1".to_owned(),
        name: "transformation.js".to_owned(),
        code: std::fs::read_to_string(demo_transformation())?,
        ..Source::default()
    };
    Ok(engine.load(source).await?)
}

async fn transform(transformation: &Transformation, batch: Vec<u8>, events: usize) -> anyhow::Result<()> {
    let ctx = Context { transformation_id: "tidy".to_owned(), version_id: "1".to_owned(), ..Context::default() };
    let reply = transformation.transform(&ctx, batch, events).await?;
    let outputs = reply.entries.iter().filter(|entry| matches!(entry, Entry::Output { .. })).count();
    ensure!(outputs == events, "{outputs} of {events} events came out");
    black_box(reply);
    Ok(())
}

/// Batches, and for how long.
struct Cell {
    batches: Vec<Vec<u8>>,
    warm: Duration,
    measured: Duration,
}

impl Cell {
    /// Calls with batch after batch; CPU time of one, in microseconds. The copy of the batch stands for the
    /// processor's, who makes each anew.
    async fn run(&self, mut one: impl AsyncFnMut(Vec<u8>, usize) -> anyhow::Result<()>) -> anyhow::Result<f64> {
        let sizes: Vec<usize> = self.batches.iter().map(|batch| events(batch)).collect::<Result<_, _>>()?;
        let mut turn = async |span: Duration| -> anyhow::Result<usize> {
            let until = Instant::now() + span;
            let mut calls = 0;
            while Instant::now() < until {
                let at = calls % self.batches.len();
                one(self.batches[at].clone(), sizes[at]).await?;
                calls += 1;
            }
            Ok(calls)
        };
        turn(self.warm).await?;
        let before = own_cpu_ns();
        let calls = turn(self.measured).await?;
        Ok((own_cpu_ns() - before) as f64 / 1e3 / calls as f64)
    }
}

fn events(batch: &[u8]) -> anyhow::Result<usize> {
    let entries: Vec<Value> = serde_json::from_slice(batch)?;
    Ok(entries.len())
}
