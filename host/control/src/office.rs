//! What the catalog's part of the API works with.

use crate::editor::Editor;
use crate::keys::KeyFile;
use crate::problem::Problem;
use crate::workshop::Workshop;
use pintle_catalog::Catalog;
use pintle_store::suppressions::Suppressions;
use pintle_store::traces::Tracer;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The JSON Schemas of plugins' configurations, by plugin. Of an uploaded plugin those of all versions: what
/// one of them calls secret stays secret.
pub(crate) type Schemas = BTreeMap<String, Vec<Value>>;

/// The catalog's part of the API. Cheap to clone.
#[derive(Clone)]
pub struct Office {
    /// Changes the catalog.
    pub editor: Editor,
    /// Tries code.
    pub workshop: Arc<dyn Workshop>,
    /// Where the key is kept.
    pub keys: KeyFile,
    /// Users whose events are neither stored nor delivered.
    pub suppressions: Suppressions,
    /// Which events somebody follows.
    pub tracer: Tracer,
}

impl Office {
    /// The schemas of the plugins that a catalog's destinations use, and of one more.
    pub(crate) async fn schemas(&self, catalog: &Catalog, also: Option<&str>) -> Result<Schemas, Problem> {
        let mut schemas = Schemas::new();
        let used = catalog.destinations.values().map(|destination| destination.plugin.as_str());
        for name in used.chain(also) {
            if !schemas.contains_key(name) {
                schemas.insert(name.to_owned(), self.schemas_of(catalog, name).await?);
            }
        }
        Ok(schemas)
    }

    async fn schemas_of(&self, catalog: &Catalog, name: &str) -> Result<Vec<Value>, Problem> {
        let uploaded = catalog.plugins.get(name).into_iter().flat_map(|plugin| &plugin.versions);
        let mut schemas: Vec<Value> = uploaded.map(|version| version.manifest["config"].clone()).collect();
        if self.editor.bundled().contains(name)
            && let Some(manifest) = self.workshop.bundled(name.to_owned()).await?
        {
            schemas.push(manifest["config"].clone());
        }
        Ok(schemas)
    }
}
