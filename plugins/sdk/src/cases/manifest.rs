//! What every manifest of a destination must say.

use crate::Destination;
use serde_json::Value;

/// Checks a destination's manifest: it has the version of its crate, a title and a help text for every setting,
/// and marks the secrets, each given as a JSON Pointer below `properties` of its configuration's schema.
///
/// # Panics
/// When something is missing.
pub fn assert_manifest<D: Destination>(version: &str, secrets: &[&str]) {
    let manifest: Value = serde_json::from_str(D::MANIFEST).expect("a manifest is JSON");
    assert_eq!(manifest["version"], version, "the version is the crate's");
    let settings = &manifest["config"]["properties"];
    for (name, setting) in settings.as_object().expect("a manifest has settings") {
        for part in ["title", "description"] {
            let has_it = setting[part].as_str().is_some_and(|text| !text.is_empty());
            assert!(has_it, "the setting {name} has no {part}");
        }
    }
    for secret in secrets {
        let setting = settings.pointer(secret).unwrap_or_else(|| panic!("there is no setting {secret}"));
        assert_eq!(setting["writeOnly"], true, "{secret} is a secret, and has to be marked as one");
    }
}
