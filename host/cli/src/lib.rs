//! The command line.
//!
//! `pintle up` is handed to the server; everything else happens here: a thin client of the admin API of
//! a running Pintle, and tools that need no server. Data goes to stdout, everything else to stderr.
//! `--json` gives the API's own documents; without it, tables for people.
//!
//! | exit code | means |
//! |---|---|
//! | 0 | done |
//! | 1 | it did not work: not found, refused, or (`import --check`) something stays off |
//! | 64 | the command line makes no sense |
//! | 65 | the file cannot be used |
//! | 69 | no Pintle answers at the admin address |

mod args;
mod client;
mod commands;
mod failure;
mod local;
mod plugin;
pub mod plugins_dir;
mod show;
mod template;
mod tool;
mod transform;

pub use args::{LogFormat, PrecompileArgs, UpArgs};
pub use failure::Exit;

use args::{Args, Command};
use clap::Parser;
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

/// What the process is to do.
#[derive(Debug)]
pub enum Invocation {
    /// Serve: the server's part.
    Up(UpArgs),
    /// Compile the plugins ahead of time, for a package: the server's part.
    Precompile(PrecompileArgs),
    /// Everything is done; leave with this code.
    Done(ExitCode),
}

/// Reads the command line of this process, and does what it says unless that is the server's part.
#[must_use]
pub fn parse() -> Invocation {
    parse_from(std::env::args_os(), &mut std::io::stdout().lock(), &mut std::io::stderr().lock())
}

fn parse_from(words: impl IntoIterator<Item = OsString>, out: &mut dyn Write, err: &mut dyn Write) -> Invocation {
    let args = match Args::try_parse_from(words) {
        Ok(args) => args,
        Err(error) => {
            let asked = !error.use_stderr();
            // Help that was asked for is data; clap styles it for the terminal it finds.
            let _ = error.print();
            return Invocation::Done(if asked { Exit::Done } else { Exit::Usage }.into());
        }
    };
    match args.command {
        Command::Up(up) => Invocation::Up(up),
        Command::Precompile(precompile) => Invocation::Precompile(precompile),
        Command::Client(command) => Invocation::Done(commands::run(command, out, err).into()),
    }
}

#[cfg(test)]
mod tests;
