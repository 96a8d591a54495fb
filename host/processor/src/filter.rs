//! Which events a connection's filter stops.
//!
//! An event is judged as it was received. Of its text only the members that the filter asks for are looked at,
//! and nothing of it is built: types are known without its text, names are asked of track events only.

mod consent;

use consent::{Rule, Said};
use pintle_catalog::Filter;
use pintle_events::{Kind, scan};
use std::collections::HashSet;

/// A connection's filter, made ready.
#[derive(Debug)]
pub struct Sieve {
    types: Option<Vec<String>>,
    names: Option<Names>,
    consent: Vec<Rule>,
}

#[derive(Debug)]
enum Names {
    Only(HashSet<String>),
    Except(HashSet<String>),
}

impl Sieve {
    /// What this filter stops.
    #[must_use]
    pub fn new(filter: &Filter) -> Sieve {
        let names = filter.events.as_ref().and_then(|events| match (&events.only, &events.except) {
            (Some(names), _) => Some(Names::Only(trimmed(names))),
            (None, Some(names)) => Some(Names::Except(trimmed(names))),
            (None, None) => None,
        });
        let consent = filter.consent.iter().flatten().map(Rule::new).collect();
        Sieve { types: filter.message_types.clone(), names, consent }
    }

    /// Why an event does not pass, when it does not. `raw` is its text as it was received.
    #[must_use]
    pub fn stops(&self, event_type: &str, raw: &str) -> Option<String> {
        if self.types.as_ref().is_some_and(|types| !types.iter().any(|t| t.eq_ignore_ascii_case(event_type))) {
            return Some("filtered by the connection: message type".to_owned());
        }
        let names = self.names.as_ref().filter(|_| event_type.eq_ignore_ascii_case(Kind::Track.as_str()));
        if names.is_none() && self.consent.is_empty() {
            return None;
        }
        let [event, context] = scan::members(raw, ["event", "context"]);
        if names.is_some_and(|names| !names.have(event)) {
            return Some("filtered by the connection: event name".to_owned());
        }
        // Without a word about consent there is nothing to judge by.
        let said = context.filter(|_| !self.consent.is_empty()).and_then(Said::of)?;
        let denied = self.consent.iter().find_map(|rule| rule.denied(&said))?;
        Some(format!("no consent: {}", denied.join(", ")))
    }
}

impl Names {
    /// Whether an event with this name passes; one without a name is on no list.
    fn have(&self, event: Option<&str>) -> bool {
        let name = event.and_then(scan::text);
        let is_listed = |names: &HashSet<String>| name.as_ref().is_some_and(|name| names.contains(name.trim()));
        match self {
            Names::Only(names) => is_listed(names),
            Names::Except(names) => !is_listed(names),
        }
    }
}

fn trimmed(names: &[String]) -> HashSet<String> {
    names.iter().map(|name| name.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn sieve(filter: Value) -> Sieve {
        Sieve::new(&serde_json::from_value(filter).unwrap())
    }

    fn stopped(filter: Value, event: &Value) -> Option<String> {
        sieve(filter).stops(event["type"].as_str().unwrap(), &event.to_string())
    }

    #[test]
    fn only_the_types_that_are_listed_pass() {
        let filter = json!({"message_types": ["Track", "page"]});
        assert_eq!(stopped(filter.clone(), &json!({"type": "track", "event": "x"})), None);
        assert_eq!(stopped(filter.clone(), &json!({"type": "page"})), None);
        let reason = stopped(filter, &json!({"type": "identify"}));
        assert_eq!(reason.as_deref(), Some("filtered by the connection: message type"));
    }

    #[test]
    fn track_events_are_judged_by_their_exact_names() {
        let only = json!({"events": {"only": ["Order Completed ", "404"]}});
        let except = json!({"events": {"except": ["Order Completed", "404"]}});
        for (event, is_listed) in [
            (json!("Order Completed"), true),
            (json!("\n Order Completed "), true),
            (json!("order completed"), false),
            (json!("Order  Completed"), false),
            (json!(404), true),
            (json!(""), false),
            (json!(null), false),
            (json!({"name": "Order Completed"}), false),
        ] {
            let event = json!({"type": "track", "properties": {"event": "Order Completed"}, "event": event});
            let reason = Some("filtered by the connection: event name");
            assert_eq!(stopped(only.clone(), &event).as_deref(), reason.filter(|_| !is_listed), "{event}");
            assert_eq!(stopped(except.clone(), &event).as_deref(), reason.filter(|_| is_listed), "{event}");
        }
        assert!(stopped(only, &json!({"type": "track"})).is_some(), "it has no name");
        assert_eq!(stopped(except, &json!({"type": "track"})), None);
    }

    #[test]
    fn names_are_read_as_json_reads_them() {
        let only = sieve(json!({"events": {"only": ["Gebühr", "b"]}}));
        assert_eq!(only.stops("track", r#"{"event":"Geb\u00fchr"}"#), None);
        assert_eq!(only.stops("track", r#"{"\u0065vent":"b"}"#), None);
        assert_eq!(only.stops("track", r#"{"event":"a","event":"b"}"#), None, "the last one counts");
        assert!(only.stops("track", r#"{"event":"b","event":"a"}"#).is_some());
        assert!(only.stops("track", r#"{"\ud800":1,"event":"\ud800"}"#).is_some());
        let except = sieve(json!({"events": {"except": ["b"]}}));
        assert!(except.stops("track", r#"{"\ud800":"\udc00","event":"b"}"#).is_some());
    }

    #[test]
    fn what_is_no_track_event_has_no_name_to_be_judged_by() {
        for kind in ["page", "screen", "identify"] {
            let event = json!({"type": kind, "name": "x", "event": "Noise"});
            assert_eq!(stopped(json!({"events": {"only": ["Paid"]}}), &event), None);
            assert_eq!(stopped(json!({"events": {"except": ["Noise"]}}), &event), None);
        }
    }

    #[test]
    fn all_parts_must_let_an_event_pass() {
        let filter = json!({
            "message_types": ["track"], "events": {"only": ["Paid"]}, "consent": [{"provider": "custom", "ids": ["ads"]}],
        });
        let event = |name: &str, denied: &[&str]| {
            let consent = json!({"provider": "custom", "deniedConsentIds": denied});
            json!({"type": "track", "event": name, "context": {"consentManagement": consent}})
        };
        assert_eq!(stopped(filter.clone(), &event("Paid", &["mail"])), None);
        assert!(stopped(filter.clone(), &event("Seen", &[])).unwrap().ends_with("event name"));
        assert_eq!(stopped(filter, &event("Paid", &["ads"])).as_deref(), Some("no consent: ads"));
    }
}
