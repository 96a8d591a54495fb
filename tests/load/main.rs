//! `scripts/bench`: what Pintle does per second, and what that costs, beside baselines measured in the same run.
//!
//! ```text
//!  load bench ──▶ pintle (its own process) ──▶ load receiver (its own process)
//!        ├──────▶ load sync-server, store's example `baseline`, wrk: what the figures are compared with
//!        └──────▶ load guests, runtime's example `bare`, node: components by themselves, and what they are
//!                 compared with
//! ```
//!
//! The other processes are this program again, so that their CPU time can be told apart from the generator's.
#![allow(clippy::print_stdout, reason = "the figures are this program's output")]

mod batches;
mod benches;
mod client;
mod clock;
mod destination;
mod events;
mod figure;
mod guests;
mod node;
mod peers;
mod pintle;
mod plan;
mod processes;
mod receiver;
mod scratch;
mod shipped;
mod sync_server;

use anyhow::bail;
use std::process::ExitCode;

const USAGE: &str = "\
usage: scripts/bench [NAME…] [--quick] [--json] [--keep]

  NAME     gateway, gateway-batches, postgres-cpu, end-to-end, delivery, destinations-added, isolation, latency, idle,
           start, component-destination, destinations, transformation, overhead, transformations-200, upload, sdk; all of
           them by default
  --quick  shorter cells: for a look, not for quoting
  --json   one object per figure and line
  --keep   leave the data directories and logs where they are";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[String]) -> anyhow::Result<()> {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["receiver"] => receiver::run(),
        ["sync-server", file] => sync_server::run(file.as_ref()),
        ["guests", kind, batches, warm, cell] => guests::run(kind, batches.as_ref(), warm, cell),
        ["bench", rest @ ..] => bench(rest),
        _ => bail!("{USAGE}"),
    }
}

fn bench(args: &[&str]) -> anyhow::Result<()> {
    if args.iter().any(|arg| matches!(*arg, "-h" | "--help")) {
        println!("{USAGE}");
        return Ok(());
    }
    let plan = plan::Plan::parse(args)?;
    // One thread: a generator that took both cores of a small machine would measure itself.
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(benches::run(plan))
}
