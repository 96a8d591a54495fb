//! Who may do what.
//!
//! Without any token, and on the loopback interface, whoever reaches the port is an administrator: they
//! could read the data directory as well. As soon as one token exists, or the address can be reached from
//! elsewhere, every request needs one. `/health` never does.

use crate::problem::{Code, Problem};
use axum::http::{HeaderMap, header};
use pintle_catalog::fingerprint;
use pintle_store::{Store, tokens};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// How long a token that was good is taken for good while the database does not answer: whoever looks for
/// the reason must be able to read status and metrics.
const REMEMBERED_FOR: Duration = Duration::from_secs(300);
/// How long the database may take to say whose a token is.
const LOOK_UP_TIME_MAX: Duration = Duration::from_secs(2);
/// Tokens that are remembered, at most.
const REMEMBERED_MAX: usize = 256;

/// What a token allows. Each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads everything but secrets.
    Viewer,
    /// Changes the catalog.
    Editor,
    /// Makes tokens, rotates keys.
    Admin,
}

impl Role {
    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Editor => "editor",
            Role::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Role, String> {
        let role = [Role::Viewer, Role::Editor, Role::Admin].into_iter().find(|role| role.as_str() == text);
        role.ok_or_else(|| format!("{text:?} is not a role; use viewer, editor or admin"))
    }
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The token's name; `local` without one.
    pub name: String,
    /// What they may do.
    pub role: Role,
}

impl Caller {
    fn local() -> Caller {
        Caller { name: "local".to_owned(), role: Role::Admin }
    }

    /// Refuses what the role does not include.
    pub(crate) fn must_be(&self, role: Role) -> Result<(), Problem> {
        if self.role >= role {
            return Ok(());
        }
        let detail = format!(
            "this needs the role {role}, and the token {:?} has the role {}; make another with `pintle token create \
             --role {role}`",
            self.name, self.role
        );
        Err(Problem::new(Code::Forbidden, detail))
    }
}

/// Asks the database who a token belongs to, every time: a revoked one is worth nothing at once.
#[derive(Debug)]
pub struct Access {
    store: Option<Store>,
    loopback: bool,
    any: AtomicBool,
    remembered: Mutex<HashMap<String, (Caller, Instant)>>,
}

impl Access {
    /// Access by the tokens of a database. `loopback` says that only this machine reaches the port.
    #[must_use]
    pub fn new(store: Option<Store>, loopback: bool) -> Access {
        // Until the database has said otherwise, there may be tokens.
        let any = AtomicBool::new(store.is_some());
        Access { store, loopback, any, remembered: Mutex::default() }
    }

    /// Who sends a request with these headers.
    ///
    /// # Errors
    /// 401 without a good token where one is needed.
    pub(crate) async fn caller(&self, headers: &HeaderMap) -> Result<Caller, Problem> {
        match bearer(headers)? {
            Some(token) => self.holder(token).await,
            None if self.needs_token().await => Err(unauthorized(
                "this needs a token: send `Authorization: Bearer …`; the command line takes it from PINTLE_TOKEN. \
                 `pintle token create` on the server makes one",
            )),
            None => Ok(Caller::local()),
        }
    }

    async fn needs_token(&self) -> bool {
        if let Some(store) = &self.store
            && let Ok(Ok(any)) = timeout(LOOK_UP_TIME_MAX, tokens::any(store)).await
        {
            self.any.store(any, Ordering::Relaxed);
        }
        !self.loopback || self.any.load(Ordering::Relaxed)
    }

    async fn holder(&self, token: &str) -> Result<Caller, Problem> {
        let unknown =
            || unauthorized("the token is not known, or was revoked; `pintle token list` shows those there are");
        let Some(store) = &self.store else { return Err(unknown()) };
        let key = fingerprint::digest(token.as_bytes());
        let found = timeout(LOOK_UP_TIME_MAX, tokens::find(store, token)).await;
        match found.map_err(|_| "it took too long".to_owned()).and_then(|found| found.map_err(|e| e.to_string())) {
            Ok(Some(found)) => {
                let role = found.role.parse().map_err(|_| unknown())?;
                let caller = Caller { name: found.name, role };
                self.remember(key, &caller);
                Ok(caller)
            }
            Ok(None) => {
                self.remembered().remove(&key);
                Err(unknown())
            }
            Err(error) => {
                tracing::debug!(%error, "a token cannot be looked up");
                let remembered = self.remembered().get(&key).cloned();
                let fresh = remembered.filter(|(_, seen)| seen.elapsed() < REMEMBERED_FOR);
                fresh.map(|(caller, _)| caller).ok_or_else(|| {
                    Problem::new(
                        Code::Unavailable,
                        "the database does not answer, so the token cannot be checked; try again",
                    )
                })
            }
        }
    }

    fn remember(&self, key: String, caller: &Caller) {
        let mut remembered = self.remembered();
        if remembered.len() >= REMEMBERED_MAX {
            remembered.clear();
        }
        remembered.insert(key, (caller.clone(), Instant::now()));
    }

    fn remembered(&self) -> MutexGuard<'_, HashMap<String, (Caller, Instant)>> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let token = value.to_str().ok().and_then(|text| {
        let (scheme, token) = text.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    token.map(Some).ok_or_else(|| unauthorized("write the token as `Authorization: Bearer …`"))
}

fn unauthorized(detail: &str) -> Problem {
    Problem::new(Code::Unauthorized, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_includes_the_ones_before_it() {
        let editor = Caller { name: "ci".into(), role: Role::Editor };
        assert!(editor.must_be(Role::Viewer).is_ok() && editor.must_be(Role::Editor).is_ok());
        let refused = editor.must_be(Role::Admin).unwrap_err();
        assert_eq!(refused.status, 403);
        assert!(refused.detail.contains("--role admin"), "{}", refused.detail);
    }

    #[tokio::test]
    async fn without_tokens_only_the_loopback_interface_is_open() {
        let none = HeaderMap::new();
        assert_eq!(Access::new(None, true).caller(&none).await.unwrap(), Caller::local());
        assert_eq!(Access::new(None, false).caller(&none).await.unwrap_err().status, 401);
    }

    #[tokio::test]
    async fn a_token_that_is_not_known_is_refused_also_where_none_is_needed() {
        for text in ["Bearer pintle_x", "Basic eDp5", "Bearer"] {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, text.parse().unwrap());
            assert_eq!(Access::new(None, true).caller(&headers).await.unwrap_err().status, 401, "{text}");
        }
    }
}
