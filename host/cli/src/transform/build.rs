//! `pintle transform build`: a stand-alone component of a transformation, which runs without an engine.

use super::args::Build;
use super::source::{Kind, find, read};
use super::toolchain::toolchain;
use crate::failure::{Exit, Failure};
use pintle_runtime::build::Toolchain;
use pintle_runtime::transformation::{Context, Language};
use pintle_runtime::{CallFailure, Config};
use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

pub(super) async fn run(build: &Build, out: &mut dyn Write, err: &mut dyn Write) -> Result<Exit, Failure> {
    let (file, kind) = find(&build.source)?;
    let language = match kind {
        Kind::JavaScript => Language::JavaScript,
        Kind::Python => Language::Python,
        Kind::Component => return Err(Failure::new(Exit::BadFile, format!("{} is a component", file.display()))),
    };
    let failed = |what: &str, why: String| Failure::new(Exit::Failed, format!("{what}: {why}"));
    let shown = file.display().to_string();
    let id = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let mut source = read(&file, &id, &build.libraries)?;
    if build.network {
        source.hosts.push("*".to_owned());
    }
    let tools: Toolchain = toolchain(language, &build.engines_dir, err).await?;
    writeln!(err, "building {shown}")?;
    let component =
        tools.build(&source, &Config::default(), None).await.map_err(|error| failed(&shown, error.to_string()))?;
    let target = build.out.clone().unwrap_or_else(|| file.with_extension("wasm"));
    std::fs::write(&target, &component).map_err(|error| failed(&target.display().to_string(), error.to_string()))?;
    // What was built may still not be what the host takes, or not load: both show before anybody uploads it.
    let runtime = crate::local::runtime(&build.local)?;
    let loaded = runtime.transformation_component(&component, &source.hosts).await;
    let loaded = loaded.map_err(|error| failed(&target.display().to_string(), error.to_string()))?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let context = Context {
        now_ms: u64::try_from(now.as_millis()).unwrap_or(u64::MAX),
        random_seed: 0,
        transformation_id: id.clone(),
        version_id: id,
    };
    loaded.transform(&context, b"[]".to_vec(), 0).await.map_err(|failure| match failure {
        CallFailure::Refused(why) => Failure::new(Exit::BadFile, why),
        other => failed(&target.display().to_string(), other.to_string()),
    })?;
    writeln!(out, "{}, {} KB", target.display(), component.len().div_ceil(1000))?;
    Ok(Exit::Done)
}
