//! Which events a connection lets through.
//!
//! A filter is judged before any code runs, by the event as it was received: what a transformation makes of an
//! event later can neither save nor stop it. All parts must let an event through; a part that is absent lets
//! everything through.

use crate::problem::Problem;
use pintle_events::Kind;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Which events a connection lets through.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// The only event types that pass, in any case; any type when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_types: Option<Vec<String>>,
    /// Which track events pass, by their names; any when absent. Other types of event have no such name and are
    /// not judged by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<EventNames>,
    /// Consents without which nothing passes. Each entry is judged for itself; none when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<Vec<Consent>>,
}

/// Names of track events, compared exactly but for white space around them. Exactly one of the two is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventNames {
    /// Only these pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<Vec<String>>,
    /// All but these pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub except: Option<Vec<String>>,
}

/// What a user must not have denied, as the event's `context.consentManagement` tells it. An event that tells
/// nothing passes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// Whose ids these are, e.g. `oneTrust`, `ketch`, `iubenda` or `custom`. An event that names another provider
    /// is not judged by this entry. Without a provider every event is, by this entry's own strategy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// How many of the ids must not be denied. Of a provider that is named and is not `custom`, the event's own
    /// `resolutionStrategy` goes before it.
    #[serde(default)]
    pub strategy: Strategy,
    /// The consents, as the provider calls them.
    pub ids: Vec<String>,
}

/// How many of several consents must not be denied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strategy {
    /// All: one that is denied stops the event.
    #[default]
    And,
    /// One: the event is stopped when every one is denied.
    Or,
}

impl Consent {
    /// The provider whose strategy is the configuration's business, never the event's.
    pub const CUSTOM: &str = "custom";
}

impl Filter {
    /// Whether it says nothing at all.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.message_types.is_none() && self.events.is_none() && self.consent.is_none()
    }

    /// What is wrong with it. `path` is where it stands.
    pub(crate) fn check(&self, path: &str, problems: &mut Vec<Problem>) {
        if let Some(types) = &self.message_types {
            check_types(&format!("{path}.message-types"), types, problems);
        }
        if let Some(events) = &self.events {
            events.check(&format!("{path}.events"), problems);
        }
        let Some(consent) = &self.consent else { return };
        let path = format!("{path}.consent");
        if consent.is_empty() {
            problems.push(Problem::new(&path, "is empty", "name a consent, or leave it out to ask for none"));
        }
        for (index, entry) in consent.iter().enumerate() {
            entry.check(&format!("{path}[{index}]"), problems);
        }
    }
}

fn check_types(path: &str, types: &[String], problems: &mut Vec<Problem>) {
    if types.is_empty() {
        problems.push(nothing_passes(path));
    }
    for (index, name) in types.iter().enumerate() {
        if Kind::from_name(&name.to_lowercase()).is_none() {
            problems.push(Problem::new(
                format!("{path}[{index}]"),
                format!("`{}` is not a type of event", name.escape_debug()),
                format!("use {}", Kind::ALL.map(Kind::as_str).join(", ")),
            ));
        }
    }
}

impl EventNames {
    fn check(&self, path: &str, problems: &mut Vec<Problem>) {
        match (&self.only, &self.except) {
            (Some(_), Some(_)) => {
                problems.push(Problem::new(path, "has both `only` and `except`", "keep one of the two"));
            }
            (None, None) => problems.push(Problem::new(
                path,
                "has neither `only` nor `except`",
                "write names under one of the two, or leave it out to let all pass",
            )),
            (Some(names), None) => {
                let path = format!("{path}.only");
                if names.is_empty() {
                    problems.push(nothing_passes(&path));
                }
                check_words(&path, names, problems);
            }
            (None, Some(names)) => {
                let path = format!("{path}.except");
                if names.is_empty() {
                    problems.push(Problem::new(&path, "is empty", "name an event, or leave it out to let all pass"));
                }
                check_words(&path, names, problems);
            }
        }
    }
}

