//! The `pintle` program: reads the configuration, builds everything, waits for a signal.
//!
//! ```text
//!  postgres ─▶ store ─▶ lease ─▶ log, settlement ─▶ catalog ─▶ processor ─▶ admin, gateway
//! ```
//! and down again in the opposite order: the gateway answers what it has accepted, the log commits it, the
//! destinations finish what they have begun, the cursors are written, Postgres stops.

mod bench;
mod config;
mod keys;
mod ledger;
mod logging;
mod offline;
mod own_plugins;
mod plant;
mod precompile;
mod replays;
mod status;
mod tokens;
mod up;
mod why;
mod workspace;

use pintle_cli::Invocation;
use pintle_router::{Fetcher, fetch};
use std::process::ExitCode;
use std::sync::Arc;

// Gives freed memory back to the system soon after a burst of large bodies; glibc's malloc keeps it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The configuration makes no sense, as in sysexits.h.
const EXIT_CONFIG: u8 = 64;
/// Something the program needs is not there or does not work.
const EXIT_FAILED: u8 = 1;

fn main() -> ExitCode {
    let result = match pintle_cli::parse(|allowed| Arc::new(Fetcher::new(fetch::Config::default(), allowed))) {
        Invocation::Done(code) => return code,
        Invocation::Token(args) => tokens::run(&args),
        Invocation::Ledger(args) => match ledger::run(&args) {
            Ok(exit) => return exit.into(),
            Err(error) => Err(error),
        },
        Invocation::Precompile(args) => precompile::run(&args),
        Invocation::Up(args) => match config::Config::load(&args) {
            Ok(config) => up::run(config),
            Err(error) => {
                eprintln!("pintle: {error}");
                return ExitCode::from(EXIT_CONFIG);
            }
        },
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pintle: {error:#}");
            ExitCode::from(EXIT_FAILED)
        }
    }
}
