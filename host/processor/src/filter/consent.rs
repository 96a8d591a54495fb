//! Consents that users have denied, by RudderStack's rules.
//!
//! ```json
//! {"context": {"consentManagement": {
//!   "provider": "oneTrust", "resolutionStrategy": "and", "deniedConsentIds": ["C2"], "allowedConsentIds": ["C1"]}}}
//! ```
//! Only denials count: what is neither denied nor allowed was not asked for.

use pintle_catalog::filter::{Consent, Strategy};
use pintle_events::scan;
use std::borrow::Cow;

/// What an event says of its user's consents.
#[derive(Debug)]
pub(super) struct Said<'a> {
    /// Who manages them; nothing when it is not said.
    provider: Option<Cow<'a, str>>,
    strategy: Option<Strategy>,
    denied: Vec<Cow<'a, str>>,
}

impl<'a> Said<'a> {
    /// Reads an event's `context`; nothing when it denies nothing.
    pub(super) fn of(context: &'a str) -> Option<Said<'a>> {
        let [consents] = scan::members(context, ["consentManagement"]);
        let [provider, strategy, denied] =
            scan::members(consents?, ["provider", "resolutionStrategy", "deniedConsentIds"]);
        let denied: Vec<Cow<'_, str>> = match denied?.as_bytes().first() {
            Some(b'[') => scan::elements(denied?).into_iter().filter_map(scan::text).collect(),
            // One that is not in a list is denied all the same.
            _ => scan::text(denied?).into_iter().collect(),
        };
        if denied.is_empty() {
            return None;
        }
        let provider = provider.and_then(scan::text).filter(|provider| !provider.trim().is_empty());
        let strategy = strategy.and_then(scan::text).map(|text| match text.trim() {
            "or" => Strategy::Or,
            _ => Strategy::And,
        });
        Some(Said { provider, strategy, denied })
    }

    fn denies(&self, id: &str) -> bool {
        self.denied.iter().any(|denied| denied.trim() == id)
    }
}

/// One entry of a filter's consents, made ready.
#[derive(Debug)]
pub(super) struct Rule {
    provider: Option<String>,
    strategy: Strategy,
    ids: Vec<String>,
}

impl Rule {
    pub(super) fn new(consent: &Consent) -> Rule {
        Rule {
            provider: consent.provider.as_ref().map(|provider| provider.trim().to_owned()),
            strategy: consent.strategy,
            ids: consent.ids.iter().map(|id| id.trim().to_owned()).collect(),
        }
    }

    /// The consents for want of which an event does not pass; nothing when it passes.
    pub(super) fn denied(&self, said: &Said<'_>) -> Option<Vec<&str>> {
        if !self.judges(said) {
            return None;
        }
        let denied: Vec<&str> = self.ids.iter().map(String::as_str).filter(|id| said.denies(id)).collect();
        let stops = match self.strategy_for(said) {
            Strategy::And => !denied.is_empty(),
            Strategy::Or => denied.len() == self.ids.len(),
        };
        stops.then_some(denied)
    }

    /// Ids mean something to one provider only. A denial whose provider is not said may be this one's, and a denial
    /// that is overlooked cannot be taken back.
    fn judges(&self, said: &Said<'_>) -> bool {
        match (&self.provider, &said.provider) {
            (Some(own), Some(other)) => own.eq_ignore_ascii_case(other.trim()),
            _ => true,
        }
    }