impl Consent {
    fn check(&self, path: &str, problems: &mut Vec<Problem>) {
        if self.provider.as_ref().is_some_and(|provider| provider.trim().is_empty()) {
            let fix = "name the provider as events do, or leave it out to judge every event";
            problems.push(Problem::new(format!("{path}.provider"), "is blank", fix));
        }
        let path = format!("{path}.ids");
        if self.ids.is_empty() {
            problems.push(Problem::new(&path, "is empty", "name a consent, or leave the entry out"));
        }
        check_words(&path, &self.ids, problems);
    }
}

fn check_words(path: &str, words: &[String], problems: &mut Vec<Problem>) {
    for (index, word) in words.iter().enumerate() {
        if word.trim().is_empty() {
            problems.push(Problem::new(format!("{path}[{index}]"), "is blank", "write a name, or leave it out"));
        }
    }
}

fn nothing_passes(path: &str) -> Problem {
    let fix = "leave it out to let all pass; to let nothing pass, write `enabled: false` at the connection";
    Problem::new(path, "is empty, and nothing would pass", fix)
}

/// In the words of a diff: "only track, page; only events Paid; consent marketing of custom (and)".
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if let Some(types) = &self.message_types {
            parts.push(format!("only {}", types.join(", ")));
        }
        if let Some(EventNames { only, except }) = &self.events {
            parts.extend(only.as_ref().map(|names| format!("only events {}", names.join(", "))));
            parts.extend(except.as_ref().map(|names| format!("no events {}", names.join(", "))));
        }
        parts.extend(self.consent.iter().flatten().map(ToString::to_string));
        if parts.is_empty() { f.write_str("none") } else { f.write_str(&parts.join("; ")) }
    }
}

impl fmt::Display for Consent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let provider = self.provider.as_deref().unwrap_or("any provider");
        write!(f, "consent {} of {provider} ({})", self.ids.join(", "), self.strategy)
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Strategy::And => "and",
            Strategy::Or => "or",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn filter(document: Value) -> Filter {
        serde_json::from_value(document).unwrap()
    }

    fn problems(document: Value) -> Vec<String> {
        let mut problems = Vec::new();
        filter(document).check("f", &mut problems);
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_sound_filter_has_no_problems_and_is_told_in_words() {
        let document = json!({
            "message_types": ["Track", "page"],
            "events": {"except": ["Noise"]},
            "consent": [{"provider": "custom", "strategy": "or", "ids": ["ads", "mail"]}, {"ids": ["C1"]}],
        });
        assert!(problems(document.clone()).is_empty());
        let text =
            "only Track, page; no events Noise; consent ads, mail of custom (or); consent C1 of any provider (and)";
        assert_eq!(filter(document).to_string(), text);
        assert_eq!(Filter::default().to_string(), "none");
    }

    #[test]
    fn each_mistake_is_named_with_its_place_and_what_to_do() {
        for (document, start) in [
            (json!({"message_types": []}), "f.message-types: is empty, and nothing would pass; leave it out"),
            (
                json!({"message_types": ["track", "click"]}),
                "f.message-types[1]: `click` is not a type of event; use id",
            ),
            (json!({"events": {}}), "f.events: has neither `only` nor `except`; "),
            (json!({"events": {"only": ["a"], "except": ["b"]}}), "f.events: has both `only` and `except`; keep one"),
            (json!({"events": {"only": []}}), "f.events.only: is empty, and nothing would pass; "),
            (json!({"events": {"except": []}}), "f.events.except: is empty; "),
            (json!({"events": {"only": ["a", " "]}}), "f.events.only[1]: is blank; "),
            (json!({"consent": []}), "f.consent: is empty; "),
            (json!({"consent": [{"ids": []}]}), "f.consent[0].ids: is empty; "),
            (json!({"consent": [{"ids": [""]}]}), "f.consent[0].ids[0]: is blank; "),
            (json!({"consent": [{"provider": " ", "ids": ["a"]}]}), "f.consent[0].provider: is blank; "),
        ] {
            let problems = problems(document.clone());
            assert_eq!(problems.len(), 1, "{document}: {problems:?}");
            assert!(problems[0].starts_with(start), "{document}: {problems:?}");
        }
    }

    #[test]
    fn an_unknown_strategy_is_refused_where_it_is_read() {
        let error = serde_json::from_value::<Filter>(json!({"consent": [{"strategy": "xor", "ids": ["a"]}]}));
        assert!(error.unwrap_err().to_string().contains("expected `and` or `or`"));
    }
}
