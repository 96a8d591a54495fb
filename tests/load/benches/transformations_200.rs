//! Two hundred transformations connected on one host, each with a source and a destination of its own, fifty of
//! them with events all the time.

use super::Bench;
use super::end_to_end::{Run, cell};
use crate::client::{Connection, Load};
use crate::clock::{monotonic_ns, percentile};
use crate::destination::{Destination, start_delivering};
use crate::events::Template;
use crate::figure::Figure;
use crate::pintle::{Pintle, WRITE_KEY};
use anyhow::ensure;
use serde_json::{Map, Value, json};
use std::rc::Rc;
use std::time::{Duration, Instant};

const NAME: &str = "transformations-200";
const CONNECTED: usize = 200;
const HOT: usize = 50;
/// Cold ones that get an event.
const WOKEN: usize = 20;
/// Load on the hot ones meanwhile: it keeps them hot and leaves the machine its time.
const HOT_EVENTS_PER_SECOND: u64 = 500;
const CONNECTIONS: usize = 64;
const ABOVE_IDLE_MOST_MB: f64 = 1_000.0;
/// The first event of each waits until its transformation is loaded, and the first of all until the engine is
/// compiled, where it was not before.
const FIRST_EVENTS_TIME_MAX: Duration = Duration::from_secs(300);
const ARRIVAL_TIME_MAX: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// No two are the same: each knows its number.
const CODE: &str = "\
const number = NUMBER;
export function transformEvent(event, metadata) {
  if (event.properties?.email) {
    event.properties.emailDomain = event.properties.email.split('@')[1];
    delete event.properties.email;
  }
  event.context.transformation = { number, source: metadata(event).sourceId };
  return event;
}";

pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let idle = idle_bytes(bench).await?;
    let mut destination = Destination::start().await?;
    let settings = bench.spans.instance_idle.map_or_else(String::new, |idle| {
        let settings = json!({"runtime": {"idle-time-max": idle.as_secs_f64()}});
        format!("{settings}\n")
    });
    let pintle = Pintle::start_with(&bench.scratch, NAME, &workspace(&destination), &settings).await?;
    let load = |keys: &[String], connections| Load {
        target: pintle.listen,
        connections,
        templates: Rc::new(bench.pool.spread(keys)),
    };
    let keys: Vec<String> = (0..CONNECTED).map(write_key).collect();
    load(&keys, CONNECTIONS).open_loop(HOT_EVENTS_PER_SECOND, CONNECTED as u64).await?;
    destination.wait_for(CONNECTED as u64, Instant::now() + FIRST_EVENTS_TIME_MAX).await?;
    let arrived = destination.arrived().await?;
    ensure!(arrived == CONNECTED as u64, "{arrived} first events arrived; the status: {}", pintle.status().await?);
    let all_warm = pintle.resident_bytes()?;

    pintle.forget_peak()?;
    let hot = load(&keys[..HOT], CONNECTIONS);
    let run = cell(&pintle, &mut destination, &hot, bench.spans.warm, bench.spans.hot).await?;
    let peak = pintle.peak_bytes()?;
    let memory = pintle.counter("pintle_runtime_memory_bytes").await?;
    let instances = pintle.counter("pintle_runtime_instances").await?;
    let cold = Cold::measure(bench, &pintle, &mut destination, &hot).await?;

    record_memory(bench, [idle, all_warm, peak], memory, instances);
    record_events(bench, &run, &cold);
    pintle.stop()?;
    bench.scratch.clear(NAME);
    Ok(())
}

/// Resident memory of a Pintle with the demo that has nothing to do.
async fn idle_bytes(bench: &Bench) -> anyhow::Result<u64> {
    let name = format!("{NAME}-idle");
    let (pintle, _destination) = start_delivering(&bench.scratch, &name).await?;
    tokio::time::sleep(bench.spans.warm).await;
    let idle = pintle.resident_bytes()?;
    pintle.stop()?;
    bench.scratch.clear(&name);
    Ok(idle)
}

/// Events to transformations that have had none for so long that their instances are gone.
struct Cold {
    /// From the post to the arrival, sorted, in nanoseconds.
    took_ns: Vec<u64>,
    /// Instances that were started for them.
    started: f64,
}

