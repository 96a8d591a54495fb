//! What can be said behind `pintle transform`.

use crate::plugin::args::Local;
use clap::{Args as Arguments, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum TransformCommand {
    /// Begin a transformation: a folder with its code and tests
    New(New),
    /// Run a transformation over the test files beside it
    Test(Test),
}

#[derive(Debug, Arguments)]
pub(crate) struct New {
    /// The folder to make
    pub(crate) folder: PathBuf,
    /// What it is written in
    #[arg(long, value_enum, default_value_t = Language::Javascript)]
    pub(crate) language: Language,
}

/// What a transformation is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// An ES module.
    Javascript,
    /// The same with types that can be erased.
    Typescript,
    /// A Python module.
    Python,
}

#[derive(Debug, Arguments)]
pub(crate) struct Test {
    /// The code (.js, .ts, .py), a component (.wasm), or a folder with one file `transformation.*`
    #[arg(default_value = ".")]
    pub(crate) source: PathBuf,
    /// Where the test files are: events in `input/NAME.json`, what becomes of them in `output/NAME.json`
    /// [default: tests beside the code]
    #[arg(long, value_name = "DIR")]
    pub(crate) tests: Option<PathBuf>,
    /// Write what comes out into `output` instead of comparing
    #[arg(long)]
    pub(crate) accept: bool,
    /// Where the engines are [default: plugins beside the program]
    #[arg(long, env = "PINTLE_PLUGINS_DIR", value_name = "DIR")]
    pub(crate) plugins_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) local: Local,
}
