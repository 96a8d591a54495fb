//! Code in versions: a draft that changes, published versions that never do, and the one that is live.
//!
//! ```text
//!   push ──▶ draft ──publish──▶ version 3 (live) ──rollback──▶ version 2 live again
//! ```
//! The code itself is not here: a version names it by its digest, and the store keeps the bytes.

use crate::{Language, fingerprint};
use serde::{Deserialize, Serialize};

/// Published versions that are kept of one thing; the oldest that is not live goes first. Its code stays
/// with the revisions that name it.
pub const VERSIONS_MAX: usize = 200;

/// Code, by what it is and where its bytes are found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// The SHA-256 of the bytes in hexadecimal.
    pub digest: String,
    /// How many bytes there are.
    pub bytes: u64,
    /// Source text or a component.
    pub form: Form,
    /// What it is written in; a component need not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
}

/// In which form code was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// A text that a script engine loads.
    Source,
    /// A WebAssembly component of the `transformation` world.
    Component,
}

impl Code {
    /// Source text.
    #[must_use]
    pub fn source(language: Language, text: &[u8]) -> Code {
        Code {
            digest: fingerprint::digest(text),
            bytes: text.len() as u64,
            form: Form::Source,
            language: Some(language),
        }
    }

    /// A component.
    #[must_use]
    pub fn component(bytes: &[u8]) -> Code {
        Code { digest: fingerprint::digest(bytes), bytes: bytes.len() as u64, form: Form::Component, language: None }
    }

    /// The start of the digest, for people.
    #[must_use]
    pub fn short(&self) -> &str {
        self.digest.get(..12).unwrap_or(&self.digest)
    }
}

/// Who changed something, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stamp {
    /// Who: `file`, or the name of a token.
    pub author: String,
    /// When, in Unix milliseconds.
    pub at_ms: i64,
}

/// Code that is worked on. Nothing runs it but a test run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// The code.
    pub code: Code,
    /// Who saved it.
    pub saved: Stamp,
}

/// A published version. It never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Version {
    /// Counted up from 1.
    pub number: u32,
    /// The code.
    pub code: Code,
    /// Who published it.
    pub published: Stamp,
    /// Why, in the publisher's words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// All versions of one thing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// What is worked on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft: Option<Draft>,
    /// The number of the version that runs; nothing does before the first is published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<u32>,
    /// What was published, oldest first.
    #[serde(default)]
    pub versions: Vec<Version>,
}

impl History {
    /// A history that begins with this version, live.
    #[must_use]
    pub fn begin(code: Code, published: Stamp) -> History {
        let mut history = History::default();
        history.publish(code, published, String::new());
        history
    }

    /// The version that runs.
    #[must_use]
    pub fn live(&self) -> Option<&Version> {
        self.version(self.live?)
    }

    /// A version by its number.
    #[must_use]
    pub fn version(&self, number: u32) -> Option<&Version> {
        self.versions.iter().find(|version| version.number == number)
    }

    /// Publishes code as the next version and makes it live. The code that is live already is not
    /// published again: repeating a publication changes nothing.
    pub fn publish(&mut self, code: Code, published: Stamp, note: String) -> u32 {
        if let Some(live) = self.live().filter(|live| live.code == code) {
            return live.number;
        }
        let number = self.versions.last().map_or(1, |last| last.number + 1);
        self.versions.push(Version { number, code, published, note });
        self.live = Some(number);
        if self.versions.len() > VERSIONS_MAX {
            self.versions.remove(0);
        }
        number
    }

    /// What may be shown of it in a diff.
    pub(crate) fn shown(&self) -> Vec<(&'static str, String)> {
        let live = self.live().map_or("none".to_owned(), |v| format!("{} (#{})", v.number, v.code.short()));
        let draft = self.draft.as_ref().map_or("none".to_owned(), |draft| format!("#{}", draft.code.short()));
        vec![("live version", live), ("draft", draft), ("versions", self.versions.len().to_string())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp() -> Stamp {
        Stamp { author: "ann".into(), at_ms: 1 }
    }

    fn code(text: &str) -> Code {
        Code::source(Language::JavaScript, text.as_bytes())
    }

    #[test]
    fn publishing_what_is_live_changes_nothing() {
        let mut history = History::begin(code("a"), stamp());
        let before = history.clone();
        assert_eq!(history.publish(code("a"), Stamp { author: "bob".into(), at_ms: 2 }, "again".into()), 1);
        assert_eq!(history, before);
        assert_eq!(history.publish(code("b"), stamp(), String::new()), 2);
        assert_eq!(history.live().unwrap().code, code("b"));
    }

    #[test]
    fn numbers_are_never_used_twice() {
        let mut history = History::begin(code("a"), stamp());
        history.publish(code("b"), stamp(), String::new());
        history.live = Some(1);
        assert_eq!(history.publish(code("b"), stamp(), String::new()), 3);
    }

    #[test]
    fn the_oldest_versions_go_when_there_are_too_many() {
        let mut history = History::default();
        for number in 0..=VERSIONS_MAX {
            history.publish(code(&number.to_string()), stamp(), String::new());
        }
        assert_eq!(history.versions.len(), VERSIONS_MAX);
        assert_eq!((history.versions[0].number, history.live), (2, Some(VERSIONS_MAX as u32 + 1)));
    }
}
