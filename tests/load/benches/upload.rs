//! How long it takes from the upload of JavaScript source until an event has gone through it.

use super::Bench;
use crate::client::Connection;
use crate::clock::{monotonic_ns, percentile};
use crate::destination::start_delivering;
use crate::events::Template;
use crate::figure::Figure;
use crate::pintle::{Pintle, WRITE_KEY};
use anyhow::ensure;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const NAME: &str = "upload";
const UPLOADS: usize = 20;
const SLOWEST_MOST_MS: f64 = 1_000.0;
const ARRIVAL_TIME_MAX: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// No two are the same, so nothing of one helps the next.
const CODE: &str = "\
const number = NUMBER;
export function transformEvent(event) {
  event.context.transformation = number;
  return event;
}";

pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    // The demo has loaded the engine: an upload finds it compiled.
    let (pintle, mut destination) = start_delivering(&bench.scratch, NAME).await?;
    let url = format!("http://{}/upload", destination.address);
    pintle.change("PUT", "/admin/v1/sources/uploads", &json!({"write_key": format!("{WRITE_KEY}up")})).await?;
    let body = json!({"plugin": "webhook", "config": {"webhookUrl": url}});
    pintle.change("PUT", "/admin/v1/destinations/uploads", &body).await?;
    let templates = bench.pool.spread(&[format!("{WRITE_KEY}up")]);
    let mut connection = Connection::open(pintle.listen).await?;
    let mut took_ns = Vec::with_capacity(UPLOADS);
    for (number, template) in templates.iter().cycle().take(UPLOADS).enumerate() {
        let before = destination.arrived().await?;
        let started = Instant::now();
        live(&pintle, number).await?;
        post(&mut connection, template).await?;
        while destination.arrived().await? == before {
            ensure!(started.elapsed() < ARRIVAL_TIME_MAX, "nothing arrived; the status: {}", pintle.status().await?);
            tokio::time::sleep(LOOK_EVERY).await;
        }
        took_ns.push(u64::try_from(started.elapsed().as_nanos())?);
        pintle.change("DELETE", "/admin/v1/connections/uploads", &Value::Null).await?;
    }
    took_ns.sort_unstable();
    let ms = |share| percentile(&took_ns, share) as f64 / 1e6;
    let (median, slowest) = (ms(0.5), ms(1.0));
    bench.record(Figure::new(NAME, format!("JavaScript source to first event, median of {UPLOADS}"), median, "ms"));
    bench.record(
        Figure::new(NAME, "the slowest of them", slowest, "ms")
            .aim(format!("< {SLOWEST_MOST_MS} ms"), slowest < SLOWEST_MOST_MS),
    );
    pintle.stop()?;
    bench.scratch.clear(NAME);
    Ok(())
}

/// Uploads a transformation, publishes it, and connects it.
async fn live(pintle: &Pintle, number: usize) -> anyhow::Result<()> {
    let path = format!("/admin/v1/transformations/upload-{number}");
    let code = CODE.replace("NUMBER", &number.to_string());
    pintle.send("PUT", &format!("{path}/draft"), code.as_bytes()).await?;
    pintle.change("POST", &format!("{path}/publish"), &Value::Null).await?;
    let transformations = [format!("upload-{number}")];
    let body = json!({"source": "uploads", "destination": "uploads", "transformations": transformations});
    pintle.change("PUT", "/admin/v1/connections/uploads", &body).await
}

async fn post(connection: &mut Connection, template: &Template) -> anyhow::Result<()> {
    let mut request = Vec::new();
    template.render(&mut request, monotonic_ns());
    let status = connection.exchange(&request).await?;
    ensure!(status == 200, "an event was answered {status}");
    Ok(())
}
