//! `pintle plugin test`: the cases of a folder, through the component and the host's own checks.

use super::args::Test;
use super::{component, manifest};
use crate::failure::{Exit, Failure};
use crate::{local, show};
use pintle_plugin_sdk as sdk;
use pintle_plugin_sdk::cases::{self, Case, Found};
use pintle_runtime::destination::{self, ConfigureError, Context, DestinationPlugin, Outcome};
use serde::Serialize;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[derive(Serialize)]
struct Report {
    passed: usize,
    failed: usize,
    cases: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    file: String,
    name: String,
    passed: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    differences: Vec<String>,
    took_us: u64,
}

pub(super) async fn run(test: &Test, out: &mut dyn Write) -> Result<Exit, Failure> {
    let manifest = manifest(&test.folder)?;
    let file = test.component.clone().unwrap_or_else(|| component(&test.folder, &manifest));
    let cases = cases::read(&test.folder.join("cases")).map_err(|wrong| Failure::new(Exit::BadFile, wrong))?;
    if cases.is_empty() {
        let message = format!("{}/cases has no .json file with cases", test.folder.display());
        return Err(Failure::new(Exit::BadFile, message));
    }
    if !file.is_file() {
        let message =
            format!("{} is not there; `pintle plugin build {}` makes it", file.display(), test.folder.display());
        return Err(Failure::new(Exit::BadFile, message));
    }
    let runtime = local::runtime(&test.local)?;
    let bytes = local::read(&file)?;
    let plugin = runtime.destination(&bytes).await;
    let plugin = plugin.map_err(|error| Failure::new(Exit::BadFile, format!("{}: {error}", file.display())))?;
    let mut report = Report { passed: 0, failed: 0, cases: Vec::new() };
    for (file, case) in cases {
        let from = Instant::now();
        let differences = match through(&plugin, &case).await {
            Ok(found) => cases::differences(&case, &found),
            Err(why) => vec![why],
        };
        let passed = differences.is_empty();
        report.passed += usize::from(passed);
        report.failed += usize::from(!passed);
        report.cases.push(Line { file, name: case.name, passed, differences, took_us: us(from.elapsed()) });
    }
    if test.local.json {
        serde_json::to_writer_pretty(&mut *out, &report)?;
        writeln!(out)?;
    } else {
        shown(&report, out)?;
    }
    Ok(if report.failed == 0 { Exit::Done } else { Exit::Failed })
}

fn us(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn shown(report: &Report, out: &mut dyn Write) -> Result<(), Failure> {
    for line in &report.cases {
        let mark = if line.passed { "ok  " } else { "FAIL" };
        writeln!(out, "{mark} {}: {}", show::plain(&line.file), show::plain(&line.name))?;
        for difference in &line.differences {
            writeln!(out, "       {}", show::plain(difference))?;
        }
    }
    writeln!(out, "{} passed, {} failed", report.passed, report.failed)?;
    Ok(())
}

/// What the component makes of a case.
async fn through(plugin: &Arc<DestinationPlugin>, case: &Case) -> Result<Found, String> {
    let config = serde_json::from_str(case.config.get()).map_err(|error| error.to_string())?;
    let configured = match plugin.configure(&config).await {
        Ok(configured) => configured,
        Err(ConfigureError::Invalid(mistakes)) => {
            let each = mistakes.into_iter();
            return Ok(Found::Invalid(
                each.map(|mistake| sdk::Mistake { path: mistake.path, message: mistake.message }).collect(),
            ));
        }
        Err(ConfigureError::Failed(failure)) => return Err(format!("configure: {failure}")),
    };
    let Some(batch) = case.batch() else { return Ok(Found::Handled(sdk::Outcome::Deliver(Vec::new()))) };
    let context = Context { now_ms: case.now_ms, random_seed: 0, attempt: 1 };
    let outcomes = configured.transform(context, batch.into_bytes(), 1).await.map_err(|failure| failure.to_string())?;
    Ok(match outcomes.into_iter().next() {
        Some(Outcome::Deliver(deliveries)) => {
            Found::Handled(sdk::Outcome::Deliver(deliveries.into_iter().map(delivery).collect()))
        }
        Some(Outcome::Filter(reason)) => Found::Handled(sdk::Outcome::Filter(reason)),
        Some(Outcome::Reject(reason)) => Found::Rejected(reason),
        None => return Err("it gave no outcome".to_owned()),
    })
}

/// The host's types as the cases know them.
fn delivery(delivery: destination::Delivery) -> sdk::Delivery {
    match delivery {
        destination::Delivery::Request(request) => {
            let destination::Request { method, url, query, headers, body, gzip } = request;
            let method = match method {
                destination::Method::Get => sdk::Method::Get,
                destination::Method::Post => sdk::Method::Post,
                destination::Method::Put => sdk::Method::Put,
                destination::Method::Patch => sdk::Method::Patch,
                destination::Method::Delete => sdk::Method::Delete,
            };
            let body = match body {
                destination::Body::None => sdk::Body::None,
                destination::Body::Json(bytes) => sdk::Body::Json(bytes.to_vec()),
                destination::Body::Form(pairs) => sdk::Body::Form(pairs),
                destination::Body::Xml(text) => sdk::Body::Xml(text),
                destination::Body::Raw(bytes) => sdk::Body::Raw(bytes.to_vec()),
            };
            sdk::Delivery::Request(sdk::Request { method, url, query, headers, body, gzip })
        }
        destination::Delivery::Record(record) => {
            let destination::Record { stream, key, body, headers } = record;
            sdk::Delivery::Record(sdk::Record { stream, key, body: body.to_vec(), headers })
        }
    }
}
