//! Runs cases of the shape described in README.md through the built components, and prints what came of them.
//!
//! ```text
//!  DIR/**/*.json ── group ── case ─┬─ transformation ── engine (or a component of its own) ─┐
//!                                  └─ destination ───── plugin ─────────────────────────────┴─ compare ─▶ report
//! ```

mod cases;
mod compare;
mod destination;
mod known;
mod matcher;
mod replay;
mod report;
mod transformation;

use anyhow::{Context, bail};
use cases::Group;
use known::Known;
use pintle_runtime::Config;
use pintle_tests::folder::project_dir;
use report::{Report, Verdict};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use transformation::{Form, Scripts};

const USAGE: &str = "usage: conformance [--components] [--only TEXT] DIR

Runs the cases in DIR through the built components and prints a report as JSON.

  --components   make a stand-alone component of every script and run that (25 s of CPU each, kept afterwards)
  --only TEXT    run groups whose path holds this text";

struct Arguments {
    folder: PathBuf,
    form: Form,
    only: String,
}

fn arguments() -> anyhow::Result<Arguments> {
    let (mut folder, mut form, mut only) = (None, Form::Engine, String::new());
    let mut given = std::env::args().skip(1);
    while let Some(argument) = given.next() {
        match argument.as_str() {
            "--components" => form = Form::Component,
            "--only" => only = given.next().context(USAGE)?,
            "--help" | "-h" => bail!("{USAGE}"),
            flag if flag.starts_with("--") => bail!("unknown option {flag}\n{USAGE}"),
            path if folder.is_none() => folder = Some(PathBuf::from(path)),
            _ => bail!("{USAGE}"),
        }
    }
    let folder = folder.context(USAGE)?;
    anyhow::ensure!(folder.is_dir(), "{} is not a folder", folder.display());
    Ok(Arguments { folder, form, only })
}

#[tokio::main]
async fn main() -> ExitCode {
    match conformance().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("conformance: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn conformance() -> anyhow::Result<()> {
    let Arguments { folder, form, only } = arguments()?;
    let plugins = std::env::var_os("PINTLE_PLUGINS_DIR").map_or_else(|| target_dir().join("plugins"), PathBuf::from);
    let config = Config {
        cache_dir: Some(target_dir().join("tests/compiled")),
        precompiled_dirs: Some(plugins.join("compiled")).filter(|folder| folder.is_dir()).into_iter().collect(),
        ..Config::default()
    };
    let known = Known::read(&project_dir().join("tests/conformance/known-differences.md"))?;
    let mut groups = cases::groups(&folder)?;
    groups.retain(|group| group.path.contains(&only));
    let has_script = |group: &Group| group.cases.iter().any(|case| case["fn"].is_string());
    // The engines are large: who only has destinations does without.
    let scripts = match groups.iter().any(has_script) {
        true => Some(Scripts::start(config.clone(), &plugins, form).await?),
        false => None,
    };
    let destinations = destination::Plugins::new(config, &plugins)?;
    let mut report = Report::default();
    for group in groups {
        for index in 0..group.cases.len() {
            let verdict = match known.reason(&group.cases[index]) {
                Some(reason) => Verdict::LeftOut(format!("known difference: {reason}")),
                None => run(&group, index, scripts.as_ref(), &destinations).await,
            };
            report.add(&group, index, verdict);
        }
    }
    #[allow(clippy::print_stdout, reason = "the report is what the command is for")]
    {
        println!("{}", report.json());
    }
    eprintln!("{}", report.summary());
    Ok(())
}

async fn run(group: &Group, index: usize, scripts: Option<&Scripts>, destinations: &destination::Plugins) -> Verdict {
    let case = &group.cases[index];
    match scripts {
        Some(scripts) if case["fn"].is_string() => scripts.run(group, index).await,
        _ if destination::Plugins::takes(group, case) => destinations.run(group, index).await,
        _ => Verdict::LeftOut("Pintle has nothing that does this yet".to_owned()),
    }
}

/// Where this program was built: beside it are the plugins, and what runs keep for the next.
fn target_dir() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    program.ancestors().nth(2).unwrap_or(Path::new("target")).to_owned()
}
