//! What can be said behind `pintle plugin`.

use clap::{Args as Arguments, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    /// Begin a destination: a folder with a mapping, a manifest and test cases
    New(New),
    /// Build a destination's component
    Build(Build),
    /// Look at a component before it is used: what it is, and whether it may run
    Check(Check),
    /// Run the cases of a destination through its component
    Test(Test),
}

#[derive(Debug, Arguments)]
pub(crate) struct New {
    /// The folder to make; its name becomes the plugin's
    pub(crate) folder: PathBuf,
    /// What it is written in
    #[arg(long, value_enum, default_value_t = Language::Rust)]
    pub(crate) language: Language,
}

/// What a destination is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// Small and fast; needs a Rust that builds for WebAssembly.
    Rust,
    /// Needs Node to build; the component is larger.
    Javascript,
}

#[derive(Debug, Arguments)]
pub(crate) struct Build {
    /// The destination's folder
    #[arg(default_value = ".")]
    pub(crate) folder: PathBuf,
    /// Where the component goes [default: NAME.wasm in the folder]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) local: Local,
}

#[derive(Debug, Arguments)]
pub(crate) struct Check {
    /// The component
    pub(crate) component: PathBuf,
    /// Check this configuration (JSON or YAML) as well
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) local: Local,
}

#[derive(Debug, Arguments)]
pub(crate) struct Test {
    /// The destination's folder
    #[arg(default_value = ".")]
    pub(crate) folder: PathBuf,
    /// The component [default: NAME.wasm in the folder]
    #[arg(long, value_name = "FILE")]
    pub(crate) component: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) local: Local,
}

/// How components run here, without a server.
#[derive(Debug, Arguments)]
pub(crate) struct Local {
    /// Where compiled components are kept [default: .cache/pintle/compiled in the home folder]
    #[arg(long, env = "PINTLE_CACHE_DIR", value_name = "DIR")]
    pub(crate) cache_dir: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
