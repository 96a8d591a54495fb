//! Traits as a user's attributes.

use crate::config::Config;
use crate::identity::Who;
use crate::nested;
use pintle_plugin_sdk::fields::Fields;
use pintle_plugin_sdk::json::{Members, text};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Names that say whose attributes they are; a trait cannot.
const IDENTIFIERS: [&str; 4] = ["external_id", "user_alias", "braze_id", "_update_existing_only"];

/// Attributes by the names that Braze has for them.
#[derive(Default, Serialize)]
#[serde(transparent)]
pub(crate) struct Attributes<'a>(BTreeMap<Cow<'a, str>, Attribute<'a>>);

/// Attributes and the user that they belong to.
#[derive(Serialize)]
pub(crate) struct Owned<'a> {
    #[serde(flatten)]
    attributes: Attributes<'a>,
    #[serde(flatten)]
    who: Who<'a>,
}

/// An attribute's value.
#[derive(Serialize)]
#[serde(untagged)]
enum Attribute<'a> {
    Sent(&'a RawValue),
    Text(String),
    Letter(&'static str),
    Flag(bool),
    Tree(Value),
}

impl<'a> Attributes<'a> {
    /// One attribute that is true.
    pub(crate) fn flag(name: String) -> Attributes<'a> {
        Attributes(BTreeMap::from([(Cow::Owned(name), Attribute::Flag(true))]))
    }

    /// With whom they belong to.
    pub(crate) fn of_user(self, who: Who<'a>) -> Owned<'a> {
        Owned { attributes: self, who }
    }

    /// A trait under Braze's name for it. One that already has that name wins.
    fn rename(&mut self, name: &'static str, value: Attribute<'a>) {
        self.0.entry(Cow::Borrowed(name)).or_insert(value);
    }
}

/// The attributes that an event's traits make; nothing when there are none. `null` removes an attribute.
///
/// # Errors
/// When a trait is something that Braze does not take.
pub(crate) fn of<'a>(config: &Config, fields: &Fields<'a>) -> Result<Option<Attributes<'a>>, String> {
    let has_members = |value: &&RawValue| value.get().starts_with('{');
    let traits = ["traits", "context.traits"].iter().find_map(|path| {
        let traits = Members::of(fields.get(path).filter(has_members)?)?.distinct()?;
        (!traits.is_empty()).then_some(traits)
    });
    let Some(traits) = traits else { return Ok(None) };
    let mut attributes = Attributes::default();
    for (name, value) in traits {
        take(config, &mut attributes, name, value)?;
    }
    if attributes.0.is_empty() {
        return Ok(None);
    }
    if config.nested_arrays {
        let merges = fields.text(&["properties.mergeObjectsUpdateOperation"]).is_some_and(|merges| merges == "true");
        attributes.0.insert("_merge_objects".into(), Attribute::Flag(merges));
    }
    Ok(Some(attributes))
}

fn take<'a>(
    config: &Config,
    attributes: &mut Attributes<'a>,
    name: Cow<'a, str>,
    value: &'a RawValue,
) -> Result<(), String> {
    let sent = Attribute::Sent(value);
    match name.as_ref() {
        "email" if value.get() != "null" => {
            let email = text(value).ok_or("the trait `email` must be a text")?;
            if !email.trim().is_empty() {
                attributes.0.insert(name, Attribute::Text(email.trim().to_lowercase()));
            }
        }
        "firstName" => attributes.rename("first_name", sent),
        "lastName" => attributes.rename("last_name", sent),
        "avatar" => attributes.rename("image_url", sent),
        "birthday" => attributes.rename("dob", sent),
        "gender" => {
            if let Some(gender) = gender(value) {
                attributes.0.insert(name, gender);
            }
        }
        "address" if value.get().starts_with('{') => {
            let address = Members::of(value);
            let part = |part| address.as_ref().and_then(|address| address.get(part));
            if let Some(city) = part("city") {
                attributes.rename("home_city", Attribute::Sent(city));
            }
            if let Some(country) = part("country") {
                attributes.rename("country", Attribute::Sent(country));
            }
        }
        own if IDENTIFIERS.contains(&own) => {}
        _ if config.nested_arrays && value.get().starts_with('{') => {
            let value = nested::operations(value).map_err(|wrong| format!("the trait `{name}` {wrong}"))?;
            attributes.0.insert(name, value.map_or(sent, Attribute::Tree));
        }
        _ => _ = attributes.0.insert(name, sent),
    }
    Ok(())
}

/// Braze knows a gender by its letter; `null` is none.
fn gender(value: &RawValue) -> Option<Attribute<'_>> {
    const LETTERS: [(&str, &[&str]); 5] = [
        ("F", &["f", "female", "woman", "w", "girl"]),
        ("M", &["m", "male", "man", "boy"]),
        ("O", &["o", "other"]),
        ("N", &["n", "not applicable"]),
        ("P", &["p", "prefer not to say"]),
    ];
    if value.get() == "null" {
        return Some(Attribute::Sent(value));
    }
    let gender = text(value)?.trim().to_lowercase();
    let (letter, _) = LETTERS.iter().find(|(_, names)| names.contains(&gender.as_str()))?;
    Some(Attribute::Letter(letter))
}
