//! Whether the configurations of a plugin go on with another version of it.

use super::{ConfigError, Manifest};
use serde_json::Value;

/// What would become of the configurations if a plugin were replaced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Upgrade {
    /// Why the version cannot take the other's place at all; empty when it can.
    pub objections: Vec<String>,
    /// The ids of the configurations that the new version takes.
    pub kept: Vec<String>,
    /// Those that it refuses, and why.
    pub refused: Vec<(String, Vec<ConfigError>)>,
}

impl Upgrade {
    /// Whether everything that ran before would go on.
    #[must_use]
    pub fn is_safe(&self) -> bool {
        self.objections.is_empty() && self.refused.is_empty()
    }
}

/// Compares two versions over the configurations in use. A configuration that the version before did not take
/// either is no reason against the new one.
pub(super) fn check<'a>(
    before: &Manifest,
    after: &Manifest,
    configs: impl IntoIterator<Item = (&'a str, &'a Value)>,
) -> Upgrade {
    let mut upgrade = Upgrade::default();
    if before.name != after.name {
        upgrade.objections.push(format!("it is the plugin `{}`, and not `{}`", after.name, before.name));
    }
    let lost: Vec<&str> =
        before.message_types.iter().filter(|kind| !after.message_types.contains(kind)).map(String::as_str).collect();
    if !lost.is_empty() {
        upgrade.objections.push(format!("it no longer handles {}", lost.join(", ")));
    }
    for (id, config) in configs {
        let errors = after.check_config(config);
        if errors.is_empty() || !before.check_config(config).is_empty() {
            upgrade.kept.push(id.to_owned());
        } else {
            upgrade.refused.push((id.to_owned(), errors));
        }
    }
    upgrade
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn manifest(name: &str, types: &[&str], required: &[&str]) -> Manifest {
        let config = json!({"type": "object", "required": required, "properties": {"url": {"type": "string"}}});
        let document = json!({"name": name, "version": "1.0.0", "messageTypes": types, "config": config});
        Manifest::parse(&document.to_string()).unwrap()
    }

    #[test]
    fn configurations_that_still_validate_are_kept_and_the_others_are_refused_with_reasons() {
        let (old, new) = (manifest("x", &["track"], &["url"]), manifest("x", &["track", "page"], &["url", "token"]));
        let (fits, lacks, broken) = (json!({"url": "u", "token": "${env:T}"}), json!({"url": "u"}), json!({"url": 5}));
        let upgrade = new.upgrade(&old, [("a", &fits), ("b", &lacks), ("c", &broken)]);
        assert_eq!(upgrade.kept, ["a", "c"], "c did not run before either");
        let [(id, errors)] = upgrade.refused.as_slice() else { panic!("{upgrade:?}") };
        assert_eq!((id.as_str(), errors[0].path.as_str(), errors[0].message.as_str()), ("b", "/token", "is required"));
        assert!(!upgrade.is_safe());
        assert!(old.upgrade(&old, [("a", &fits), ("b", &lacks)]).is_safe());
    }

    #[test]
    fn another_plugin_or_one_that_does_less_cannot_take_its_place() {
        let old = manifest("x", &["track", "page"], &[]);
        assert_eq!(manifest("y", &["track", "page"], &[]).upgrade(&old, []).objections.len(), 1);
        let less = manifest("x", &["page"], &[]).upgrade(&old, []);
        assert_eq!(less.objections, ["it no longer handles track"]);
    }
}
