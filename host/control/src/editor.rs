//! Changes the catalog: one at a time, each a revision.
//!
//! ```text
//!  API, workspace file ──▶ turn ──▶ change a copy ──▶ check ──▶ revision in Postgres ──▶ everyone who watches
//! ```
//! A change that changes nothing makes no revision. What the workspace file owns is changed by nobody else.

use crate::refusal::Refusal;
use pintle_catalog::{Catalog, Change, Loaded, Stamp, check, diff};
use pintle_events::times::now_ms;
use pintle_store::artifacts::Artifacts;
use pintle_store::log::Log;
use pintle_store::revisions::{self, Note};
use pintle_store::seal::Vault;
use pintle_store::{Error, Store};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{Mutex, watch};
use tokio_util::sync::CancellationToken;

/// How often another process may come between before a change is given up.
const TRIES: usize = 5;
/// How often the database is asked for a revision that another process made.
const LOOK: Duration = Duration::from_millis(500);

/// What the editor works with.
pub struct Tools {
    /// Our database.
    pub store: Store,
    /// The key that revisions are sealed with.
    pub vault: Vault,
    /// Where code is kept.
    pub artifacts: Artifacts,
    /// The event log: what is new begins at its heads.
    pub log: Log,
    /// The plugins that are there as files: some may come and go.
    pub plugins: Box<dyn Fn() -> BTreeSet<String> + Send + Sync>,
    /// The workspace file, if there is one.
    pub file: Option<PathBuf>,
    /// Where everyone learns of a new revision.
    pub catalog: watch::Sender<Arc<Catalog>>,
}

/// Changes the catalog. Cheap to clone.
#[derive(Clone)]
pub struct Editor {
    tools: Arc<Tools>,
    /// Whose turn it is to change something.
    turn: Arc<Mutex<()>>,
    /// A commit's outcome is unknown: what is in memory may not be the newest revision.
    unsure: Arc<AtomicBool>,
}

/// A change that was made, or was not necessary.
#[derive(Clone, Debug)]
pub struct Changed<T> {
    /// What the change gave.
    pub value: T,
    /// The catalog after it.
    pub catalog: Arc<Catalog>,
    /// What it changed; nothing when all was as asked for already.
    pub changes: Vec<Change>,
}

impl Editor {
    /// An editor of the catalog that `tools` hold.
    #[must_use]
    pub fn new(tools: Tools) -> Editor {
        Editor { tools: Arc::new(tools), turn: Arc::default(), unsure: Arc::default() }
    }

    /// The catalog in force.
    #[must_use]
    pub fn current(&self) -> Arc<Catalog> {
        self.tools.catalog.borrow().clone()
    }

