//! What transformations are given besides their events.

use pintle_catalog::secrets::{self, ReferenceError};
use pintle_catalog::{Catalog, Code, Credential};
use serde_json::Value;
use std::collections::BTreeMap;

/// What every transformation of a catalog may import and ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// The live versions of the libraries, by the names under which they are imported.
    pub libraries: BTreeMap<String, Code>,
    /// What `getCredential` knows, with its references.
    pub credentials: BTreeMap<String, Credential>,
}

/// A credential that refers to something that is not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("credential \"{name}\": {error}")]
pub struct Unresolved {
    /// Which.
    pub name: String,
    /// What is wrong with its reference.
    pub error: ReferenceError,
}

impl Given {
    /// All published libraries and all credentials.
    #[must_use]
    pub fn of(catalog: &Catalog) -> Given {
        let libraries = catalog.libraries.iter();
        let live = libraries.filter_map(|(name, library)| Some((name.clone(), library.history.live()?.code.clone())));
        Given { libraries: live.collect(), credentials: catalog.credentials.clone() }
    }

    /// The same, and the drafts of libraries that were never published: a draft may be tried with them, so that
    /// both can be saved before either is published.
    #[must_use]
    pub fn with_drafts(catalog: &Catalog) -> Given {
        let mut given = Given::of(catalog);
        for (name, library) in catalog.libraries.iter().filter(|(_, library)| library.history.live.is_none()) {
            if let Some(draft) = &library.history.draft {
                given.libraries.insert(name.clone(), draft.code.clone());
            }
        }
        given
    }

    /// The credentials as code gets them.
    ///
    /// # Errors
    /// When one refers to something that is not there.
    pub fn secrets(&self) -> Result<BTreeMap<String, String>, Unresolved> {
        let resolved = self.credentials.iter().map(|(name, credential)| {
            let value = secrets::resolve(&Value::String(credential.value.clone()));
            match value.map_err(|unresolved| Unresolved { name: name.clone(), error: unresolved.error })? {
                Value::String(value) => Ok((name.clone(), value)),
                other => Ok((name.clone(), other.to_string())),
            }
        });
        resolved.collect()
    }
}
