//! Raw events, as they were accepted, in a bucket or a folder: one more reader with a cursor of its own.
//!
//! ```text
//!   log ──▶ Keeper (Press::Raw) ──▶ <prefix>/<source>/gw/<date>/<hour>/<instance>/….json.gz
//! ```
//! It goes by the rules of [`crate::ranges`]: each event once, after a crash as well, and no segment of the log is
//! dropped before what is in it is there. Copies of events are left out, and so are users who were suppressed
//! between the commit and now. The first time it begins at the oldest event that the log still has; switched off and on again
//! it goes on where it was, as far as the log goes back.

use crate::ranges::{Keeper, Layout, Press, Setup, Shelf};
use crate::runner::{Held, Parts};
use pintle_catalog::secrets;
use pintle_objects::{Depot, Place};
use pintle_router::Mask;
use pintle_store::settle::Tracker;
use pintle_store::{Error, destinations, ledger};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The archive's name among readers of the log. No destination has one that begins like this.
pub const READER: &str = "$archive";

/// How long after a failure of the database the archive is set up again.
const SET_UP_PAUSE: Duration = Duration::from_millis(500);

/// Where raw events are kept. Without a bucket there is no archive. How many go together, and how long that may
/// take, is said by the settings of objects.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Config {
    /// The bucket; of a folder, the folder in it.
    pub bucket: Option<String>,
    /// The address of a server that speaks S3, or `file:///path` below one of the `local-folders`. Default:
    /// Amazon's.
    pub endpoint: String,
    /// The bucket's region. Default: `us-east-1`.
    pub region: String,
    /// The access key; without one the rights are those of the role that the machine runs with. May refer to
    /// `${env:X}` and `${file:P}`.
    pub access_key_id: String,
    /// Its secret, likewise.
    pub secret_access_key: String,
    /// Whether the server is asked to encrypt with keys of its own. Default: no.
    pub encrypt: bool,
    /// What all names begin with. Default: nothing.
    pub prefix: String,
    /// This installation, in the folders. Default: `1`.
    pub instance: String,
    /// The workspace, in the file names. Default: `default`.
    pub workspace: String,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            bucket: None,
            endpoint: String::new(),
            region: String::new(),
            access_key_id: String::new(),
            secret_access_key: String::new(),
            encrypt: false,
            prefix: String::new(),
            instance: "1".to_owned(),
            workspace: "default".to_owned(),
        }
    }
}

impl Config {
    /// What is wrong with it, if anything is, with the key and how to mend it.
    ///
    /// # Errors
    /// A sentence.
    pub fn check(&self) -> Result<(), String> {
        if self.bucket.is_none() {
            return Ok(());
        }
        for (key, name) in [("instance", &self.instance), ("workspace", &self.workspace)] {
            if name.is_empty() || name.contains(['/', '\\']) || name.chars().any(char::is_control) {
                return Err(format!("archive: {key}: must be a name without slashes"));
            }
        }
        if self.access_key_id.is_empty() != self.secret_access_key.is_empty() {
            return Err("archive: access-key-id and secret-access-key come together".to_owned());
        }
        self.place().map(drop)
    }

    /// Where it is, and what must not be shown of it.
    pub(crate) fn place(&self) -> Result<(Place, Mask), String> {
        let settings = json!({
            "endpoint": self.endpoint, "region": self.region, "enableSSE": self.encrypt,
            "accessKeyID": self.access_key_id, "accessKey": self.secret_access_key,
        });
        let resolved = secrets::resolve(&settings).map_err(|error| format!("archive: {error}"))?;
        let place = Place::read(&resolved).map_err(|invalid| format!("archive: {invalid}"))?;
        Ok((place, Mask::of_config(&secret_keys(), &resolved)))
    }
}

/// The keys that are secret, as a manifest would say it.
fn secret_keys() -> Value {
    json!({"properties": {"accessKeyID": {"writeOnly": true}, "accessKey": {"writeOnly": true}}})
}

