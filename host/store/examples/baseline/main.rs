//! What the benches compare Pintle's log with. `scripts/bench` runs it; by hand:
//!
//! ```text
//! baseline compression EVENTS                                  zstd level 1 on a thousand events at once
//! baseline log-writer DIR EVENTS BATCH PRODUCERS WARM SECONDS  the log, fed from memory
//! baseline rows DIR EVENTS ROWS CONNECTIONS WARM SECONDS       one row per event, as jsonb, ROWS a statement
//! ```
//!
//! EVENTS has one event a line. DIR gets a private Postgres with Pintle's settings. The measured stretch
//! lies between the lines `begin` and `end EVENTS SECONDS`, so that whoever reads them can look at CPU times.
#![allow(clippy::print_stdout, reason = "what it says is its output")]

mod input;
mod log_writer;
mod rows;

use input::{Event, read};
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const USAGE: &str = "usage: baseline compression EVENTS | log-writer DIR EVENTS BATCH PRODUCERS WARM SECONDS \
                     | rows DIR EVENTS ROWS CONNECTIONS WARM SECONDS";

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// What both writers are told.
#[derive(Clone, Copy, Debug)]
struct Settings {
    /// Events in one batch, or rows in one statement.
    size: usize,
    /// How many write at the same time.
    writers: usize,
    warm: Duration,
    measured: Duration,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("baseline: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[&str]) -> Result<()> {
    let (mode, dir, events, settings) = match args {
        ["compression", events] => return compression(&read(events.as_ref())?),
        [mode, dir, events, size, writers, warm, measured] => {
            let seconds = |text: &str| -> Result<Duration> { Ok(Duration::from_secs(text.parse()?)) };
            let settings = Settings {
                size: size.parse()?,
                writers: writers.parse()?,
                warm: seconds(warm)?,
                measured: seconds(measured)?,
            };
            (*mode, Path::new(dir), read(events.as_ref())?, settings)
        }
        _ => return Err(USAGE.into()),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match mode {
        "log-writer" => runtime.block_on(log_writer::run(dir, events, settings)),
        "rows" => runtime.block_on(rows::run(dir, events, settings)),
        _ => Err(USAGE.into()),
    }
}

fn compression(events: &[Event]) -> Result<()> {
    let thousand: Vec<u8> = events.iter().take(1_000).flat_map(|event| event.raw.iter().copied()).collect();
    let compressed = zstd::bulk::compress(&thousand, 1)?;
    println!("{:.3}", thousand.len() as f64 / compressed.len() as f64);
    Ok(())
}

/// Lets the writers run and says how many events they wrote in the measured stretch.
async fn measure(written: &AtomicU64, settings: Settings) {
    tokio::time::sleep(settings.warm).await;
    println!("begin");
    let (started, before) = (Instant::now(), written.load(Ordering::Relaxed));
    tokio::time::sleep(settings.measured).await;
    let events = written.load(Ordering::Relaxed) - before;
    println!("end {events} {}", started.elapsed().as_secs_f64());
    // The reader looks at CPU times after this line and then kills this process.
    std::future::pending::<()>().await;
}
