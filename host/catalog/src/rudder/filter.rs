//! The filter of an imported connection: what a destination's settings say about events and consents.
//!
//! Settings are given once, or once per type of source (`{"web": …, "cloud": …}`), of which the one for the
//! connection's source counts. What cannot be read, or is given for other types of source only, keeps the
//! connection off.

use super::document::At;
use super::off::{names_consent, only};
use crate::filter::{Consent, EventNames, Filter, Strategy};
use serde_json::Value;

/// What event filters and consent settings are called in reasons.
const EVENTS: &str = "event filter";
const CONSENT: &str = "consent settings";

/// The filter that a destination asks for on a connection from this source, and what of it cannot be kept.
pub(super) fn of(source: &At<'_>, destination: &At<'_>) -> (Option<Filter>, Vec<String>) {
    let kind = source.get("sourceDefinition").get("type").text().unwrap_or_default().trim();
    let config = destination.get("config");
    let mut because = Vec::new();
    let events = events(kind, &config).unwrap_or_else(|why| {
        because.push(why);
        None
    });
    let mut consent = consents(kind, &config.get("consentManagement")).unwrap_or_else(|why| {
        because.push(why);
        Vec::new()
    });
    // The providers' own older settings judge every event, each by a rule of its own.
    for (name, field, strategy) in [
        ("oneTrustCookieCategories", "oneTrustCookieCategory", Strategy::And),
        ("ketchConsentPurposes", "purpose", Strategy::Or),
    ] {
        match names(kind, &config.get(name), field, CONSENT) {
            Ok(ids) if ids.is_empty() => {}
            Ok(ids) => consent.push(Consent { provider: None, strategy, ids }),
            Err(why) => because.push(why),
        }
    }
    let filter = Filter { message_types: None, events, consent: (!consent.is_empty()).then_some(consent) };
    (Some(filter).filter(|filter| !filter.is_blank()), because)
}

fn events(kind: &str, config: &At<'_>) -> Result<Option<EventNames>, String> {
    let setting = config.get("eventFilteringOption");
    let says_nothing = |value: &Value| only(value, &["disable"]);
    let option = own(kind, &setting, EVENTS, says_nothing)?;
    let Some(option) = option.as_ref().and_then(At::value).filter(|option| !says_nothing(option)) else {
        return Ok(None);
    };
    match option.as_str().map(str::trim) {
        Some("whitelistedEvents") => {
            let names = names(kind, &config.get("whitelistedEvents"), "eventName", EVENTS)?;
            if names.is_empty() {
                // Nothing would pass, which is hardly what was meant; that everything passes is not said either.
                return Err(format!("its {EVENTS} (whitelistedEvents, by eventFilteringOption) names no events"));
            }
            Ok(Some(EventNames { only: Some(names), except: None }))
        }
        Some("blacklistedEvents") => {
            let names = names(kind, &config.get("blacklistedEvents"), "eventName", EVENTS)?;
            Ok((!names.is_empty()).then_some(EventNames { only: None, except: Some(names) }))
        }
        _ => Err(unknown(&setting, EVENTS)),
    }
}

fn consents(kind: &str, setting: &At<'_>) -> Result<Vec<Consent>, String> {
    let Some(entries) = own(kind, setting, CONSENT, |value| !names_consent(value))? else { return Ok(Vec::new()) };
    let read: Option<Vec<Option<Consent>>> = match entries.value() {
        Some(Value::Array(_)) => entries.items().map(|entry| consent(&entry)).collect(),
        _ => None,
    };
    Ok(read.ok_or_else(|| unknown(setting, CONSENT))?.into_iter().flatten().collect())
}

/// The names in a list of `{field: name}`, without those that are blank.
fn names(kind: &str, setting: &At<'_>, field: &str, what: &str) -> Result<Vec<String>, String> {
    match own(kind, setting, what, |_| false)? {
        None => Ok(Vec::new()),
        Some(list) => listed(&list, field).ok_or_else(|| unknown(setting, what)),
    }
}

/// The setting as it is for a source of this type, when it says anything. One that is given for other types of
/// source only has to say nothing there.
fn own<'a>(
    kind: &str,
    setting: &At<'a>,
    what: &str,
    says_nothing: impl Fn(&Value) -> bool,
) -> Result<Option<At<'a>>, String> {
    let Some(value) = setting.value().filter(|_| !setting.is_blank()) else { return Ok(None) };
    let own = match value {
        Value::Object(_) if kind.is_empty() => At::nowhere(),
        Value::Object(_) => setting.get(kind),
        _ => setting.clone(),
    };
    if own.value().is_none() && !says_nothing(value) {
        let kinds = match kind {
            "" => "per type of source, and the source has none".to_owned(),
            kind => format!("for other types of source than {kind}"),
        };
        return Err(format!("its {what} ({}) is given {kinds}", last(setting)));
    }
    Ok(Some(own).filter(|own| !own.is_blank()))
}

fn unknown(setting: &At<'_>, what: &str) -> String {
    format!("its {what} ({}) has a form that is not understood", last(setting))
}

/// One entry of `consentManagement`: nothing when it names no consent, and no answer when it cannot be read.
fn consent(entry: &At<'_>) -> Option<Option<Consent>> {
    let consents = entry.get("consents");
    if entry.is_blank() || consents.value().is_some() && consents.is_blank() {
        return Some(None);
    }
    let ids = listed(&consents, "consent")?;
    let provider = entry.get("provider").text().map(str::trim).filter(|provider| !provider.is_empty())?;
    let strategy = match entry.get("resolutionStrategy").value() {
        None | Some(Value::Null) => Strategy::And,
        Some(Value::String(text)) => match text.trim() {
            "" | "and" => Strategy::And,
            "or" => Strategy::Or,
            _ => return None,
        },
        Some(_) => return None,
    };
    // Of the other providers only the event's own strategy ever counts, and without one it is `and`.
    let strategy = if provider == Consent::CUSTOM { strategy } else { Strategy::And };
    Some(Some(Consent { provider: Some(provider.to_owned()), strategy, ids }))
}

/// The names in a list of `{field: name}`, without those that are blank; no answer for anything else.
fn listed(list: &At<'_>, field: &str) -> Option<Vec<String>> {
    list.value()?.as_array()?;
    let mut names = Vec::new();
    for item in list.items().filter(|item| !item.is_blank()) {
        let name = item.get(field);
        let text = name.text()?.trim();
        if !text.is_empty() {
            names.push(text.to_owned());
        }
    }
    Some(names)
}

/// The name of the field itself.
fn last(setting: &At<'_>) -> String {
    setting.path().rsplit('.').next().unwrap_or_default().to_owned()
}
