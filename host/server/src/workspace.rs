//! The workspace file: what it lists is the file's, and each change of it becomes a revision.

use pintle_catalog::{Catalog, FileError, Loaded, diff};
use pintle_processor::Plugins;
use pintle_store::log::Log;
use pintle_store::seal::SecretKey;
use pintle_store::{Store, revisions};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How often the file is looked at: its time and size, not its content. Watching by inotify would miss
/// network folders and the symlink swaps that Kubernetes makes.
const LOOK: Duration = Duration::from_millis(500);
/// The author of the file's revisions.
const AUTHOR: &str = "file";

/// Keeps the catalog in step with the workspace file.
pub struct Workspace {
    /// The file.
    pub path: PathBuf,
    /// Plugins that a destination may name; those of one's own are looked at as the file is.
    pub plugins: Plugins,
    /// Our database.
    pub store: Store,
    /// The event log: new destinations begin at its heads.
    pub log: Log,
    /// The key that the revisions are stored with.
    pub key: SecretKey,
    /// Where the nodes learn of a new revision.
    pub catalog: watch::Sender<Arc<Catalog>>,
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
                self.apply(loaded).await?;
            }
            Err(error) if self.catalog.borrow().revision == 0 => return Err(error.into()),
            Err(error) => self.refuse(&error),
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
                Ok(loaded) => self.apply(loaded).await,
                Err(error) => {
                    self.refuse(&error);
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

    async fn apply(&self, loaded: Loaded) -> anyhow::Result<()> {
        let before = self.catalog.borrow().clone();
        let mut after = loaded.catalog;
        let changes = diff(&before, &after);
        self.state.set(None);
        if changes.is_empty() && before.revision > 0 {
            // A plugin's file may have changed all the same: whoever runs it looks again.
            self.catalog.send_modify(|_| ());
            return Ok(());
        }
        let listed = changes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        let reason = format!("{} was read", self.path.display());
        let heads = self.log.heads();
        after.revision =
            revisions::apply(&self.store, &self.key, &before, &after, (AUTHOR, &reason, &listed), &heads).await?;
        for (id, connection) in &after.connections {
            if let Some(reason) = &connection.off_because {
                tracing::warn!(connection = id, reason, "connection stays off");
            }
        }
        tracing::info!(revision = after.revision, changes = changes.len(), "workspace applied");
        self.catalog.send_replace(Arc::new(after));
        Ok(())
    }

    fn stamps(&self, files: &[PathBuf]) -> Vec<Stamp> {
        files.iter().cloned().chain(self.plugins.own_files()).map(stamp).collect()
    }

    fn refuse(&self, error: &FileError) {
        tracing::error!("the workspace file cannot be used, the last good revision stays: {error}");
        self.state.set(Some(error.to_string()));
    }
}

/// When a file was last written, and its size; nothing while it is not there.
type Stamp = (PathBuf, Option<(SystemTime, u64)>);

fn stamp(path: PathBuf) -> Stamp {
    let seen = std::fs::metadata(&path).ok().and_then(|seen| Some((seen.modified().ok()?, seen.len())));
    (path, seen)
}
