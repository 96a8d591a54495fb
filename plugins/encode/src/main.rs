//! `pintle-encode IN.wasm -o OUT.wasm`: a core module in, a component out.
//!
//! Guests are built for `wasm32-unknown-unknown`, which knows nothing of WASI, so that a plugin cannot
//! reach for a clock or a file by accident. What cargo leaves behind is a core module with the WIT
//! types in a custom section; this program makes a component of it. It refuses a module that imports
//! anything: the host offers nothing, and a name here is a better message than a failed start there.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, bail};

const USAGE: &str = "usage: pintle-encode IN.wasm -o OUT.wasm";

fn main() -> ExitCode {
    match run(std::env::args_os().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pintle-encode: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: impl Iterator<Item = OsString>) -> anyhow::Result<()> {
    let (input, output) = paths(args)?;
    let core = fs::read(&input).with_context(|| format!("cannot read {}", input.display()))?;
    let component = pintle_encode::component(&core).with_context(|| format!("{} is no plugin", input.display()))?;
    write_whole(&output, &component).with_context(|| format!("cannot write {}", output.display()))
}

fn paths(mut args: impl Iterator<Item = OsString>) -> anyhow::Result<(PathBuf, PathBuf)> {
    let (mut input, mut output) = (None, None);
    while let Some(arg) = args.next() {
        if arg == "-o" || arg == "--output" {
            output = args.next();
        } else if input.is_none() {
            input = Some(arg);
        } else {
            bail!("unexpected argument {}\n{USAGE}", arg.display());
        }
    }
    match (input, output) {
        (Some(input), Some(output)) => Ok((input.into(), output.into())),
        _ => bail!("{USAGE}"),
    }
}

/// Writes beside the target and renames, so that a reader sees the old file or the new one, never half.
fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.part", std::process::id()));
    let beside = PathBuf::from(beside);
    let written = fs::write(&beside, bytes).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // The first error is the one worth telling.
        let _ = fs::remove_file(&beside);
    }
    written
}
