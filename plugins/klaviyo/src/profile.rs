//! A person as a Klaviyo profile.

use crate::config::Config;
use crate::message::said;
use crate::person::{Known, Person};
use pintle_plugin_sdk::json::Members;
use pintle_plugin_sdk::object::{Object, filled, items};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Attributes of a profile.
const ATTRIBUTES: [(&str, Known); 7] = [
    ("email", Known::Email),
    ("phone_number", Known::Phone),
    ("first_name", Known::FirstName),
    ("last_name", Known::LastName),
    ("title", Known::Title),
    ("organization", Known::Organization),
    ("image", Known::Image),
];

/// Attributes of a profile's `location`.
const LOCATION: [(&str, Known); 5] = [
    ("city", Known::City),
    ("region", Known::Region),
    ("country", Known::Country),
    ("zip", Known::Zip),
    ("address1", Known::Street),
];

/// The same for a person of 2023, whose street has no name of Klaviyo's.
const DOLLARS: [(&str, Known); 11] = [
    ("$email", Known::Email),
    ("$phone_number", Known::Phone),
    ("$first_name", Known::FirstName),
    ("$last_name", Known::LastName),
    ("$title", Known::Title),
    ("$organization", Known::Organization),
    ("$image", Known::Image),
    ("$city", Known::City),
    ("$region", Known::Region),
    ("$country", Known::Country),
    ("$zip", Known::Zip),
];

const NOBODY: &str = "Klaviyo cannot tell who it is: there is no email, phone, userId or anonymousId";

/// Writes a profile's `attributes` as Klaviyo's API has them since 2024.
///
/// # Errors
/// When Klaviyo could not tell who it is.
pub(crate) fn attributes(
    config: &Config,
    person: &Person<'_>,
    patch: &Patch<'_>,
    object: &mut Object,
) -> Result<(), String> {
    object.open("attributes");
    write(config, person, patch, object)?;
    object.close();
    Ok(())
}

/// The same for a person of an event, whose patch is one of the attributes.
///
/// # Errors
/// When Klaviyo could not tell who it is.
pub(crate) fn of_event(
    config: &Config,
    person: &Person<'_>,
    patch: &Patch<'_>,
    object: &mut Object,
) -> Result<(), String> {
    object.open("attributes");
    write(config, person, patch, object)?;
    patch.write(person, object);
    object.close();
    Ok(())
}

fn write(config: &Config, person: &Person<'_>, patch: &Patch<'_>, object: &mut Object) -> Result<(), String> {
    if let Some(phone) = said(person.get(Known::Phone)) {
        check_phone(&phone)?;
    }
    let is_known = has_address(person) || person.anonymous.is_some() || person.profile.is_some();
    let user = user(config, person, is_known)?;
    named(person, &ATTRIBUTES, object);
    if LOCATION.iter().any(|(_, known)| person.get(*known).is_some()) {
        object.open("location");
        named(person, &LOCATION, object);
        object.close();
    }
    for (name, id) in [("external_id", user.found_by), ("anonymous_id", person.anonymous.as_deref())] {
        if let Some(id) = id {
            object.text(name, id);
        }
    }
    object.open("properties");
    custom(config, person, |name| patch.is_own(name), object);
    if let Some(id) = user.property {
        object.text("_id", id);
    }
    object.close();
    Ok(())
}

/// The same for an identify in the API of 2023, which had neither anonymous ids nor patches, and kept the street
/// among the properties as well.
///
/// # Errors
/// When Klaviyo could not tell who it is.
pub(crate) fn attributes_of_2023(config: &Config, mut person: Person<'_>, object: &mut Object) -> Result<(), String> {
    person.user = person.user.take().or(person.anonymous.take());
    person.others.retain(|(name, _)| name != "id");
    if let Some(street) = person.get(Known::Street) {
        person.others.push((Cow::Borrowed("street"), street));
    }
    attributes(config, &person, &Patch::default(), object)
}

/// Writes the person of an event in the API of 2023: all in one object, Klaviyo's own names with a `$`.
///
/// # Errors
/// When Klaviyo could not tell who it is.
pub(crate) fn dollars(config: &Config, mut person: Person<'_>, object: &mut Object) -> Result<(), String> {
    person.user = person.user.take().or(person.anonymous.take());
    let user = user(config, &person, has_address(&person))?;
    object.open("profile");
    named(&person, &DOLLARS, object);
    for (name, id) in [("$id", user.found_by), ("_id", user.property)] {
        if let Some(id) = id {
            object.text(name, id);
        }
    }
    custom(config, &person, |name| name == "id", object);
    if let Some(street) = person.get(Known::Street) {
        object.raw("street", street.get());
    }
    object.close();
    Ok(())
}

