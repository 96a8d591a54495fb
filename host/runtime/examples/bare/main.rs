//! What limits cost: a script engine as the runtime runs it, and the same component without epochs and limits, in
//! turns. `scripts/bench overhead` runs it; by hand:
//!
//! ```text
//! bare ENGINE TRANSFORMATION BATCHES WARM CELL ROUNDS
//! ```
//!
//! BATCHES has one batch a line; the times are in seconds. Each round says the CPU time of one batch in microseconds,
//! with limits and without.
//!
//! Running a guest without limits is not something that the runtime can be asked for: it is done here, with an
//! engine of this program's own.
#![allow(clippy::print_stdout, reason = "what it says is its output")]

mod limited;
mod unlimited;

use limited::Limited;
use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use unlimited::Unlimited;

const USAGE: &str = "usage: bare ENGINE TRANSFORMATION BATCHES WARM CELL ROUNDS";

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(Box::pin(run(&args))));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bare: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: &[&str]) -> Result<()> {
    let [engine, code, batches, warm, cell, rounds] = args else { return Err(USAGE.into()) };
    let (engine, code) = (std::fs::read(engine)?, std::fs::read_to_string(code)?);
    let seconds = |text: &str| -> Result<Duration> { Ok(Duration::from_secs_f64(text.parse()?)) };
    let (warm, cell) = (seconds(warm)?, seconds(cell)?);
    let mut pair = Pair {
        limited: Limited::load(&engine, &code).await?,
        unlimited: Unlimited::load(&engine, &code).await?,
        batches: std::fs::read(batches)?
            .trim_ascii_end()
            .split(|byte| *byte == b'\n')
            .map(Batch::read)
            .collect::<Result<_>>()?,
    };
    pair.check().await?;
    for _ in 0..rounds.parse()? {
        pair.turns(warm).await?;
        let (limited, unlimited) = pair.turns(cell).await?;
        println!("{limited} {unlimited}");
    }
    Ok(())
}

struct Pair {
    limited: Limited,
    unlimited: Unlimited,
    batches: Vec<Batch>,
}

struct Batch {
    text: Vec<u8>,
    events: usize,
}

impl Batch {
    fn read(text: &[u8]) -> Result<Batch> {
        let entries: Vec<serde::de::IgnoredAny> = serde_json::from_slice(text)?;
        Ok(Batch { text: text.to_vec(), events: entries.len() })
    }
}

impl Pair {
    /// Both answer the same; what is quick because it does something else is not compared.
    async fn check(&mut self) -> Result<()> {
        let batch = &self.batches[0];
        let limited = self.limited.transform(batch.text.clone(), batch.events).await?;
        let unlimited = self.unlimited.transform(batch.text.clone()).await?;
        if limited != unlimited || limited.is_empty() {
            return Err(format!("{} outputs with limits, {} without", limited.len(), unlimited.len()).into());
        }
        Ok(())
    }

    /// Batch after batch by both, for so long; CPU time of one in microseconds, with limits and without. In turns,
    /// so that the machine's mood is the same for both.
    async fn turns(&mut self, span: Duration) -> Result<(f64, f64)> {
        let until = Instant::now() + span;
        let (mut with, mut without, mut turns) = (0, 0, 0);
        while Instant::now() < until {
            let batch = &self.batches[turns % self.batches.len()];
            let start = cpu_ns();
            drop(self.limited.transform(batch.text.clone(), batch.events).await?);
            let middle = cpu_ns();
            drop(self.unlimited.transform(batch.text.clone()).await?);
            with += middle - start;
            without += cpu_ns() - middle;
            turns += 1;
        }
        let us = |ns: u64| ns as f64 / 1e3 / turns as f64;
        Ok((us(with), us(without)))
    }
}

/// CPU time of this process: the thread that moves the epoch costs as well.
fn cpu_ns() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes to `now`, which lives longer; this clock exists on every Linux.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut now) };
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}
