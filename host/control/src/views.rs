//! The documents of the catalog's part of the API. All times are Unix milliseconds. Secrets are never in
//! them: a secret shows as `#secret:` and its fingerprint.

pub mod audit;
pub mod code;
pub mod figures;
pub mod gateway;
pub mod ledger;
pub mod revisions;
pub mod things;
pub mod traces;
pub mod trials;

use serde::{Deserialize, Serialize};

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// The value of `after` (or `before`) that gives the next page, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// A page of what was found when one more was asked for than fits; `cursor` tells where the next one begins.
    pub(crate) fn of(mut found: Vec<T>, limit: u32, cursor: impl Fn(&T) -> String) -> Page<T> {
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        let next = found.last().filter(|_| more).map(cursor);
        Page { items: found, next }
    }

    /// The same page with its items as clients see them.
    pub(crate) fn show<V>(self, view: impl FnMut(T) -> V) -> Page<V> {
        Page { items: self.items.into_iter().map(view).collect(), next: self.next }
    }
}

/// A token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenView {
    /// Its id.
    pub id: String,
    /// Whom it was made for.
    pub name: String,
    /// What it allows.
    pub role: String,
    /// When it was made.
    pub created_at_ms: i64,
    /// Who made it.
    pub created_by: String,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at_ms: Option<i64>,
}

/// What is asked for a new token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenBody {
    /// Whom it is for.
    pub name: String,
    /// What it allows.
    pub role: crate::access::Role,
}

/// A new token. Its secret is shown this once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewToken {
    /// The token.
    #[serde(flatten)]
    pub token: TokenView,
    /// What to send as `Authorization: Bearer …`.
    pub secret: String,
}

/// What a rotation of the key has done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RotationView {
    /// The id of the key that is in use now.
    pub key: String,
    /// Revisions that were sealed anew.
    pub revisions: u64,
    /// Artifacts that were sealed anew.
    pub artifacts: u64,
}

impl From<pintle_store::tokens::Token> for TokenView {
    fn from(token: pintle_store::tokens::Token) -> TokenView {
        TokenView {
            id: token.id,
            name: token.name,
            role: token.role,
            created_at_ms: token.created_at_ms,
            created_by: token.created_by,
            revoked_at_ms: token.revoked_at_ms,
        }
    }
}
