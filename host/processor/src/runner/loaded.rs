//! A destination's component, configured.

use super::{Held, Parts};
use crate::spec::Spec;
use pintle_catalog::secrets;
use pintle_router::Mask;
use pintle_runtime::destination::Destination;
use serde_json::Value;
use std::sync::Arc;

/// What is to be had of a destination before anything is sent.
pub(crate) struct Loaded {
    pub(crate) plugin: Arc<Destination>,
    /// Its configuration, with its secrets.
    pub(crate) config: Value,
    /// What must not be shown of it.
    pub(crate) mask: Mask,
}

impl Loaded {
    /// Loads and configures it.
    pub(crate) async fn load(parts: &Parts, spec: &Spec) -> Result<Loaded, Held> {
        let component = parts.plugins.destination(&spec.destination.plugin, spec.plugin.as_ref()).await?;
        let (config, noted) = secrets::resolve_noting(&spec.destination.config)?;
        let plugin = component.configure(&config).await?;
        // Code may put what it was given into an event, and a reference may stand where no secret is expected.
        let given = spec.given.secrets().unwrap_or_default();
        let mask = Mask::of_config(&plugin.manifest().config, &config).and(noted).and(given.into_values());
        Ok(Loaded { plugin, config, mask })
    }
}
