//! Track and screen calls as Klaviyo events.

use crate::config::{Config, Version};
use crate::ecommerce;
use crate::message::{Message, said};
use crate::person::{Known, Person};
use crate::profile::{self, Patch};
use pintle_plugin_sdk::js;
use pintle_plugin_sdk::json::Members;
use pintle_plugin_sdk::object::{Object, filled};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The body of a request that creates an event.
///
/// # Errors
/// When it has no name or nobody, or a value that is no number.
pub(crate) fn body(config: &Config, message: &Message<'_>, is_screen: bool) -> Result<Vec<u8>, String> {
    let properties = message.properties.and_then(Members::of);
    let property = |name: &str| filled(properties.as_ref()?.get(name)?);
    let name = said(message.event);
    let name = if is_screen { name.or_else(|| said(message.name)).or_else(|| said(property("name"))) } else { name };
    let name = name.ok_or("Klaviyo needs a metric: the event has no name")?;
    // Email and phone may stand among the event's properties, where nothing else says them.
    let mut person = Person::of(message);
    for (known, name) in [(Known::Email, "email"), (Known::Phone, "phone")] {
        if let Some(value) = property(name) {
            person.know(known, false, value);
        }
    }

    let mut object = Object::after(br#"{"data":{"type":"event""#);
    object.open("attributes");
    if config.version == Version::V1 {
        of_2023(config, message, &name, person, properties.as_ref(), &mut object)?;
    } else {
        since_2024(config, message, &name, &person, properties.as_ref(), &mut object)?;
    }
    object.close();
    object.close();
    Ok(object.end())
}

/// The attributes of Klaviyo's API since 2024.
fn since_2024(
    config: &Config,
    message: &Message<'_>,
    name: &str,
    person: &Person<'_>,
    properties: Option<&Members<'_>>,
    object: &mut Object,
) -> Result<(), String> {
    for (name, value) in [("unique_id", message.message_id), ("time", message.timestamp.or(message.original_timestamp))]
    {
        if let Some(value) = value {
            object.spelt(name, value);
        }
    }
    object.open("metric");
    object.open("data");
    object.text("type", "metric");
    object.open("attributes");
    object.text("name", name);
    object.close();
    object.close();
    object.close();

    let patch = Patch::of(message.integration);
    object.open("profile");
    object.open("data");
    object.text("type", "profile");
    if let Some(id) = person.profile {
        object.spelt("id", id);
    }
    profile::of_event(config, person, &patch, object)?;
    object.close();
    object.close();

    let own = Own::of(properties, &["value", "revenue"]);
    if let Some((_, value)) = own.value {
        object.raw("value", &number(value).ok_or("the event's value is not a number")?);
    }
    if let Some(currency) = own.currency {
        object.raw("value_currency", currency.get());
    }
    own.write(config, true, object);
    Ok(())
}

/// The attributes of the API of 2023.
fn of_2023(
    config: &Config,
    message: &Message<'_>,
    name: &str,
    person: Person<'_>,
    properties: Option<&Members<'_>>,
    object: &mut Object,
) -> Result<(), String> {
    if let Some(time) = message.timestamp {
        object.spelt("time", time);
    }
    let metric = ecommerce::metric(name);
    object.open("metric");
    object.text("name", metric.map_or(name, |metric| metric.name));
    object.close();
    profile::dollars(config, person, object)?;
    if let Some(metric) = metric {
        object.open("properties");
        metric.write(properties, config.flatten, object);
        object.close();
        return Ok(());
    }
    let mut own = Own::of(properties, &["revenue"]);
    match own.value.and_then(|(_, value)| number(value)) {
        Some(value) => object.raw("value", &value),
        None => own.value = None,
    }
    own.write(config, false, object);
    Ok(())
}

/// An event's own properties.
struct Own<'a> {
    members: Vec<(Cow<'a, str>, &'a RawValue)>,
    /// What the event is worth, and the name of the property that said so.
    value: Option<(&'static str, &'a RawValue)>,
    /// What it is counted in.
    currency: Option<&'a RawValue>,
}

impl<'a> Own<'a> {
    /// Looks for the value by the first of some names that says something.
    fn of(properties: Option<&Members<'a>>, values: &[&'static str]) -> Own<'a> {
        let members: Vec<_> = properties.into_iter().flat_map(Members::iter).collect();
        let find = |wanted: &str| {
            let found: Option<&(Cow<'a, str>, &'a RawValue)> = members.iter().rev().find(|(name, _)| name == wanted);
            filled(found?.1)
        };
        let value = values.iter().find_map(|name| Some((*name, find(name)?)));
        let currency = find("currency");
        Own { members, value, currency }
    }

    /// Writes what is not said by the value and, where that has its own place, the currency.
    fn write(&self, config: &Config, is_currency_apart: bool, object: &mut Object) {
        object.open("properties");
        for (name, value) in &self.members {
            let is_apart = self.value.is_some_and(|(apart, _)| name == apart)
                || (is_currency_apart && self.currency.is_some() && name == "currency");
            if is_apart || value.get() == "null" {
                continue;
            }
            if config.flatten { object.flat(name, value) } else { object.raw(name, value.get()) }
        }
        object.close();
    }
}

/// A number as it is spelt, or of a text that spells one.
fn number(value: &RawValue) -> Option<Cow<'_, str>> {
    match value.get().as_bytes().first()? {
        b'-' | b'0'..=b'9' => Some(Cow::Borrowed(value.get())),
        b'"' => Some(Cow::Owned(js::json_number(js::number_of(&said(Some(value))?)?).to_string())),
        _ => None,
    }
}
