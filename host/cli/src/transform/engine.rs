//! A transformation that is loaded and can run here.

use super::args::Test;
use super::source::Kind;
use crate::failure::{Exit, Failure};
use crate::{Outside, local, plugins_dir};
use pintle_runtime::egress::Networks;
use pintle_runtime::transformation::Transformation;
use std::path::Path;
use std::sync::Arc;

/// The version that tests run: they compare outputs, and a version seeds randomness.
pub(super) const VERSION: &str = "test";

/// Loads the code as the server would; what is wrong with it comes with its place.
pub(super) async fn load(
    test: &Test,
    file: &Path,
    kind: Kind,
    outside: Outside,
) -> Result<Arc<Transformation>, Failure> {
    let runtime = local::runtime_with(&test.local, outside(Networks::new(test.grants.egress_allow.clone())))?;
    let bad = |path: &Path, why: String| Failure::new(Exit::BadFile, format!("{}: {why}", path.display()));
    let engine = match kind {
        Kind::JavaScript if !test.grants.hosts.is_empty() => "javascript-net-engine.wasm",
        Kind::JavaScript => "javascript-engine.wasm",
        Kind::Python => "python-engine.wasm",
        Kind::Component => {
            let bytes = local::read(file)?;
            let loaded = runtime.transformation_component(&bytes, &test.grants.hosts).await;
            return loaded.map_err(|error| bad(file, error.to_string()));
        }
    };
    let mut source = super::source::read(file, VERSION, &test.libraries)?;
    source.hosts.clone_from(&test.grants.hosts);
    source.credentials = test.grants.credentials.iter().cloned().collect();
    let folder = plugins_dir::find(test.plugins_dir.as_deref()).map_err(|error| Failure::new(Exit::Usage, error))?;
    let engine = folder.join(engine);
    let component = std::fs::read(&engine).map_err(|error| {
        Failure::new(Exit::Failed, format!("{}: {error}; scripts/build-plugins makes it", engine.display()))
    })?;
    let loaded = match kind {
        Kind::Python => runtime.python_engine(&component).await,
        Kind::JavaScript | Kind::Component => runtime.script_engine(&component).await,
    };
    let engine = loaded.map_err(|error| bad(&engine, error.to_string()))?;
    engine.load(source).await.map_err(|error| {
        let excerpt = if error.line > 0 {
            format!("\n  {}\n  {:>2$}", error.excerpt, "^", error.column as usize)
        } else {
            String::new()
        };
        Failure::new(Exit::BadFile, format!("{error}{excerpt}"))
    })
}
