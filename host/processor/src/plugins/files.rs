//! The component files that are there: destinations and script engines.

use super::Error;
use pintle_catalog::Language;
use pintle_runtime::Runtime;
use pintle_runtime::destination::DestinationPlugin;
use pintle_runtime::transformation::ScriptEngine;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::sync::OnceCell;

/// The script engines' files: there is one more for JavaScript that was granted hosts.
const JAVASCRIPT: &str = "javascript-engine";
const JAVASCRIPT_NET: &str = "javascript-net-engine";
const PYTHON: &str = "python-engine";

/// Loads components by name from a folder. Cheap to clone.
#[derive(Clone)]
pub struct Files {
    pub(super) runtime: Runtime,
    folder: PathBuf,
    /// Destinations of the operator's own; they go before those that come with Pintle.
    own: Option<PathBuf>,
    engines: Arc<Engines>,
}

/// Script engines, each loaded once for the life of the process: its file has megabytes, and every
/// transformation asks for it. Another file takes effect with the next start.
#[derive(Default)]
struct Engines {
    javascript: OnceCell<Arc<ScriptEngine>>,
    javascript_net: OnceCell<Arc<ScriptEngine>>,
    python: OnceCell<Arc<ScriptEngine>>,
}

/// When a plugin's file was last written, and its size: what tells that it was replaced.
pub type Stamp = (PathBuf, SystemTime, u64);

impl Files {
    /// The plugins of a folder.
    #[must_use]
    pub fn new(runtime: Runtime, folder: PathBuf) -> Files {
        Files { runtime, folder, own: None, engines: Arc::default() }
    }

    /// The same, and the destinations in a folder of the operator's own, which may change at any time.
    #[must_use]
    pub fn with_own(self, folder: PathBuf) -> Files {
        Files { own: Some(folder), ..self }
    }

    /// The folder of one's own and the components in it.
    #[must_use]
    pub fn own(&self) -> Vec<PathBuf> {
        let Some(own) = &self.own else { return Vec::new() };
        let entries = std::fs::read_dir(own).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut files: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|e| e == "wasm")).collect();
        files.sort();
        files.push(own.clone());
        files
    }

    /// What a destination's file is like now; nothing while it is not there.
    #[must_use]
    pub fn stamp(&self, name: &str) -> Option<Stamp> {
        let path = self.path(name);
        let seen = std::fs::metadata(&path).ok()?;
        Some((path, seen.modified().ok()?, seen.len()))
    }

    fn path(&self, name: &str) -> PathBuf {
        let file = format!("{name}.wasm");
        let own = self.own.as_ref().map(|own| own.join(&file)).filter(|path| path.is_file());
        own.unwrap_or_else(|| self.folder.join(file))
    }

    /// The names of the destinations that are there.
    #[must_use]
    pub fn destinations(&self) -> BTreeSet<String> {
        let folders = std::iter::once(&self.folder).chain(&self.own);
        let entries = folders.flat_map(|folder| std::fs::read_dir(folder).into_iter().flatten().flatten());
        entries
            .filter_map(|entry| Some(entry.file_name().to_str()?.strip_suffix(".wasm")?.to_owned()))
            .filter(|name| !name.ends_with("-engine"))
            .collect()
    }

    /// A destination's component.
    ///
    /// # Errors
    /// When it is not there or does not fit.
    pub async fn destination(&self, name: &str) -> Result<Arc<DestinationPlugin>, Error> {
        let bytes = self.read(name).await?;
        self.runtime.destination(&bytes).await.map_err(|error| Error::Load { name: name.to_owned(), error })
    }

    /// The engine for scripts in this language, as it was when it was first asked for; with `network`, one that
    /// may ask the host to fetch, where the language has one.
    ///
    /// # Errors
    /// When it is not there or does not fit. Then the next call looks again.
    pub async fn engine(&self, language: Language, network: bool) -> Result<Arc<ScriptEngine>, Error> {
        let (engine, name) = match language {
            Language::JavaScript if network => (&self.engines.javascript_net, JAVASCRIPT_NET),
            Language::JavaScript => (&self.engines.javascript, JAVASCRIPT),
            Language::Python => (&self.engines.python, PYTHON),
        };
        let load = async || {
            let bytes = self.read(name).await?;
            let engine = match language {
                Language::JavaScript => self.runtime.script_engine(&bytes).await,
                Language::Python => self.runtime.python_engine(&bytes).await,
            };
            engine.map_err(|error| Error::Load { name: name.to_owned(), error })
        };
        engine.get_or_try_init(load).await.cloned()
    }

    async fn read(&self, name: &str) -> Result<Vec<u8>, Error> {
        let path = self.path(name);
        tokio::fs::read(&path).await.map_err(|error| Error::Missing {
            name: name.to_owned(),
            path: path.display().to_string(),
            error,
            known: self.destinations().into_iter().collect::<Vec<_>>().join(", "),
        })
    }
}

#[cfg(test)]
mod tests;
