//! What our SDK costs a page, beside those that it takes the place of: all bundled the same way.

use super::Bench;
use crate::clock::median;
use crate::figure::Figure;
use anyhow::{Context, ensure};
use pintle_tests::folder::project_dir;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

const NAME: &str = "sdk";
const OURS: &str = "@pintle/browser";
const GZIP_BYTES_MOST: f64 = 9.0 * 1024.0;

pub fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let folder = project_dir().join("sdk-js");
    for (place, arguments) in [
        (folder.clone(), &["ci"][..]),
        (folder.clone(), &["run", "--silent", "build"]),
        (folder.join("bench"), &["ci"]),
    ] {
        tool(Command::new("npm").args(arguments).current_dir(place))?;
    }
    let sizes = figures(&folder, "size.js", "gzipBytes", 1)?;
    record(bench, "minified and compressed", "bytes gzip", &sizes);
    let rounds = bench.spans.rounds;
    let script = figures(&folder, "cpu.js", "scriptUs", rounds)?;
    record(bench, "JavaScript in Chromium", "µs/event", &script);
    Ok(())
}

/// Ours against each of the others.
fn record(bench: &mut Bench, what: &str, unit: &'static str, figures: &BTreeMap<String, f64>) {
    let Some(ours) = figures.get(OURS).copied() else { return };
    for (sdk, theirs) in figures.iter().filter(|(sdk, _)| *sdk != OURS) {
        let figure = Figure::new(NAME, format!("{what}; baseline: {sdk}"), ours, unit).against(*theirs);
        bench.record(match unit {
            "bytes gzip" => figure.aim(format!("≤ {GZIP_BYTES_MOST}"), ours <= GZIP_BYTES_MOST),
            _ => figure.reported(),
        });
    }
}

/// A member of the JSON lines that a script prints, by SDK: the median of its rounds.
fn figures(folder: &Path, script: &str, member: &str, rounds: usize) -> anyhow::Result<BTreeMap<String, f64>> {
    let mut node = Command::new("node");
    let said = tool(node.arg(script).current_dir(folder.join("bench")).env("ROUNDS", rounds.to_string()))?;
    let mut found: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for line in said.lines().filter(|line| line.starts_with('{')) {
        let line: Value = serde_json::from_str(line)?;
        let sdk = line["sdk"].as_str().context("a line names its SDK")?;
        found.entry(sdk.to_owned()).or_default().push(line[member].as_f64().context("a line has the figure")?);
    }
    Ok(found.into_iter().map(|(sdk, rounds)| (sdk, median(rounds))).collect())
}

fn tool(command: &mut Command) -> anyhow::Result<String> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("{command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
