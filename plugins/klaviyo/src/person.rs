//! Who an event is about.

use crate::message::{Message, said};
use pintle_plugin_sdk::json::Members;
use pintle_plugin_sdk::object::{filled, items};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashMap;

/// A person as an event describes them.
#[derive(Debug, Default)]
pub(crate) struct Person<'a> {
    /// The traits that Klaviyo has an attribute for, by [`Known`].
    known: [Option<&'a RawValue>; KNOWN],
    /// All others.
    pub others: Vec<(Cow<'a, str>, &'a RawValue)>,
    /// The id in the user's own system.
    pub user: Option<Cow<'a, str>>,
    /// The id of the device or browser.
    pub anonymous: Option<Cow<'a, str>>,
    /// Klaviyo's own id, when the event knows it.
    pub profile: Option<&'a RawValue>,
    /// What the person wishes for: the trait `properties`, which is no property.
    pub wishes: Option<&'a RawValue>,
}

/// A trait that Klaviyo has an attribute for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    Email,
    Phone,
    FirstName,
    LastName,
    Title,
    Organization,
    Image,
    City,
    Region,
    Country,
    Zip,
    Street,
}

const KNOWN: usize = Known::Street as usize + 1;

impl Known {
    /// By the trait's name, and whether that is its usual one, which wins.
    fn named(name: &str) -> Option<(Known, bool)> {
        Some(match name {
            "email" => (Known::Email, true),
            "phone" => (Known::Phone, true),
            "firstName" => (Known::FirstName, true),
            "firstname" | "first_name" => (Known::FirstName, false),
            "lastName" => (Known::LastName, true),
            "lastname" | "last_name" => (Known::LastName, false),
            "title" => (Known::Title, true),
            "organization" => (Known::Organization, true),
            "image" => (Known::Image, true),
            "city" => (Known::City, true),
            "region" => (Known::Region, true),
            "country" => (Known::Country, true),
            "zip" => (Known::Zip, true),
            "street" => (Known::Street, true),
            _ => return None,
        })
    }
}

impl<'a> Person<'a> {
    /// The person of an event. What the event itself says of them wins over its context.
    pub fn of(message: &Message<'a>) -> Person<'a> {
        let mut traits = merged(message);
        let mut person = Person {
            user: said(message.user_id),
            anonymous: said(message.anonymous_id),
            profile: external(message, |kind| kind == "klaviyo-profileid").and_then(|known| filled(known.get("id")?)),
            ..Person::default()
        };
        person.look_at_row(message, &mut traits);
        for (name, value) in traits {
            match name.as_ref() {
                "userId" => person.user = person.user.or_else(|| said(Some(value))),
                "anonymousId" => {}
                "properties" => person.wishes = Some(value),
                // An object under such a name is something else.
                _ => match Known::named(&name).filter(|_| !value.get().starts_with(['{', '['])) {
                    Some((known, is_usual)) => person.know(known, is_usual, value),
                    None => person.others.push((name, value)),
                },
            }
        }
        person
    }

    /// A trait that Klaviyo has an attribute for, if it says something.
    pub fn get(&self, known: Known) -> Option<&'a RawValue> {
        self.known[known as usize]
    }

    /// Learns what is not known yet from elsewhere.
    pub fn know(&mut self, known: Known, is_usual: bool, value: &'a RawValue) {
        let place = &mut self.known[known as usize];
        if said(Some(value)).is_some() && (is_usual || place.is_none()) {
            *place = Some(value);
        }
    }

    /// A row of a warehouse names the field that it is matched by, and that field's value, apart from the others.
    fn look_at_row(&mut self, message: &Message<'a>, traits: &mut Vec<(Cow<'a, str>, &'a RawValue)>) {
        if said(message.mapped).is_none_or(|mapped| matches!(mapped.as_ref(), "false" | "0")) {
            return;
        }
        let is_row = |kind: &str| kind.starts_with("klaviyo-") && kind != "klaviyo-profileid";
        let Some(row) = external(message, is_row) else { return };
        let Some(id) = row.get("id").filter(|id| said(Some(id)).is_some()) else { return };
        if let Some(field) = said(row.get("identifierType")) {
            traits.retain(|(name, _)| *name != field);
            traits.push((field, id));
        }
        self.user = said(Some(id));
    }
}

/// The traits of the context and, over them, those of the event that say something.
fn merged<'a>(message: &Message<'a>) -> Vec<(Cow<'a, str>, &'a RawValue)> {
    let list = |traits: Option<&'a RawValue>| -> Vec<(Cow<'a, str>, &'a RawValue)> {
        traits.and_then(Members::of).iter().flat_map(Members::iter).collect()
    };
    let (mut traits, own) = (list(message.context_traits), list(message.traits));
    if traits.is_empty() {
        return own;
    }
    if own.is_empty() {
        return traits;
    }
    let places: HashMap<Cow<'a, str>, usize> =
        traits.iter().enumerate().map(|(place, (name, _))| (name.clone(), place)).collect();
    for (name, value) in own {
        match places.get(&name) {
            None => traits.push((name, value)),
            Some(place) if filled(value).is_some() => traits[*place].1 = value,
            Some(_) => {}
        }
    }
    traits
}

/// The first of the context's external ids of a kind, in small letters.
fn external<'a>(message: &Message<'a>, is_kind: impl Fn(&str) -> bool) -> Option<Members<'a>> {
    let mut ids = items(message.external_ids?).into_iter().filter_map(Members::of);
    ids.find(|id| said(id.get("type")).is_some_and(|kind| is_kind(&kind.to_ascii_lowercase())))
}
