//! What a transformation is given besides its events.

use crate::spec::Spec;
use pintle_catalog::Transformation;
use pintle_catalog::secrets::{self, Unresolved};
use pintle_runtime::transformation::Source;
use serde_json::Value;

/// A transformation as the runtime loads it: its code, all libraries in its language, all credentials, its hosts.
///
/// # Errors
/// When a credential refers to something that is not there.
pub fn source(id: &str, transformation: &Transformation, spec: &Spec) -> Result<Source, Unresolved> {
    let credentials = spec.credentials.iter().map(|(key, credential)| {
        let value = match secrets::resolve(&Value::String(credential.value.clone()))? {
            Value::String(value) => value,
            other => other.to_string(),
        };
        Ok((key.clone(), value))
    });
    let libraries = spec.libraries.iter().filter(|(_, library)| library.language == transformation.language);
    Ok(Source {
        id: id.to_owned(),
        version: transformation.version.clone(),
        name: transformation.name.clone(),
        code: transformation.code.clone(),
        libraries: libraries.map(|(name, library)| (name.clone(), library.code.clone())).collect(),
        credentials: credentials.collect::<Result<_, Unresolved>>()?,
        hosts: transformation.hosts.clone(),
    })
}
