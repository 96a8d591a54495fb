//! A connection's filter, as it is said in words of the command line.

use super::args::Filter;
use super::things::list;
use crate::failure::{Exit, Failure};
use serde_json::{Value, json};

/// The three parts of a filter: message types, events, consent. What is not given stays as it is, null takes away.
pub(super) fn given(filter: Filter) -> Result<[Option<Value>; 3], Failure> {
    let types = list(filter.message_types, "any", Value::Null);
    let only = list(filter.only_events, "any", Value::Null).map(|names| under("only", names));
    let except = list(filter.except_events, "none", Value::Null).map(|names| under("except", names));
    let consent = match list(filter.consents, "none", Value::Null) {
        Some(Value::Array(entries)) => {
            let entries = entries.iter().filter_map(Value::as_str).map(consent);
            Some(entries.collect::<Result<Vec<Value>, Failure>>()?.into())
        }
        other => other,
    };
    Ok([types, only.or(except), consent])
}

/// There is one list of events, or none.
fn under(name: &str, names: Value) -> Value {
    if names.is_null() { Value::Null } else { json!({name: names}) }
}

/// `custom:or:ads,mail`, or `any:and:C1`.
fn consent(written: &str) -> Result<Value, Failure> {
    let mut parts = written.splitn(3, ':').map(str::trim);
    let (Some(provider), Some(strategy @ ("and" | "or")), Some(ids)) = (parts.next(), parts.next(), parts.next())
    else {
        let wrong = format!("--consent {written} is not PROVIDER:and|or:ID,..., e.g. custom:or:ads,mail, or `none`");
        return Err(Failure::new(Exit::Usage, wrong));
    };
    let ids: Vec<&str> = ids.split(',').map(str::trim).collect();
    let mut entry = json!({"strategy": strategy, "ids": ids});
    if provider != "any" {
        entry["provider"] = provider.into();
    }
    Ok(entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    fn parts(types: &[&str], only: &[&str], except: &[&str], consents: &[&str]) -> [Option<Value>; 3] {
        let filter = Filter {
            message_types: words(types),
            only_events: words(only),
            except_events: words(except),
            consents: words(consents),
        };
        given(filter).unwrap()
    }

    #[test]
    fn what_is_given_is_written_as_the_api_takes_it() {
        let [types, events, consent] =
            parts(&["track", "page"], &["Paid"], &[], &["custom:or:ads, mail", "any:and:a:b"]);
        assert_eq!(types, Some(json!(["track", "page"])));
        assert_eq!(events, Some(json!({"only": ["Paid"]})));
        let entries = json!([
            {"provider": "custom", "strategy": "or", "ids": ["ads", "mail"]},
            {"strategy": "and", "ids": ["a:b"]},
        ]);
        assert_eq!(consent, Some(entries));
        assert_eq!(parts(&[], &[], &["Noise"], &[])[1], Some(json!({"except": ["Noise"]})));
    }

    #[test]
    fn what_is_not_given_stays_and_a_word_takes_it_away() {
        assert_eq!(parts(&[], &[], &[], &[]), [None, None, None]);
        let gone = Some(Value::Null);
        assert_eq!(parts(&["any"], &["any"], &[], &["none"]), [gone.clone(), gone.clone(), gone.clone()]);
        assert_eq!(parts(&[], &[], &["none"], &[])[1], gone);
    }

    #[test]
    fn a_consent_of_another_form_is_refused_with_an_example() {
        for wrong in ["ads", "custom:ads", "custom:xor:ads", "custom:or"] {
            let filter =
                Filter { message_types: vec![], only_events: vec![], except_events: vec![], consents: words(&[wrong]) };
            let failure = given(filter).unwrap_err();
            assert!(failure.error.to_string().contains("custom:or:ads,mail"), "{wrong}");
        }
    }
}
