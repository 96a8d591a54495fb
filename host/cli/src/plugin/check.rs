//! `pintle plugin check`: what a component is, and whether it may run as a destination.

use super::args::Check;
use crate::failure::{Exit, Failure};
use crate::{local, show};
use pintle_runtime::destination::{ConfigError, ConfigureError, DestinationPlugin, Manifest};
use pintle_runtime::{Runtime, World};
use serde::Serialize;
use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

pub(super) async fn run(check: &Check, out: &mut dyn Write) -> Result<Exit, Failure> {
    let found = look(&local::runtime(&check.local)?, &check.component).await?;
    let mistakes = match &check.config {
        Some(file) => configured(&found.plugin, file).await?,
        None => Vec::new(),
    };
    if check.local.json {
        let document = Document { mistakes: &mistakes, ..found.document() };
        serde_json::to_writer_pretty(&mut *out, &document)?;
        writeln!(out)?;
    } else {
        found.show(&check.component, false, out)?;
        for ConfigError { path, message } in &mistakes {
            writeln!(out, "  configuration: {} {}", show::plain(path), show::plain(message))?;
        }
    }
    Ok(if mistakes.is_empty() { Exit::Done } else { Exit::Failed })
}

/// A component that may run.
pub(super) struct Found {
    plugin: Arc<DestinationPlugin>,
    bytes: usize,
    digest: String,
}

#[derive(Serialize)]
struct Document<'a> {
    world: &'static str,
    bytes: usize,
    digest: &'a str,
    manifest: &'a Value,
    mistakes: &'a [ConfigError],
}

/// Loads a component as the server would.
pub(super) async fn look(runtime: &Runtime, file: &Path) -> Result<Found, Failure> {
    let bad = |message: String| Failure::new(Exit::BadFile, format!("{}: {message}", file.display()));
    let bytes = local::read(file)?;
    let component = runtime.component(&bytes).await.map_err(|error| bad(error.to_string()))?;
    if component.world() != World::Destination {
        let what = match component.world() {
            World::Transformation => "a transformation",
            _ => "a script engine",
        };
        return Err(bad(format!("this is {what}, and a destination must export `{}`", World::Destination.interface())));
    }
    let plugin = runtime.destination(&bytes).await.map_err(|error| bad(error.to_string()))?;
    Ok(Found { plugin, bytes: bytes.len(), digest: component.digest() })
}

impl Found {
    fn document(&self) -> Document<'_> {
        let manifest = &self.plugin.manifest().document;
        let world = World::Destination.interface();
        Document { world, bytes: self.bytes, digest: &self.digest, manifest, mistakes: &[] }
    }

    pub(super) fn show(&self, file: &Path, json: bool, out: &mut dyn Write) -> Result<(), Failure> {
        if json {
            serde_json::to_writer_pretty(&mut *out, &self.document())?;
            return Ok(writeln!(out)?);
        }
        let Manifest { name, version, message_types, document, config, .. } = self.plugin.manifest();
        writeln!(out, "{}: {} {}", file.display(), show::plain(name), show::plain(version))?;
        writeln!(out, "  world     {}, imports nothing", World::Destination.interface())?;
        writeln!(out, "  size      {} KB, sha256 {}", self.bytes.div_ceil(1000), self.digest)?;
        writeln!(out, "  takes     {}", show::plain(&message_types.join(", ")))?;
        writeln!(out, "  reaches   {}", show::plain(&hosts(document)))?;
        let settings = config.get("properties").and_then(Value::as_object);
        for (name, schema) in settings.into_iter().flatten() {
            let required = config["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
            let marks = [(required, "required"), (schema["writeOnly"] == true, "secret")];
            let marks: Vec<&str> = marks.iter().filter(|(holds, _)| *holds).map(|(_, mark)| *mark).collect();
            writeln!(out, "{}", format!("  setting   {} {}", show::plain(name), marks.join(", ")).trim_end())?;
        }
        Ok(())
    }
}

fn hosts(manifest: &Value) -> String {
    let hosts: Vec<&str> = manifest["hosts"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    match hosts.as_slice() {
        [] if manifest["wire"] == "objects" => "a bucket or a folder: the host writes its records".to_owned(),
        [] => "no host: add `hosts` to the manifest".to_owned(),
        ["*"] => "any public host".to_owned(),
        hosts => hosts.join(", "),
    }
}

async fn configured(plugin: &Arc<DestinationPlugin>, file: &Path) -> Result<Vec<ConfigError>, Failure> {
    let bad = |message: String| Failure::new(Exit::BadFile, format!("{}: {message}", file.display()));
    let text = String::from_utf8(local::read(file)?).map_err(|error| bad(error.to_string()))?;
    // JSON is YAML as well.
    let config: Value = serde_saphyr::from_str(&text).map_err(|error| bad(error.to_string()))?;
    match plugin.configure(&config).await {
        Ok(_) => Ok(Vec::new()),
        Err(ConfigureError::Invalid(mistakes)) => Ok(mistakes),
        Err(ConfigureError::Failed(failure)) => Err(Failure::new(Exit::Failed, failure.to_string())),
    }
}
