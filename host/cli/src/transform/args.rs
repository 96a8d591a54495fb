//! What can be said behind `pintle transform`.

use crate::plugin::args::Local;
use clap::{Args as Arguments, Subcommand, ValueEnum};
use pintle_runtime::egress::Network;
use std::fmt;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum TransformCommand {
    /// Begin a transformation: a folder with its code and tests
    New(New),
    /// Run a transformation over the test files beside it
    Test(Test),
    /// Build a stand-alone component of a transformation, which runs without an engine
    Build(Build),
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
    #[command(flatten)]
    pub(crate) libraries: Libraries,
    #[command(flatten)]
    pub(crate) grants: Grants,
    /// Where the engines are [default: plugins beside the program]
    #[arg(long, env = "PINTLE_PLUGINS_DIR", value_name = "DIR")]
    pub(crate) plugins_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) local: Local,
}

#[derive(Debug, Arguments)]
pub(crate) struct Build {
    /// The code (.js, .ts or .py), or a folder with one file `transformation.*`
    #[arg(default_value = ".")]
    pub(crate) source: PathBuf,
    /// Where the component goes [default: beside the code, ending in .wasm]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) libraries: Libraries,
    /// The code fetches: let the component import the network. Which hosts it may reach is granted where it runs
    #[arg(long)]
    pub(crate) network: bool,
    /// The engines' sources, which a component is made of: `plugins/engines` of a clone of Pintle
    #[arg(long, env = "PINTLE_ENGINES_DIR", value_name = "DIR")]
    pub(crate) engines_dir: PathBuf,
    #[command(flatten)]
    pub(crate) local: Local,
}

/// Modules that the code may import.
#[derive(Debug, Arguments)]
pub(crate) struct Libraries {
    /// A library's name, as it is imported, and its file; may be given several times
    #[arg(long = "library", value_name = "NAME=FILE", value_parser = library)]
    pub(crate) files: Vec<(String, PathBuf)>,
}

fn library(said: &str) -> Result<(String, PathBuf), String> {
    let (name, file) = said.split_once('=').ok_or("it is NAME=FILE")?;
    Ok((name.to_owned(), file.into()))
}

/// What the code is given, as it is on the server.
#[derive(Arguments)]
pub(crate) struct Grants {
    /// A host that the code may fetch from: requests are really sent. May be given several times
    #[arg(long = "host", value_name = "HOST")]
    pub(crate) hosts: Vec<String>,
    /// What `getCredential` finds under a name; may be given several times
    #[arg(long = "credential", value_name = "NAME=VALUE", value_parser = credential)]
    pub(crate) credentials: Vec<(String, String)>,
    /// Let requests go to this network although it is not public, as in 127.0.0.0/8. May be given several times
    #[arg(long, env = "PINTLE_EGRESS_ALLOW", value_name = "NETWORK", value_delimiter = ',')]
    pub(crate) egress_allow: Vec<Network>,
}

/// Leaves out the values of credentials.
impl fmt::Debug for Grants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.credentials.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Grants")
            .field("hosts", &self.hosts)
            .field("credentials", &names)
            .field("egress_allow", &self.egress_allow)
            .finish()
    }
}

fn credential(said: &str) -> Result<(String, String), String> {
    let (name, value) = said.split_once('=').ok_or("it is NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}
