//! The component files that are there: destinations and script engines.

use crate::spec::Running;
use pintle_catalog::{Code, Form, Language};
use pintle_runtime::destination::DestinationPlugin;
use pintle_runtime::transformation::{ScriptEngine, ScriptError, Source, Transformation};
use pintle_runtime::{LoadError, Runtime};
use pintle_store::artifacts::{Artifacts, Missing};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

/// The script engines' files.
const JAVASCRIPT: &str = "javascript-engine";
const PYTHON: &str = "python-engine";

/// Loads what was uploaded, and the components of a folder by name.
#[derive(Clone)]
pub struct Plugins {
    runtime: Runtime,
    folder: PathBuf,
    artifacts: Artifacts,
}

/// Why code does not run.
#[derive(Debug, thiserror::Error)]
pub enum Unloadable {
    /// The script is wrong.
    #[error("{0}")]
    Script(Box<ScriptError>),
    /// The component does not fit.
    #[error("{0}")]
    Component(LoadError),
    /// The engine for it is not there.
    #[error(transparent)]
    Engine(#[from] Error),
    /// Its bytes cannot be had.
    #[error("{0}")]
    Missing(#[from] Missing),
    /// Source text that is none.
    #[error("the source is not UTF-8 at byte {0}")]
    NotText(usize),
}

/// Why a plugin cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such file.
    #[error("there is no plugin \"{name}\" ({path}: {error}); the plugins here are: {known}")]
    Missing {
        /// What was asked for.
        name: String,
        /// Where it would be.
        path: String,
        /// Why it cannot be read.
        error: std::io::Error,
        /// What there is.
        known: String,
    },
    /// The file is not a component that fits.
    #[error("plugin \"{name}\" cannot be loaded: {error}")]
    Load {
        /// Which one.
        name: String,
        /// Why.
        error: LoadError,
    },
    /// It was uploaded, and its bytes cannot be had.
    #[error("plugin \"{name}\" cannot be loaded: {error}")]
    Uploaded {
        /// Which one.
        name: String,
        /// Why.
        error: Missing,
    },
}

impl Plugins {
    /// What was uploaded, and the plugins of a folder.
    #[must_use]
    pub fn new(runtime: Runtime, folder: PathBuf, artifacts: Artifacts) -> Plugins {
        Plugins { runtime, folder, artifacts }
    }

    /// Loads a version of a transformation.
    ///
    /// # Errors
    /// [`Unloadable`] says where and why.
    pub async fn transformation(&self, id: &str, running: &Running) -> Result<Arc<Transformation>, Unloadable> {
        let bytes = self.artifacts.get(&running.code.digest).await?;
        self.transformation_of(id, running, &bytes).await
    }

    /// Loads code that need not be stored yet.
    ///
    /// # Errors
    /// As [`Plugins::transformation`].
    pub async fn transformation_of(
        &self,
        id: &str,
        running: &Running,
        bytes: &[u8],
    ) -> Result<Arc<Transformation>, Unloadable> {
        match running.code.form {
            Form::Component => self.runtime.transformation_component(bytes).await.map_err(Unloadable::Component),
            Form::Source => {
                let code = String::from_utf8(bytes.to_vec());
                let code = code.map_err(|error| Unloadable::NotText(error.utf8_error().valid_up_to()))?;
                let engine = self.engine(running.code.language.unwrap_or_default()).await?;
                let source = Source { id: id.to_owned(), version: running.version(), name: running.name.clone(), code };
                engine.load(source).await.map_err(|error| Unloadable::Script(Box::new(error)))
            }
        }
    }

    /// The names of the destinations that are there.
    #[must_use]
    pub fn destinations(&self) -> BTreeSet<String> {
        let entries = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        entries
            .filter_map(|entry| Some(entry.file_name().to_str()?.strip_suffix(".wasm")?.to_owned()))
            .filter(|name| !name.ends_with("-engine"))
            .collect()
    }

    /// A destination's component: the uploaded one, else the one in the folder.
    ///
    /// # Errors
    /// When it is not there or does not fit.
    pub async fn destination(&self, name: &str, uploaded: Option<&Code>) -> Result<Arc<DestinationPlugin>, Error> {
        let bytes = match uploaded {
            None => self.read(name).await?.into(),
            Some(code) => {
                let bytes = self.artifacts.get(&code.digest).await;
                bytes.map_err(|error| Error::Uploaded { name: name.to_owned(), error })?
            }
        };
        self.runtime.destination(&bytes).await.map_err(|error| Error::Load { name: name.to_owned(), error })
    }

    /// A component that was sent and is not stored yet.
    ///
    /// # Errors
    /// When it is not a destination.
    pub async fn candidate(&self, bytes: &[u8]) -> Result<Arc<DestinationPlugin>, LoadError> {
        self.runtime.destination(bytes).await
    }

    /// The engine for scripts in this language.
    ///
    /// # Errors
    /// When it is not there or does not fit.
    pub async fn engine(&self, language: Language) -> Result<Arc<ScriptEngine>, Error> {
        let name = match language {
            Language::JavaScript => JAVASCRIPT,
            Language::Python => PYTHON,
        };
        let engine = self.runtime.script_engine(&self.read(name).await?).await;
        engine.map_err(|error| Error::Load { name: name.to_owned(), error })
    }

    async fn read(&self, name: &str) -> Result<Vec<u8>, Error> {
        let path = self.folder.join(format!("{name}.wasm"));
        tokio::fs::read(&path).await.map_err(|error| Error::Missing {
            name: name.to_owned(),
            path: path.display().to_string(),
            error,
            known: self.destinations().into_iter().collect::<Vec<_>>().join(", "),
        })
    }
}
