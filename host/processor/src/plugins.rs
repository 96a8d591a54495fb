//! The components that are there: files, and what was uploaded.

mod code;
mod files;

pub use files::{Files, Stamp};

use crate::given::Unresolved;
use pintle_catalog::Code;
use pintle_runtime::LoadError;
use pintle_runtime::destination::DestinationPlugin;
use pintle_runtime::transformation::ScriptError;
use pintle_store::artifacts::{Artifacts, Missing};
use std::sync::Arc;

/// Loads what was uploaded, and components from their files. Cheap to clone.
#[derive(Clone)]
pub struct Plugins {
    files: Files,
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
    /// A credential that it may ask for cannot be had.
    #[error(transparent)]
    Credential(#[from] Unresolved),
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
    /// It is not a component that fits.
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
    /// What was uploaded, and these files.
    #[must_use]
    pub fn new(files: Files, artifacts: Artifacts) -> Plugins {
        Plugins { files, artifacts }
    }

    /// Those that are files.
    #[must_use]
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// A destination's component: the uploaded one, else the one with a file.
    ///
    /// # Errors
    /// When it is not there or does not fit.
    pub async fn destination(&self, name: &str, uploaded: Option<&Code>) -> Result<Arc<DestinationPlugin>, Error> {
        let Some(code) = uploaded else { return self.files.destination(name).await };
        let bytes = self.artifacts.get(&code.digest).await;
        let bytes = bytes.map_err(|error| Error::Uploaded { name: name.to_owned(), error })?;
        self.candidate(&bytes).await.map_err(|error| Error::Load { name: name.to_owned(), error })
    }

    /// A component that was sent and is not stored yet.
    ///
    /// # Errors
    /// When it is not a destination.
    pub async fn candidate(&self, bytes: &[u8]) -> Result<Arc<DestinationPlugin>, LoadError> {
        self.files.runtime.destination(bytes).await
    }
}