    /// The workspace file, if there is one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.tools.file.as_deref()
    }

    /// Where code is kept.
    #[must_use]
    pub fn artifacts(&self) -> &Artifacts {
        &self.tools.artifacts
    }

    pub(crate) fn store(&self) -> &Store {
        &self.tools.store
    }

    pub(crate) fn vault(&self) -> &Vault {
        &self.tools.vault
    }

    /// The plugins that are there as files.
    pub(crate) fn bundled(&self) -> BTreeSet<String> {
        (self.tools.plugins)()
    }

    /// Tells everyone who watches the catalog to look again, although it is the same: a file that it names has
    /// changed.
    pub fn remind(&self) {
        self.tools.catalog.send_modify(|_| ());
    }

    /// Changes the catalog. `change` may run more than once: on what is current each time.
    ///
    /// # Errors
    /// What `change` refuses, what is wrong with the outcome, and what belongs to the workspace file.
    pub async fn change<T>(
        &self,
        author: &str,
        reason: &str,
        change: impl Fn(&mut Catalog) -> Result<T, Refusal> + Send + Sync,
    ) -> Result<Changed<T>, Refusal> {
        let _turn = self.turn.lock().await;
        self.make(author, reason, Whose::Api, change).await
    }

    /// Puts the workspace file in force.
    ///
    /// # Errors
    /// What is wrong with it together with what the API has made.
    pub async fn apply_file(&self, loaded: &Loaded, file: &Path) -> Result<Changed<()>, Refusal> {
        let _turn = self.turn.lock().await;
        for bytes in loaded.code.values() {
            self.tools.artifacts.put(bytes).await?;
        }
        let stamp = Stamp { author: crate::FILE_AUTHOR.to_owned(), at_ms: now_ms() };
        let reason = format!("{} was read", file.display());
        self.make(crate::FILE_AUTHOR, &reason, Whose::File, |catalog| {
            *catalog = catalog.with_file(loaded.catalog.clone(), &stamp);
            Ok(())
        })
        .await
    }

    async fn make<T>(
        &self,
        author: &str,
        reason: &str,
        whose: Whose,
        change: impl Fn(&mut Catalog) -> Result<T, Refusal>,
    ) -> Result<Changed<T>, Refusal> {
        for _ in 0..TRIES {
            if self.unsure.load(Ordering::Acquire) {
                self.reload().await?;
            }
            let before = self.current();
            let mut after = Catalog::clone(&before);
            let value = change(&mut after)?;
            let changes = diff(&before, &after);
            // The file's first reading is a revision also when it lists nothing.
            let is_first = whose == Whose::File && before.revision == 0;
            if *before == after && !is_first {
                return Ok(Changed { value, catalog: before, changes });
            }
            if whose == Whose::Api {
                self.must_not_be_owned(&before, &changes)?;
            }
            self.must_be_sound(&before, &after)?;
            let listed = changes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
            let note = Note { author, reason, changes: &listed };
            let (tools, key) = (&self.tools, self.tools.vault.key());
            match revisions::apply(&tools.store, &key, &before, &after, note, &tools.log.heads()).await {
                Ok(revision) => after.revision = revision,
                Err(Error::Superseded) => {
                    self.reload().await?;
                    continue;
                }
                Err(error) => {
                    self.unsure.store(true, Ordering::Release);
                    return Err(error.into());
                }
            }
            tracing::info!(revision = after.revision, author, changes = changes.len(), "catalog changed");
            let catalog = Arc::new(after);
            self.tools.catalog.send_replace(catalog.clone());
            return Ok(Changed { value, catalog, changes });
        }
        Err(Refusal::Conflict("other processes change the catalog all the time; try again".to_owned()))
    }

    fn must_not_be_owned(&self, before: &Catalog, changes: &[Change]) -> Result<(), Refusal> {
        let Some(file) = &self.tools.file else { return Ok(()) };
        match changes.iter().find(|change| before.is_owned(change.thing, &change.id)) {
            None => Ok(()),
            Some(change) => Err(Refusal::Owned {
                thing: format!("{} {}", change.thing, change.id),
                file: file.display().to_string(),
            }),
        }
    }

    /// What was wrong before does not stand in the way of changing something else.
    fn must_be_sound(&self, before: &Catalog, after: &Catalog) -> Result<(), Refusal> {
        let plugins = self.bundled();
        let known = check::check(before, &plugins);
        let mut problems = check::check(after, &plugins);
        problems.retain(|problem| !known.contains(problem));
        if problems.is_empty() { Ok(()) } else { Err(Refusal::Invalid(problems)) }
    }

    /// Reads the newest revision, and tells everyone when it is not the one in memory.
    async fn reload(&self) -> Result<(), Error> {
        let (newest, _) = revisions::current(&self.tools.store, &self.tools.vault.key()).await?;
        self.unsure.store(false, Ordering::Release);
        self.tools.catalog.send_if_modified(|current| {
            let is_newer = newest.revision != current.revision;
            if is_newer {
                *current = Arc::new(newest);
            }
            is_newer
        });
        Ok(())
    }

    /// Looks for revisions that another process makes, until `shutdown`.
    pub async fn follow(self, shutdown: CancellationToken) {
        let mut ticks = tokio::time::interval(LOOK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = ticks.tick() => {}
            }
            let head = revisions::head(&self.tools.store).await;
            // A revision is made under the turn: without it, one of our own could be taken for another's.
            if head.is_ok_and(|head| head != self.current().revision) {
                let _turn = self.turn.lock().await;
                if let Err(error) = self.reload().await {
                    tracing::warn!(%error, "the newest revision cannot be read, trying again");
                }
            }
        }
    }

    /// Holds off every change while something is done that must not meet one.
    pub(crate) async fn hold(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.turn.lock().await
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    Api,
    File,
}
