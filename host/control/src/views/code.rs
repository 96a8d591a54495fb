//! Transformations, libraries and plugins: code in versions.

use pintle_catalog::{Code, Draft, Form, History, Language, Version};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A transformation or a library.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CodeView {
    /// Its id.
    pub id: String,
    /// For people; also the file name in stack traces.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The hosts that a transformation may fetch from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hosts: Option<Vec<String>>,
    /// The version that runs; absent before the first is published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<VersionView>,
    /// What is worked on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft: Option<DraftView>,
    /// How many versions there are.
    pub versions: usize,
    /// The connections that run it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub connections: Vec<String>,
    /// The sources that run it before fan-out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// The workspace file that owns it; absent when the API does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// What may be said of a transformation or a library besides its code. What is absent stays as it was.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeBody {
    /// For people. Default: as it was, else the id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The hosts that a transformation may fetch from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hosts: Option<Vec<String>>,
}

/// A published version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VersionView {
    /// Its number.
    pub number: u32,
    /// Whether it runs.
    pub live: bool,
    /// The SHA-256 of its bytes.
    pub digest: String,
    /// How many bytes there are.
    pub bytes: u64,
    /// Source or component.
    pub form: Form,
    /// What it is written in, when that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// Who published it.
    pub author: String,
    /// When.
    pub at_ms: i64,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// A draft.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DraftView {
    /// The SHA-256 of its bytes.
    pub digest: String,
    /// How many bytes there are.
    pub bytes: u64,
    /// Source or component.
    pub form: Form,
    /// What it is written in, when that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// Who saved it.
    pub author: String,
    /// When.
    pub at_ms: i64,
}

/// What a publication may say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishBody {
    /// Why.
    #[serde(default)]
    pub note: String,
    /// The digest of the draft that is meant: another one is not published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// Which version a rollback goes to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RollbackBody {
    /// Its number. Default: the one before the live one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u32>,
}

/// A destination plugin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PluginView {
    /// Its id: what destinations name.
    pub id: String,
    /// `bundled` with Pintle, or `uploaded`.
    pub origin: String,
    /// What the component says of itself: version, event types, the JSON Schema of its configuration.
    pub manifest: Value,
    /// The version that runs, of an uploaded one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<VersionView>,
    /// How many versions were uploaded.
    pub versions: usize,
    /// The destinations that use it.
    pub destinations: Vec<String>,
}

impl VersionView {
    pub(crate) fn of(version: &Version, live: bool) -> VersionView {
        let Code { digest, bytes, form, language } = version.code.clone();
        VersionView {
            number: version.number,
            live,
            digest,
            bytes,
            form,
            language,
            author: version.published.author.clone(),
            at_ms: version.published.at_ms,
            note: version.note.clone(),
        }
    }

    /// The versions of a history, newest first.
    pub(crate) fn all(history: &History) -> Vec<VersionView> {
        let views = history.versions.iter().rev();
        views.map(|version| VersionView::of(version, history.live == Some(version.number))).collect()
    }
}

impl DraftView {
    pub(crate) fn of(draft: &Draft) -> DraftView {
        let Code { digest, bytes, form, language } = draft.code.clone();
        DraftView { digest, bytes, form, language, author: draft.saved.author.clone(), at_ms: draft.saved.at_ms }
    }
}
