//! ETags: whoever changes a thing can say which state of it they have read.

use crate::refusal::Refusal;
use axum::http::{HeaderMap, HeaderValue, header};
use pintle_catalog::fingerprint;
use serde::Serialize;

/// The tag of a thing: another after every change of it.
pub(super) fn of(thing: &impl Serialize) -> String {
    let text = serde_json::to_vec(thing).expect("things of the catalog have text keys only");
    format!("\"{}\"", fingerprint::of(&text))
}

/// The tag of the whole catalog.
pub(super) fn of_revision(revision: i64) -> String {
    format!("\"{revision}\"")
}

/// As a header's value.
pub(super) fn value(tag: &str) -> HeaderValue {
    HeaderValue::from_str(tag).expect("a tag is hexadecimal digits in quotes")
}

/// What a client says about the state that it has read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Precondition {
    matches: Option<String>,
    must_be_new: bool,
}

impl Precondition {
    /// From `If-Match` and `If-None-Match: *`.
    pub(super) fn of(headers: &HeaderMap) -> Precondition {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Precondition {
            matches: text(header::IF_MATCH),
            must_be_new: text(header::IF_NONE_MATCH).is_some_and(|tag| tag.trim() == "*"),
        }
    }

    /// Refuses when the thing is in another state. To be asked where nobody can come between.
    pub(super) fn check(&self, thing: Option<&impl Serialize>) -> Result<(), Refusal> {
        self.check_tag(thing.map(of))
    }

    /// The same for what has the number of a revision for a tag.
    pub(super) fn check_revision(&self, revision: i64) -> Result<(), Refusal> {
        self.check_tag(Some(of_revision(revision)))
    }

    fn check_tag(&self, now: Option<String>) -> Result<(), Refusal> {
        if self.must_be_new && now.is_some() {
            return Err(Refusal::Stale { now });
        }
        let Some(wanted) = &self.matches else { return Ok(()) };
        let fits = |tag: &str| wanted.trim() == "*" || wanted.split(',').any(|one| one.trim() == tag);
        if now.as_deref().is_some_and(fits) { Ok(()) } else { Err(Refusal::Stale { now }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn precondition(name: header::HeaderName, value: &str) -> Precondition {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        Precondition::of(&headers)
    }

    #[test]
    fn only_the_state_that_was_read_may_be_changed() {
        let tag = of(&1);
        assert!(precondition(header::IF_MATCH, &tag).check(Some(&1)).is_ok());
        assert!(precondition(header::IF_MATCH, &format!("\"x\", {tag}")).check(Some(&1)).is_ok());
        assert!(precondition(header::IF_MATCH, "*").check(Some(&2)).is_ok());
        assert!(matches!(precondition(header::IF_MATCH, &tag).check(Some(&2)), Err(Refusal::Stale { now: Some(_) })));
        assert!(matches!(precondition(header::IF_MATCH, "*").check(None::<&i32>), Err(Refusal::Stale { now: None })));
        assert!(Precondition::default().check(Some(&2)).is_ok());
    }

    #[test]
    fn what_must_be_new_may_not_be_there() {
        assert!(precondition(header::IF_NONE_MATCH, "*").check(Some(&1)).is_err());
        assert!(precondition(header::IF_NONE_MATCH, "*").check(None::<&i32>).is_ok());
    }
}
