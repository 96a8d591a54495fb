//! What becomes of an event.

use crate::config::{Config, Version};
use crate::happening;
use crate::message::{Message, said};
use crate::person::{Known, Person};
use crate::profile::{self, Patch, check_phone};
use crate::subscription::{Channels, Wish};
use pintle_plugin_sdk::json::Members;
use pintle_plugin_sdk::object::Object;
use pintle_plugin_sdk::{Body, Method, Request};
use serde_json::value::RawValue;

/// Where a profile is created, or updated when Klaviyo knows one of its identifiers.
pub(crate) const IMPORT: &str = "https://a.klaviyo.com/api/profile-import";
const EVENTS: &str = "https://a.klaviyo.com/api/events";

/// The requests that an event is sent as, one after another.
///
/// # Errors
/// Why there are none.
pub fn requests(config: &Config, event: &RawValue) -> Result<Vec<Request>, String> {
    let message = Message::of(event).ok_or("the event is not a JSON object")?;
    let kind = said(message.kind).ok_or("the event has no type")?;
    match kind.to_ascii_lowercase().as_str() {
        "identify" => identify(config, &message),
        "track" => Ok(vec![post(config, EVENTS, happening::body(config, &message, false)?)]),
        "screen" => Ok(vec![post(config, EVENTS, happening::body(config, &message, true)?)]),
        "group" => Ok(vec![group(config, &message)?]),
        _ => Err(format!("Klaviyo has nothing for events of the type {kind}")),
    }
}

/// The profile first, so that whoever is subscribed is known by then.
fn identify(config: &Config, message: &Message<'_>) -> Result<Vec<Request>, String> {
    let person = Person::of(message);
    let wish = wish(config, &person);
    let mut object = Object::after(br#"{"data":{"type":"profile""#);
    let mut request = post(config, IMPORT, Vec::new());
    if config.version == Version::V1 {
        // The API of 2023 could only create a profile or update one by its id, which takes an answer to know. The
        // import does both, and is as old as the next version.
        request = request.header("revision", Version::V2.revision());
        profile::attributes_of_2023(config, person, &mut object)?;
    } else {
        if let Some(id) = person.profile {
            object.spelt("id", id);
        }
        let patch = Patch::of(message.integration);
        profile::attributes(config, &person, &patch, &mut object)?;
        patch.write(&person, &mut object);
    }
    object.close();
    request.body = Body::Json(object.end());
    let job = wish.map(|wish| subscription(config, wish));
    Ok([Some(request), job].into_iter().flatten().collect())
}

/// What an identify's `traits.properties` wish for a list: nothing unless they say whether to subscribe, and there
/// is a list and somebody who could be on it. The API of 2023 only ever subscribed.
fn wish(config: &Config, person: &Person<'_>) -> Option<Wish> {
    let wishes = person.wishes.and_then(Members::of)?;
    let subscribe = switch(wishes.get("subscribe"))?;
    let list = said(wishes.get("listId")).map_or_else(|| config.list.clone(), Into::into);
    let channels = wishes.get("consent").and_then(Channels::read).or(config.channels);
    let address = |known| said(person.get(known)).map(Into::into);
    let (email, phone): (Option<String>, Option<String>) = (address(Known::Email), address(Known::Phone));
    let is_possible = !list.is_empty() && (email.is_some() || phone.is_some());
    let is_wish = is_possible && (subscribe || config.version > Version::V1);
    is_wish.then_some(Wish { subscribe, list, channels, email, phone })
}

/// A group is a list, and being in it is being subscribed.
fn group(config: &Config, message: &Message<'_>) -> Result<Request, String> {
    let list = said(message.group_id).ok_or("a group call needs a groupId, the list's id")?;
    let traits = message.traits.and_then(Members::of);
    let of_group = |name: &str| traits.as_ref()?.get(name);
    let subscribe = switch(of_group("subscribe"));
    let subscribe = subscribe.ok_or("a group call needs the trait subscribe, which is true or false")?;
    if !subscribe && config.version == Version::V1 {
        return Err("the API version v1 cannot unsubscribe anybody; choose v2 or v3".to_owned());
    }
    let person = Person::of(message);
    let address = |known| said(person.get(known)).map(Into::into);
    let (email, phone): (Option<String>, Option<String>) = (address(Known::Email), address(Known::Phone));
    if email.is_none() && phone.is_none() {
        return Err("Klaviyo subscribes people by email or phone, and there is neither".to_owned());
    }
    if let Some(phone) = phone.as_deref().filter(|_| config.version > Version::V1) {
        check_phone(phone)?;
    }
    let channels = of_group("consent").and_then(Channels::read).or(config.channels);
    Ok(subscription(config, Wish { subscribe, list: list.into(), channels, email, phone }))
}

fn subscription(config: &Config, wish: Wish) -> Request {
    let url = wish.url();
    post(config, url, wish.job(config).to_string().into_bytes())
}

fn post(config: &Config, url: &str, body: Vec<u8>) -> Request {
    Request { headers: config.headers.clone(), body: Body::Json(body), ..Request::new(Method::Post, url) }
}

/// A switch as events carry it: a boolean, or a text that spells one.
fn switch(value: Option<&RawValue>) -> Option<bool> {
    match said(value)?.trim().to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
