//! Revisions.

use pintle_catalog::Change;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevisionView {
    /// Its number.
    pub revision: i64,
    /// When it was made.
    pub at_ms: i64,
    /// Who made it: `file`, or the name of a token.
    pub author: String,
    /// Why.
    pub reason: String,
    /// What it changed, a line each; secrets only as fingerprints.
    pub changes: Vec<String>,
}

/// A revision with everything in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RevisionDetail {
    /// What the list shows.
    #[serde(flatten)]
    pub revision: RevisionView,
    /// The catalog, by kind and id.
    pub catalog: Value,
}

/// What differs between two revisions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffView {
    /// The older one, or the one that was asked for as such.
    pub from: i64,
    /// The other one.
    pub to: i64,
    /// What differs.
    pub changes: Vec<Change>,
    /// The same in words, a line each.
    pub lines: Vec<String>,
}

/// What a rollback has done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolledBack {
    /// The revision in force.
    pub revision: i64,
    /// What it changed, a line each; nothing when everything was as before already.
    pub changes: Vec<String>,
    /// What stays as it is because the workspace file owns it, as `kind/id`.
    pub kept: Vec<String>,
}

impl From<pintle_store::revisions::Revision> for RevisionView {
    fn from(revision: pintle_store::revisions::Revision) -> RevisionView {
        RevisionView {
            revision: revision.id,
            at_ms: revision.created_at_ms,
            author: revision.author,
            reason: revision.reason,
            changes: revision.changes.lines().map(str::to_owned).collect(),
        }
    }
}