    /// What an event says goes before the configuration, unless the strategy is the configuration's business.
    fn strategy_for(&self, said: &Said<'_>) -> Strategy {
        match self.provider.as_deref() {
            None => self.strategy,
            Some(provider) if provider.eq_ignore_ascii_case(Consent::CUSTOM) => self.strategy,
            Some(_) => said.strategy.unwrap_or(self.strategy),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// What is missing for an event with this `consentManagement`.
    fn denied(entry: Value, consents: Value) -> Option<Vec<String>> {
        let rule = Rule::new(&serde_json::from_value(entry).unwrap());
        let context = json!({"library": {"name": "x"}, "consentManagement": consents}).to_string();
        let said = Said::of(&context)?;
        rule.denied(&said).map(|ids| ids.into_iter().map(str::to_owned).collect())
    }

    fn passes(entry: Value, consents: Value) -> bool {
        denied(entry, consents).is_none()
    }

    #[test]
    fn and_stops_at_one_denial_and_or_when_all_are_denied() {
        let entry = |strategy| json!({"provider": "custom", "strategy": strategy, "ids": ["ads", "mail"]});
        let event = |denied: &[&str]| json!({"provider": "custom", "deniedConsentIds": denied});
        assert_eq!(denied(entry("and"), event(&["mail", "x"])).unwrap(), ["mail"]);
        assert_eq!(denied(entry("and"), event(&["mail", "ads"])).unwrap(), ["ads", "mail"]);
        assert!(passes(entry("and"), event(&["x"])) && passes(entry("and"), event(&[])));
        assert!(passes(entry("or"), event(&["mail", "x"])));
        assert_eq!(denied(entry("or"), event(&["mail", "x", " ads "])).unwrap(), ["ads", "mail"]);
    }

    #[test]
    fn the_events_strategy_counts_unless_the_provider_is_custom() {
        let entry = |provider, strategy| json!({"provider": provider, "strategy": strategy, "ids": ["a", "b"]});
        let event = |provider, strategy| json!({"provider": provider, "resolutionStrategy": strategy, "deniedConsentIds": ["a"]});
        assert!(passes(entry("oneTrust", "and"), event("oneTrust", "or")));
        assert!(!passes(entry("oneTrust", "or"), event("oneTrust", "and")));
        assert!(!passes(entry("custom", "and"), event("custom", "or")));
        assert!(passes(entry("custom", "or"), event("custom", "and")));
        // Who does not say goes by the configuration, and what is no strategy is `and`.
        let silent = json!({"provider": "oneTrust", "deniedConsentIds": ["a"]});
        assert!(passes(entry("oneTrust", "or"), silent.clone()) && !passes(entry("oneTrust", "and"), silent));
        assert!(!passes(entry("oneTrust", "or"), event("oneTrust", "any")));
    }

    #[test]
    fn ids_of_another_provider_do_not_count() {
        let event = |provider: Value| json!({"provider": provider, "deniedConsentIds": ["C1"]});
        let entry = json!({"provider": "oneTrust", "ids": ["C1"]});
        assert!(passes(entry.clone(), event(json!("ketch"))));
        assert!(!passes(entry.clone(), event(json!(" onetrust"))));
        for unsaid in [json!(null), json!(""), json!({})] {
            assert!(!passes(entry.clone(), event(unsaid)), "it may be this provider's");
        }
        let any = json!({"strategy": "and", "ids": ["C1"]});
        assert!(!passes(any.clone(), event(json!("ketch"))) && !passes(any, event(json!(null))));
    }

    #[test]
    fn an_entry_without_a_provider_goes_by_its_own_strategy() {
        let any = |strategy| json!({"strategy": strategy, "ids": ["a", "b"]});
        let event = json!({"provider": "ketch", "resolutionStrategy": "and", "deniedConsentIds": ["a"]});
        assert!(passes(any("or"), event.clone()) && !passes(any("and"), event));
    }

    #[test]
    fn who_says_nothing_denies_nothing() {
        let entry = json!({"provider": "custom", "ids": ["ads", "7"]});
        for nothing in [
            json!(null),
            json!("x"),
            json!([]),
            json!({}),
            json!({"provider": "custom"}),
            json!({"provider": "custom", "allowedConsentIds": ["mail"]}),
            json!({"provider": "custom", "deniedConsentIds": null}),
            json!({"provider": "custom", "deniedConsentIds": {"ads": true}}),
            json!({"provider": "custom", "deniedConsentIds": [["ads"], null]}),
        ] {
            assert!(passes(entry.clone(), nothing.clone()), "{nothing}");
        }
        assert!(Said::of("[]").is_none() && Said::of("7").is_none() && Said::of("{}").is_none());
        // What is not in a list, or a number, is meant all the same.
        assert!(!passes(entry.clone(), json!({"deniedConsentIds": "ads"})));
        assert!(!passes(entry, json!({"deniedConsentIds": [7]})));
    }
}