/// Sees the archive through.
pub(crate) struct Archive {
    parts: Parts,
    config: Config,
    bucket: String,
}

impl Archive {
    /// The archive, when it is on. Otherwise it holds back nothing of the log.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(crate) async fn prepare(parts: &Parts) -> Result<Option<Archive>, Error> {
        let config = &parts.archive;
        match &config.bucket {
            None => destinations::rest(&parts.store, READER).await.map(|()| None),
            Some(bucket) => {
                destinations::activate(&parts.store, READER).await?;
                Ok(Some(Archive { parts: parts.clone(), config: config.clone(), bucket: bucket.clone() }))
            }
        }
    }

    /// Runs until it is told to stop. `seat` shows each beginning, and `held` why it does not go on.
    pub(crate) async fn run(
        self,
        stop: CancellationToken,
        seat: impl Fn(Arc<Tracker>, Arc<Shelf>) + Send + Sync,
        held: impl Fn(String) + Send,
    ) {
        // One for good: a second one would write its cursors over those of the first.
        let mut tracker = None;
        loop {
            let ended = tokio::select! {
                () = stop.cancelled() => break,
                ended = self.keep(&mut tracker, &seat) => ended,
            };
            if let Err(error) = ended {
                tracing::warn!(%error, "the archive cannot go on, trying again");
                held(error.to_string());
            }
            // What was begun is read again.
            tracker.as_deref().into_iter().for_each(Tracker::rewind);
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(SET_UP_PAUSE) => {}
            }
        }
        self.parts.settlement.flush().await;
    }

    async fn keep(
        &self,
        known: &mut Option<Arc<Tracker>>,
        seat: &(impl Fn(Arc<Tracker>, Arc<Shelf>) + Send + Sync),
    ) -> Result<(), Held> {
        let Parts { store, objects, router, log, settlement, suppressions, attempts_allowed, catalog, .. } =
            self.parts.clone();
        let tracker = match known {
            Some(tracker) => tracker.clone(),
            None => known.insert(settlement.tracker(READER).await?).clone(),
        };
        ledger::open(&store, READER).await?;
        // What expires unarchived is counted of all sources there are.
        tracker.set_scope(catalog.borrow().sources.keys().cloned().collect(), None);
        let (place, mask) = self.config.place().map_err(Held::Archive)?;
        let mut keeper = Keeper::new(Setup {
            depot: Depot::open(place, &objects, &router),
            layout: Layout::Archive {
                bucket: self.bucket.clone(),
                prefix: self.config.prefix.clone(),
                instance: self.config.instance.clone(),
                workspace: self.config.workspace.clone(),
            },
            tracker: tracker.clone(),
            suppressions: suppressions.clone(),
            plugin: None,
            parked: Vec::new(),
            ends: None,
            config: objects,
            router,
            log,
            settlement,
            mask,
            attempts_allowed,
        });
        seat(tracker, keeper.shelf().clone());
        keeper.run(&mut Press::Raw(&suppressions), || catalog.borrow().revision).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_that_cannot_be_is_named() {
        assert_eq!(Config::default().check(), Ok(()));
        let on = Config { bucket: Some("raw".into()), ..Config::default() };
        assert_eq!(on.check(), Ok(()));
        for (config, part) in [
            (Config { instance: "a/b".into(), ..on.clone() }, "instance"),
            (Config { access_key_id: "k".into(), ..on.clone() }, "come together"),
            (Config { endpoint: "file://relative".into(), ..on.clone() }, "endpoint"),
            (
                Config { access_key_id: "k".into(), secret_access_key: "${env:PINTLE_NO_SUCH}".into(), ..on },
                "PINTLE_NO_SUCH",
            ),
        ] {
            let error = config.check().unwrap_err();
            assert!(error.starts_with("archive: ") && error.contains(part), "{error}");
        }
    }
}