impl Cold {
    /// One after the other, while the hot ones have events at a steady rate.
    async fn measure(
        bench: &Bench,
        pintle: &Pintle,
        destination: &mut Destination,
        hot: &Load,
    ) -> anyhow::Result<Cold> {
        const STARTS: &str = "pintle_runtime_instance_starts_total";
        let of_cold = format!("transformation=\"{}", id("cold", ""));
        let before = pintle.counter_of(STARTS, &of_cold).await?;
        let keys: Vec<String> = (CONNECTED - WOKEN..CONNECTED).map(write_key).collect();
        let templates = bench.pool.spread(&keys);
        // None are noted before the first question.
        destination.ages_ns_at("/cold").await?;
        let seconds = bench.spans.cell.as_secs().max(1);
        let busy = hot.open_loop(HOT_EVENTS_PER_SECOND, HOT_EVENTS_PER_SECOND * seconds);
        let woken = async {
            let mut connection = Connection::open(pintle.listen).await?;
            let mut took_ns = Vec::with_capacity(WOKEN);
            for template in &templates[..WOKEN] {
                took_ns.push(wake(&mut connection, template, destination).await?);
            }
            took_ns.sort_unstable();
            anyhow::Ok(took_ns)
        };
        let (busy, woken) = tokio::join!(busy, woken);
        busy?;
        let started = pintle.counter_of(STARTS, &of_cold).await? - before;
        destination.quiet().await?;
        Ok(Cold { took_ns: woken?, started })
    }
}

/// Posts an event and waits until it has arrived; how old it was then.
async fn wake(connection: &mut Connection, template: &Template, destination: &mut Destination) -> anyhow::Result<u64> {
    let mut request = Vec::new();
    template.render(&mut request, monotonic_ns());
    let status = connection.exchange(&request).await?;
    ensure!(status == 200, "a cold one's event was answered {status}");
    let deadline = Instant::now() + ARRIVAL_TIME_MAX;
    loop {
        if let [age] = destination.ages_ns_at("/cold").await?[..] {
            return Ok(age);
        }
        ensure!(Instant::now() < deadline, "a cold one's event has not arrived");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn record_memory(bench: &mut Bench, resident: [u64; 3], linear: f64, instances: f64) {
    let [idle, all_warm, peak] = resident.map(|bytes| bytes as f64 / 1e6);
    let (above, seconds) = (peak - idle, bench.spans.hot.as_secs());
    bench.record(Figure::new(NAME, "resident memory, idle with one transformation", idle, "MB"));
    let figure = format!("resident memory above idle, {CONNECTED} connected, each with a first event");
    bench.record(Figure::new(NAME, figure, all_warm - idle, "MB"));
    let figure = format!("resident memory above idle, {HOT} of {CONNECTED} hot for {seconds} s, at most");
    bench.record(
        Figure::new(NAME, figure, above, "MB").aim(format!("< {ABOVE_IDLE_MOST_MB} MB"), above < ABOVE_IDLE_MOST_MB),
    );
    bench.record(Figure::new(NAME, "linear memory of all instances after it", linear / 1e6, "MB"));
    bench.record(Figure::new(NAME, "instances after it", instances, ""));
}

fn record_events(bench: &mut Bench, run: &Run, cold: &Cold) {
    let figure = format!("delivered, {HOT} of {CONNECTED} hot, posted one by one");
    bench.record(Figure::new(NAME, figure, run.events_per_second, "events/s").cpu(run.cpu_us).reported());
    for (what, share) in [("median", 0.5), ("slowest", 1.0)] {
        let ms = percentile(&cold.took_ns, share) as f64 / 1e6;
        let figure = format!("first event of a cold one, {what} of {WOKEN}, others at {HOT_EVENTS_PER_SECOND}/s");
        bench.record(Figure::new(NAME, figure, ms, "ms").reported());
    }
    let figure = format!("instances started for these {WOKEN}");
    bench.record(Figure::new(NAME, figure, cold.started, "").aim(format!("= {WOKEN}"), cold.started == WOKEN as f64));
}

/// What is hot comes first. The receiver tells the cold ones by their path.
fn temperature(number: usize) -> &'static str {
    if number < HOT { "hot" } else { "cold" }
}

fn id(temperature: &str, number: impl std::fmt::Display) -> String {
    format!("{temperature}-{number}")
}

fn write_key(number: usize) -> String {
    format!("{WRITE_KEY}{number}")
}

fn workspace(destination: &Destination) -> String {
    let [mut sources, mut destinations, mut transformations, mut connections] = std::array::from_fn(|_| Map::new());
    // The one whose events prove the start; nobody gets them.
    sources.insert("bench".to_owned(), json!({"write-key": WRITE_KEY}));
    for number in 0..CONNECTED {
        let id = id(temperature(number), number);
        let path = if number < HOT { "" } else { "/cold" };
        let url = format!("http://{}{path}", destination.address);
        sources.insert(id.clone(), json!({"write-key": write_key(number)}));
        destinations.insert(id.clone(), json!({"plugin": "webhook", "config": {"webhookUrl": url}}));
        transformations.insert(id.clone(), json!({"code": CODE.replace("NUMBER", &number.to_string())}));
        connections.insert(id.clone(), json!({"source": id, "destination": id, "transformations": [id]}));
    }
    let workspace: Value = json!({
        "sources": sources,
        "destinations": destinations,
        "transformations": transformations,
        "connections": connections,
    });
    // JSON is YAML as well.
    format!("{workspace:#}\n")
}