/// The user's own id, by what it is for.
struct User<'p> {
    /// What Klaviyo finds a profile by.
    found_by: Option<&'p str>,
    /// A property, where email and phone alone decide.
    property: Option<&'p str>,
}

fn user<'p>(config: &Config, person: &'p Person<'_>, is_known: bool) -> Result<User<'p>, String> {
    let id = person.user.as_deref();
    if config.email_first {
        if !has_address(person) {
            return Err("there is neither an email nor a phone, and the destination goes by them alone".to_owned());
        }
        return Ok(User { found_by: None, property: id });
    }
    if id.is_none() && !is_known {
        return Err(NOBODY.to_owned());
    }
    Ok(User { found_by: id, property: None })
}

fn has_address(person: &Person<'_>) -> bool {
    person.get(Known::Email).is_some() || person.get(Known::Phone).is_some()
}

fn named(person: &Person<'_>, names: &[(&str, Known)], object: &mut Object) {
    for (name, known) in names {
        if let Some(value) = person.get(*known) {
            object.spelt(name, value);
        }
    }
}

/// What is left of the traits: properties of the user's own.
fn custom(config: &Config, person: &Person<'_>, is_other: impl Fn(&str) -> bool, object: &mut Object) {
    for (name, value) in person.others.iter().filter(|(name, value)| value.get() != "null" && !is_other(name)) {
        if config.flatten { object.flat(name, value) } else { object.raw(name, value.get()) }
    }
}

/// Klaviyo's `patch_properties`: what changes in a profile's properties beyond setting them, by the lists of names
/// that an event gives under `integrations.Klaviyo`.
#[derive(Debug, Default)]
pub(crate) struct Patch<'a> {
    append: Vec<Cow<'a, str>>,
    unappend: Vec<Cow<'a, str>>,
    unset: Vec<Cow<'a, str>>,
}

impl<'a> Patch<'a> {
    /// Reads what an event says to this destination.
    pub fn of(integration: Option<&'a RawValue>) -> Patch<'a> {
        let own = integration.and_then(Members::of);
        let names = |list: &str| -> Vec<Cow<'a, str>> {
            let names = own.as_ref().and_then(|own| own.get(list)).map(items).unwrap_or_default();
            names.into_iter().filter_map(|name| said(Some(name))).collect()
        };
        Patch { append: names("fieldsToAppend"), unappend: names("fieldsToUnappend"), unset: names("fieldsToUnset") }
    }

    /// Whether a trait is put to a property's list or taken from it, and so is none by itself.
    fn is_own(&self, name: &str) -> bool {
        self.append.iter().chain(&self.unappend).any(|own| own == name)
    }

    /// Writes the `meta` that holds them.
    pub fn write(&self, person: &Person<'_>, object: &mut Object) {
        object.open("meta");
        object.open("patch_properties");
        for (name, fields) in [("append", &self.append), ("unappend", &self.unappend)] {
            let is_given =
                |(field, value): &&(Cow<'_, str>, &RawValue)| fields.contains(field) && filled(value).is_some();
            if person.others.iter().any(|other| is_given(&other)) {
                object.open(name);
                for (field, value) in person.others.iter().filter(is_given) {
                    object.raw(field, value.get());
                }
                object.close();
            }
        }
        if !self.unset.is_empty() {
            let names: Vec<&str> = self.unset.iter().map(AsRef::as_ref).collect();
            object.raw("unset", &serde_json::Value::from(names).to_string());
        }
        object.close();
        object.close();
    }
}

/// Klaviyo takes phone numbers in the form of E.164 alone, and refuses the whole profile for any other. Blanks and
/// the like between the digits do no harm.
///
/// # Errors
/// When it is none.
pub(crate) fn check_phone(phone: &str) -> Result<(), String> {
    let is_between = |c: char| c.is_whitespace() || matches!(c, '-' | '.' | '(' | ')');
    let mut digits = phone.chars().filter(|c| !is_between(*c));
    let is_plus = digits.next() == Some('+');
    let is_country = digits.clone().next().is_some_and(|digit| digit != '0');
    let fits = (3..=15).contains(&digits.clone().count()) && digits.all(|digit| digit.is_ascii_digit());
    if is_plus && is_country && fits {
        return Ok(());
    }
    Err("the phone number is not in the form of E.164, as in +15550100123".to_owned())
}
