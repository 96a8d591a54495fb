//! The command line.
//!
//! `pintle up` is handed to the server; everything else happens here: a thin client of the admin API of
//! a running Pintle, and tools that need no server. Data goes to stdout, everything else to stderr.
//! `--json` gives the API's own documents; without it, tables for people.
//!
//! | exit code | means |
//! |---|---|
//! | 0 | done |
//! | 1 | it did not work: not found, refused, (`import --check`) something stays off, or (`ledger`) the books do not balance |
//! | 2 | something is not as it should be (`status --check`) |
//! | 64 | the command line makes no sense |
//! | 65 | the file cannot be used |
//! | 69 | no Pintle answers at the admin address |

mod args;
mod client;
mod commands;
mod dead_letters;
mod failure;
mod ledger;
mod local;
mod plugin;
pub mod plugins_dir;
mod remote;
mod show;
mod template;
mod tool;
mod transform;
mod why;

pub use args::{LogFormat, PrecompileArgs, UpArgs};
pub use failure::Exit;

use args::{Args, ClientCommand, Command};
use clap::Parser;
use pintle_control::views::ledger::{LedgerQuery, LedgerView};
use pintle_control::views::{NewToken, Page, TokenView};
use pintle_runtime::egress::Networks;
use pintle_runtime::fetch::Network;
use remote::args::{Place, Remote, Token};
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// What the process is to do.
#[derive(Debug)]
pub enum Invocation {
    /// Serve: the server's part.
    Up(UpArgs),
    /// Compile the plugins ahead of time, for a package: the server's part.
    Precompile(PrecompileArgs),
    /// A token, in the database itself: the server's part.
    Token(OfflineToken),
    /// The books, from the database itself: the server's part.
    Ledger(OfflineLedger),
    /// Everything is done; leave with this code.
    Done(ExitCode),
}

/// Makes the network of a transformation that is tried here: the server's own, over the public internet and
/// these networks besides.
pub type Outside = fn(Networks) -> Arc<dyn Network>;

/// Reads the command line of this process, and does what it says unless that is the server's part.
#[must_use]
pub fn parse(outside: Outside) -> Invocation {
    parse_from(std::env::args_os(), outside, &mut std::io::stdout().lock(), &mut std::io::stderr().lock())
}

fn parse_from(
    words: impl IntoIterator<Item = OsString>,
    outside: Outside,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Invocation {
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
        Command::Client(ClientCommand::Remote(Remote::Token(token))) => match offline(&token) {
            Some(offline) => Invocation::Token(offline),
            None => {
                let command = ClientCommand::Remote(Remote::Token(token));
                Invocation::Done(commands::run(command, outside, out, err).into())
            }
        },
        Command::Client(ClientCommand::Remote(Remote::Ledger(command))) if command.place.is_named() => {
            match ledger::query(&command, commands::now_ms()) {
                Ok(query) => {
                    let Place { data_dir, database_url } = command.place;
                    Invocation::Ledger(OfflineLedger { query, data_dir, database_url, json: command.server.json })
                }
                Err(failure) => {
                    let _ = writeln!(err, "pintle: {}", failure.error);
                    Invocation::Done(failure.exit.into())
                }
            }
        }
        Command::Client(command) => Invocation::Done(commands::run(command, outside, out, err).into()),
    }
}

/// What is to be done with tokens without asking the admin API.
#[derive(Clone, Debug)]
pub struct OfflineToken {
    /// What.
    pub action: TokenAction,
    /// The data directory of a Pintle on this machine.
    pub data_dir: Option<PathBuf>,
    /// The Postgres that Pintle uses.
    pub database_url: Option<String>,
    /// Print JSON.
    pub json: bool,
}

/// Books that are read without asking the admin API: also while no Pintle runs.
#[derive(Clone, Debug)]
pub struct OfflineLedger {
    /// Which books, and in which form.
    pub query: LedgerQuery,
    /// The data directory of a Pintle on this machine.
    pub data_dir: Option<PathBuf>,
    /// The Postgres that Pintle uses.
    pub database_url: Option<String>,
    /// Print JSON.
    pub json: bool,
}

/// What is to be done with tokens.
#[derive(Clone, Debug)]
pub enum TokenAction {
    /// Make one.
    Create {
        /// Who or what it is for.
        name: String,
        /// What it allows.
        role: pintle_control::Role,
    },
    /// List them.
    List,
    /// Make one worthless.
    Revoke {
        /// Its id.
        id: String,
    },
}

/// A command about tokens that names a database to go to.
fn offline(token: &Token) -> Option<OfflineToken> {
    let (action, place, server) = match token {
        Token::Create { name, role, place, server } => {
            (TokenAction::Create { name: name.clone(), role: *role }, place, server)
        }
        Token::List { place, server } => (TokenAction::List, place, server),
        Token::Revoke { id, place, server } => (TokenAction::Revoke { id: id.clone() }, place, server),
    };
    let Place { data_dir, database_url } = place.clone();
    place.is_named().then_some(OfflineToken { action, data_dir, database_url, json: server.json })
}

/// Prints the books, as `pintle ledger` does, and says how to leave.
///
/// # Errors
/// When they cannot be written.
pub fn show_ledger(view: &LedgerView, json: bool, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    ledger::show(view, json, out, err).map_err(|failure| failure.error)
}

/// Prints a new token, as `pintle token create` does.
///
/// # Errors
/// When it cannot be written.
pub fn show_new_token(made: &NewToken, json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    remote::show_new_token(made, json, out).map_err(|failure| failure.error)
}

/// Prints tokens, as `pintle token list` does.
///
/// # Errors
/// When they cannot be written.
pub fn show_tokens(page: &Page<TokenView>, json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    remote::show_tokens(page, json, out).map_err(|failure| failure.error)
}

#[cfg(test)]
mod tests;
