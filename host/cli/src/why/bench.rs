//! Runs recorded calls here, each with the very component that was called.

use super::args::Why;
use crate::client::{Client, Sent, encoded};
use crate::failure::{Exit, Failure};
use crate::plugin::args::Local;
use crate::{local, plugins_dir};
use hyper::Method;
use pintle_catalog::{fingerprint, secrets};
use pintle_runtime::destination::{self, Destination, DestinationPlugin};
use pintle_runtime::transformation::{self, Source, Transformation};
use pintle_runtime::{Runtime, record};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Why a call cannot be run here, in one sentence.
pub(super) type Cannot = String;

/// What is loaded once for all calls.
pub(super) struct Bench<'a> {
    why: &'a Why,
    client: &'a Client,
    runtime: Runtime,
    folder: Option<PathBuf>,
    transformations: BTreeMap<String, Arc<Transformation>>,
    destinations: BTreeMap<String, Arc<Destination>>,
}

impl<'a> Bench<'a> {
    pub(super) fn new(why: &'a Why, client: &'a Client) -> Result<Bench<'a>, Failure> {
        let runtime = local::runtime(&Local { cache_dir: why.cache_dir.clone(), json: why.server.json })?;
        let folder = match &why.plugins_dir {
            Some(given) => {
                let found = plugins_dir::find(Some(given.as_path()));
                Some(found.map_err(|error| Failure::new(Exit::Usage, error))?)
            }
            // Uploaded components are to be had without it.
            None => plugins_dir::find(None).ok(),
        };
        let (transformations, destinations) = (BTreeMap::new(), BTreeMap::new());
        Ok(Bench { why, client, runtime, folder, transformations, destinations })
    }

    /// What a transformation makes of its recorded input now.
    pub(super) async fn transform(&mut self, told: &Value) -> Result<String, Cannot> {
        let transformation = self.transformation(told).await?;
        let input = text(told, "input")?;
        let place = told["place"].as_u64().and_then(|place| usize::try_from(place).ok()).unwrap_or_default();
        let context = transformation::Context {
            now_ms: number(told, "now_ms")?,
            random_seed: text(told, "seed")?.parse().map_err(|_| "its seed is not a number".to_owned())?,
            transformation_id: text(told, "transformation")?.to_owned(),
            version_id: text(told, "version")?.to_owned(),
        };
        let answer = transformation.transform(&context, input.as_bytes().to_vec(), events(input)?).await;
        Ok(match answer {
            Ok(reply) => record::reply(&reply, place),
            Err(failure) => record::failure(&failure),
        })
    }

    /// What a destination makes of its recorded input now.
    pub(super) async fn map(&mut self, destination_id: &str, told: &Value) -> Result<String, Cannot> {
        let destination = self.destination(destination_id, told).await?;
        let input = text(told, "input")?;
        let context = destination::Context {
            now_ms: number(told, "now_ms")?,
            random_seed: text(told, "seed")?.parse().map_err(|_| "its seed is not a number".to_owned())?,
            attempt: u32::try_from(number(told, "attempt")?).unwrap_or(1),
        };
        let answer = destination.transform(context, input.as_bytes().to_vec(), events(input)?).await;
        match answer {
            Ok(outcomes) => outcomes.first().map(record::outcome).ok_or_else(|| "it gave no outcome".to_owned()),
            Err(failure) => Ok(record::failure(&failure)),
        }
    }

    async fn transformation(&mut self, told: &Value) -> Result<Arc<Transformation>, Cannot> {
        // A script that is loaded at another time may be another one, and so with other libraries.
        let key = format!("{}{}{}{}", told["digest"], told["component"], told["loaded_at_ms"], told["libraries"]);
        if let Some(known) = self.transformations.get(&key) {
            return Ok(known.clone());
        }
        let code = self.artifact(text(told, "digest")?).await?;
        let loaded = if told["form"] == "component" {
            self.runtime.transformation_component(&code, &[]).await.map_err(|error| error.to_string())?
        } else {
            self.script(told, code).await?
        };
        self.transformations.insert(key, loaded.clone());
        Ok(loaded)
    }

    async fn script(&self, told: &Value, code: Vec<u8>) -> Result<Arc<Transformation>, Cannot> {
        let mut libraries = BTreeMap::new();
        for (name, digest) in told["libraries"].as_object().into_iter().flatten() {
            let bytes = self.artifact(digest.as_str().unwrap_or_default()).await?;
            libraries.insert(name.clone(), utf8(bytes)?);
        }
        let source = Source {
            id: text(told, "transformation")?.to_owned(),
            version: text(told, "version")?.to_owned(),
            name: text(told, "name")?.to_owned(),
            code: utf8(code)?,
            libraries,
            credentials: self.credentials().await?,
            hosts: Vec::new(),
        };
        let is_python = told["language"] == "python";
        let engine = if is_python { "python-engine" } else { "javascript-engine" };
        let component = self.component(engine, text(told, "component")?).await?;
        let engine = match is_python {
            true => self.runtime.python_engine(&component).await,
            false => self.runtime.script_engine(&component).await,
        };
        let engine = engine.map_err(|error| error.to_string())?;
        let loaded = engine.load_at(source, told["loaded_at_ms"].as_u64()).await;
        loaded.map_err(|error| format!("it does not load here: {error}"))
    }

    async fn destination(&mut self, id: &str, told: &Value) -> Result<Arc<Destination>, Cannot> {
        let key = format!("{id} {} {}", told["digest"], told["revision"]);
        if let Some(known) = self.destinations.get(&key) {
            return Ok(known.clone());
        }
        let component = self.component(text(told, "plugin")?, text(told, "digest")?).await?;
        let plugin: Arc<DestinationPlugin> =
            self.runtime.destination(&component).await.map_err(|error| error.to_string())?;
        let config = self.config(id, told).await?;
        let configured = plugin.configure(&config).await.map_err(|error| {
            format!("it does not take its configuration here, where its secrets are not known: {error}; give it with --config")
        })?;
        self.destinations.insert(key, configured.clone());
        Ok(configured)
    }

    /// The configuration as it was then. Of secrets there is a fingerprint, unless they can be had here.
    async fn config(&self, id: &str, told: &Value) -> Result<Value, Cannot> {
        if let Some(file) = &self.why.config {
            let bytes = local::read(file).map_err(|failure| failure.error.to_string())?;
            return serde_json::from_slice(&bytes).map_err(|error| format!("{}: {error}", file.display()));
        }
        let revision = number(told, "revision")?;
        let path = format!("/admin/v1/revisions/{revision}");
        let found: Value = self.client.get(&path).await.map_err(|failure| failure.error.to_string())?;
        let config = &found["catalog"]["destinations"][id]["config"];
        if !config.is_object() {
            return Err(format!("revision {revision} has no destination {id:?}; give its configuration with --config"));
        }
        // What refers to something that is not here stays as it is written: it is masked where it was recorded.
        Ok(secrets::resolve(config).unwrap_or_else(|_| config.clone()))
    }

    async fn credentials(&self) -> Result<BTreeMap<String, String>, Cannot> {
        let items = crate::remote::all(self.client, "/admin/v1/credentials").await;
        let items = items.map_err(|failure| failure.error.to_string())?;
        let placeholder = |item: &Value| Some((item["id"].as_str()?.to_owned(), "#secret:".to_owned()));
        let mut credentials: BTreeMap<String, String> = items.iter().filter_map(placeholder).collect();
        credentials.extend(self.why.credentials.iter().cloned());
        Ok(credentials)
    }

    /// A component that comes with Pintle, when it is the same one here, else as it was uploaded.
    async fn component(&self, name: &str, digest: &str) -> Result<Vec<u8>, Cannot> {
        let file = self.folder.as_ref().map(|folder| folder.join(format!("{name}.wasm")));
        if let Some(bytes) = file.as_ref().and_then(|file| std::fs::read(file).ok())
            && fingerprint::digest(&bytes) == digest
        {
            return Ok(bytes);
        }
        self.artifact(digest).await.map_err(|_| {
            let place = file.map_or_else(|| "no plugins' folder is here".to_owned(), |file| file.display().to_string());
            format!(
                "component {name} with digest {digest} is neither stored on the server nor here ({place}); name the \
                 plugins' folder of the Pintle that ran it with --plugins-dir"
            )
        })
    }

    async fn artifact(&self, digest: &str) -> Result<Vec<u8>, Cannot> {
        let path = format!("/admin/v1/artifacts/{}", encoded(digest));
        let reply = self.client.send(Method::GET, &path, Sent::Nothing, &[]).await;
        let bytes = reply.map_err(|failure| failure.error.to_string())?.body.to_vec();
        // What is run is what was run, whoever stands between.
        if fingerprint::digest(&bytes) == digest { Ok(bytes) } else { Err(format!("what came is not {digest}")) }
    }
}

fn text<'v>(told: &'v Value, name: &str) -> Result<&'v str, Cannot> {
    told[name].as_str().ok_or_else(|| format!("its {name} was not recorded"))
}

fn number(told: &Value, name: &str) -> Result<u64, Cannot> {
    told[name].as_u64().ok_or_else(|| format!("its {name} was not recorded"))
}

fn utf8(bytes: Vec<u8>) -> Result<String, Cannot> {
    String::from_utf8(bytes).map_err(|error| error.to_string())
}

/// How many events an input has.
fn events(input: &str) -> Result<usize, Cannot> {
    let events: Vec<&RawValue> =
        serde_json::from_str(input).map_err(|error| format!("its input is damaged: {error}"))?;
    Ok(events.len())
}
