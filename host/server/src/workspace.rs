//! The workspace file: what it lists is the file's, and each change of it becomes a revision.

use crate::own_plugins::{Stamp, stamp};
use pintle_catalog::{FileError, Loaded};
use pintle_control::problem::Problem;
use pintle_control::{Editor, Refusal};
use pintle_processor::Files;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often the file is looked at: its time and size, not its content. Watching by inotify would miss
/// network folders and the symlink swaps that Kubernetes makes.
const LOOK: Duration = Duration::from_millis(500);

/// Keeps the catalog in step with the workspace file.
pub struct Workspace {
    /// The file.
    pub path: PathBuf,
    /// Plugins that a destination may name; those of one's own are looked at as the file is.
    pub plugins: Files,
    /// Who changes the catalog.
    pub editor: Editor,
    /// What people are told about the file.
    pub state: Arc<State>,
}

/// What people are told about the workspace file.
#[derive(Debug, Default)]
pub struct State(Mutex<Option<String>>);

impl State {
    /// Why the file as it is now is not in force.
    pub fn error(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, error: Option<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = error;
    }
}

impl Workspace {
    /// Reads the file for the first time. A bad file is an error only when there is nothing to go on with.
    pub async fn start(&self) -> anyhow::Result<Vec<PathBuf>> {
        let (loaded, files) = self.load();
        match loaded {
            Ok(loaded) => {
                self.apply(&loaded).await?;
            }
            Err(error) if self.editor.current().revision == 0 => return Err(error.into()),
            Err(error) => self.refuse(&error.to_string()),
        }
        Ok(files)
    }

    /// Follows the file until `shutdown`.
    pub async fn follow(self, mut files: Vec<PathBuf>, shutdown: CancellationToken) {
        let mut seen = self.stamps(&files);
        let mut ticks = tokio::time::interval(LOOK);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = ticks.tick() => {}
            }
            let now = self.stamps(&files);
            if now == seen {
                continue;
            }
            let (loaded, read) = self.load();
            files = read;
            seen = self.stamps(&files);
            let applied = match loaded {
                Ok(loaded) => self.apply(&loaded).await,
                Err(error) => {
                    self.refuse(&error.to_string());
                    continue;
                }
            };
            if let Err(error) = applied {
                // The database is away: the file is read again with the next tick.
                tracing::warn!(%error, "the workspace file could not be applied, trying again");
                seen.clear();
            }
        }
    }

    /// The file, and the files to watch: when it is broken, at least itself.
    fn load(&self) -> (Result<Loaded, FileError>, Vec<PathBuf>) {
        let loaded = pintle_catalog::load(&self.path, &self.plugins.destinations());
        let files = loaded.as_ref().map_or_else(|_| vec![self.path.clone()], |loaded| loaded.files.clone());
        (loaded, files)
    }

    /// Puts the file in force; what it cannot be used for is noted, and the last good revision stays.
    async fn apply(&self, loaded: &Loaded) -> anyhow::Result<()> {
        let changed = match self.editor.apply_file(loaded, &self.path).await {
            Ok(changed) => changed,
            Err(Refusal::Store(error)) => return Err(error.into()),
            Err(refusal) => {
                let problem = Problem::from(refusal);
                let errors = problem.errors.iter().map(|e| format!("{}: {}; {}", e.path, e.message, e.fix));
                let errors = errors.collect::<Vec<_>>().join("\n");
                let text = if errors.is_empty() { problem.detail } else { errors };
                self.refuse(&format!("{}: {text}", self.path.display()));
                return Ok(());
            }
        };
        self.state.set(None);
        if !changed.changes.is_empty() {
            for (id, connection) in &changed.catalog.connections {
                if let Some(reason) = &connection.off_because {
                    tracing::warn!(connection = id, reason, "connection stays off");
                }
            }
        }
        Ok(())
    }

    fn stamps(&self, files: &[PathBuf]) -> Vec<Stamp> {
        files.iter().cloned().chain(self.plugins.own()).map(stamp).collect()
    }

    fn refuse(&self, error: &str) {
        tracing::error!("the workspace file cannot be used, the last good revision stays: {error}");
        self.state.set(Some(error.to_owned()));
    }
}
