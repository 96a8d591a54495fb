//! `pintle transform test`: events from files through the engine, and what came out against other files.

mod compare;

use super::args::Test;
use super::engine;
use super::source::find;
use crate::failure::{Exit, Failure};
use crate::{Outside, show};
use pintle_runtime::transformation::{Context, Entry, LogLine, Reply, Transformation};
use serde::Serialize;
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Events of one file, at most: what the server gives to one call.
const EVENTS_MAX: usize = 200;

/// What one file came to.
#[derive(Serialize)]
struct Line {
    file: String,
    passed: bool,
    /// Events in.
    events: usize,
    outputs: Vec<Value>,
    dropped: usize,
    errors: Vec<Failed>,
    logs: Vec<LogLine>,
    differences: Vec<String>,
    took_us: u64,
}

/// An event on which the code failed.
#[derive(Serialize)]
struct Failed {
    event: usize,
    message: String,
    stack: Option<String>,
}

#[derive(Serialize)]
struct Report {
    passed: usize,
    failed: usize,
    files: Vec<Line>,
}

pub(super) async fn run(test: &Test, outside: Outside, out: &mut dyn Write) -> Result<Exit, Failure> {
    let (file, kind) = find(&test.source)?;
    let tests = test.tests.clone().unwrap_or_else(|| file.parent().unwrap_or(Path::new("")).join("tests"));
    let inputs = inputs(&tests.join("input"))?;
    let transformation = engine::load(test, &file, kind, outside).await?;
    let mut report = Report { passed: 0, failed: 0, files: Vec::new() };
    for input in inputs {
        let name = input.file_name().unwrap_or_default();
        let expected = tests.join("output").join(name);
        let mut line = through(&transformation, &input).await?;
        if test.accept {
            write(&expected, &line)?;
        } else {
            let wanted = read(&expected).map_err(|failure| {
                let message = format!("{}; `--accept` writes it from what comes out", failure.error);
                Failure::new(failure.exit, message)
            })?;
            line.differences = compare::differences(&wanted, &document(&line));
        }
        line.passed = line.differences.is_empty();
        report.passed += usize::from(line.passed);
        report.failed += usize::from(!line.passed);
        report.files.push(line);
    }
    if test.local.json {
        serde_json::to_writer_pretty(&mut *out, &report)?;
        writeln!(out)?;
    } else {
        shown(&report, out)?;
    }
    Ok(if report.failed == 0 { Exit::Done } else { Exit::Failed })
}

fn inputs(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let bad = |why: String| Failure::new(Exit::BadFile, format!("{}: {why}", folder.display()));
    let entries = std::fs::read_dir(folder).map_err(|error| bad(error.to_string()))?;
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "json"));
    files.sort();
    if files.is_empty() {
        return Err(bad("has no .json file with events".to_owned()));
    }
    Ok(files)
}

fn read(file: &Path) -> Result<Vec<Value>, Failure> {
    let bad = |why: String| Failure::new(Exit::BadFile, format!("{}: {why}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| bad(error.to_string()))?;
    match serde_json::from_str(&text).map_err(|error| bad(error.to_string()))? {
        Value::Array(events) => Ok(events),
        event => Ok(vec![event]),
    }
}

/// Runs the events of a file as one batch, as the server would.
async fn through(transformation: &Transformation, file: &Path) -> Result<Line, Failure> {
    let events = read(file)?;
    if events.len() > EVENTS_MAX {
        let message = format!("{} has {} events; at most {EVENTS_MAX} fit one call", file.display(), events.len());
        return Err(Failure::new(Exit::BadFile, message));
    }
    let entries: Vec<Value> = events
        .iter()
        .enumerate()
        .map(|(place, event)| {
            let id = event["messageId"].as_str().map_or_else(|| format!("event-{place}"), str::to_owned);
            let metadata =
                json!({"sourceId": "test", "destinationId": "test", "messageId": id, "eventType": event["type"]});
            json!({"message": event, "metadata": metadata})
        })
        .collect();
    let context = Context {
        transformation_id: engine::VERSION.to_owned(),
        version_id: engine::VERSION.to_owned(),
        ..Context::default()
    };
    let from = Instant::now();
    let reply = transformation.transform(&context, serde_json::to_vec(&entries)?, events.len()).await;
    let took_us = u64::try_from(from.elapsed().as_micros()).unwrap_or(u64::MAX);
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut line = Line {
        file: name,
        passed: false,
        events: events.len(),
        outputs: Vec::new(),
        dropped: 0,
        errors: Vec::new(),
        logs: Vec::new(),
        differences: Vec::new(),
        took_us,
    };
    match reply {
        Ok(reply) => sort(&mut line, reply)?,
        // The whole call failed: every event of it did.
        Err(failure) => {
            let each = |event| Failed { event, message: failure.to_string(), stack: None };
            line.errors = (0..events.len()).map(each).collect();
        }
    }
    Ok(line)
}

fn sort(line: &mut Line, reply: Reply) -> Result<(), Failure> {
    let mut answered = vec![false; line.events];
    line.logs = reply.logs;
    for entry in reply.entries {
        match entry {
            Entry::Output { index, event } => {
                answered[index] = true;
                line.outputs.push(serde_json::from_str(event.get())?);
            }
            Entry::Error { index, message, stack } => {
                answered[index] = true;
                line.errors.push(Failed { event: index, message, stack });
            }
            Entry::Dropped { .. } => {}
        }
    }
    line.dropped = answered.iter().filter(|answered| !**answered).count();
    Ok(())
}

/// What stands in an output file: the outputs, then the errors as `{"error": "message"}`.
fn document(line: &Line) -> Vec<Value> {
    let errors = line.errors.iter().map(|failed| json!({"error": failed.message}));
    line.outputs.iter().cloned().chain(errors).collect()
}

fn write(file: &Path, line: &Line) -> Result<(), Failure> {
    let text = format!("{:#}\n", Value::Array(document(line)));
    let folder = file.parent().unwrap_or(Path::new(""));
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(file, text))
        .map_err(|error| Failure::new(Exit::Failed, format!("{}: {error}", file.display())))
}

fn shown(report: &Report, out: &mut dyn Write) -> Result<(), Failure> {
    for line in &report.files {
        let mark = if line.passed { "ok  " } else { "FAIL" };
        let Line { file, events, outputs, dropped, errors, took_us, .. } = line;
        let (outputs, errors, time) = (outputs.len(), errors.len(), *took_us as f64 / 1000.0);
        writeln!(
            out,
            "{mark} {}: {events} in, {outputs} out, {dropped} dropped, {errors} failed, {time:.1} ms",
            show::plain(file)
        )?;
        for LogLine { level, message } in &line.logs {
            writeln!(out, "     {}: {}", show::plain(level), show::plain(message))?;
        }
        for Failed { event, message, stack } in &line.errors {
            writeln!(out, "     event {event}: {}", show::plain(message))?;
            for frame in stack.iter().flat_map(|stack| stack.lines()) {
                writeln!(out, "       {}", show::plain(frame.trim()))?;
            }
        }
        for difference in &line.differences {
            writeln!(out, "     {}", show::plain(difference))?;
        }
    }
    writeln!(out, "{} passed, {} failed", report.passed, report.failed)?;
    Ok(())
}
