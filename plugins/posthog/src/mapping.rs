//! What becomes of an event.

use crate::config::Config;
use crate::context;
use crate::message::Message;
use crate::own::Own;
use pintle_plugin_sdk::json::Members;
use pintle_plugin_sdk::object::{Object, inside, spelt};
use pintle_plugin_sdk::{Body, Event, Method, Request};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The request that carries an event alone. It is complete as it is; [`crate::combine`] merges many.
///
/// # Errors
/// Why there is none.
pub fn request(config: &Config, event: &Event<'_>) -> Result<Request, String> {
    let message = Message::of(event.raw()).ok_or("the event is not a JSON object")?;
    let call = Call::of(&message, config)?;
    let who = message.user_id.and_then(spelt).or_else(|| message.anonymous_id.and_then(spelt));
    let who = who.ok_or("PostHog needs a distinct_id: the event has neither a userId nor an anonymousId")?;

    let mut body = Object::after(&config.head);
    body.text("type", call.kind());
    body.text("event", &call.event(&message)?);
    // An alias names both ids among its properties, as PostHog's documentation has it.
    if call != Call::Alias {
        body.text("distinct_id", &who);
    }
    for (name, value) in [("messageId", message.message_id), ("timestamp", message.time())] {
        if let Some(value) = value {
            body.raw(name, value.get());
        }
    }
    let context = message.context.and_then(Members::of);
    let context_traits = context.as_ref().and_then(|context| context.get("traits"));
    body.open("properties");
    properties(call, &message, context.as_ref(), context_traits, &who, &mut body)?;
    body.close();
    match call {
        Call::Identify => set(message.traits, context_traits, &mut body),
        Call::PlainGroup => {
            body.raw("groupId", group_id(&message)?.get());
            if let Some(traits) = message.traits {
                body.raw("traits", traits.get());
            }
        }
        _ => {}
    }

    Ok(Request {
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: Body::Json(body.end()),
        ..Request::new(Method::Post, &config.url)
    })
}

/// What PostHog is told, by the event's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Identify,
    Capture,
    Page,
    Screen,
    Alias,
    /// One of group analytics.
    Group,
    /// An event like any other, which names a group.
    PlainGroup,
}

impl Call {
    fn of(message: &Message<'_>, config: &Config) -> Result<Call, String> {
        let kind = message.kind.and_then(spelt).ok_or("the event has no type")?;
        Ok(match kind.to_ascii_lowercase().as_str() {
            "identify" => Call::Identify,
            "track" => Call::Capture,
            "page" => Call::Page,
            "screen" => Call::Screen,
            "alias" => Call::Alias,
            "group" if config.group_analytics => Call::Group,
            "group" => Call::PlainGroup,
            _ => return Err(format!("PostHog has nothing for events of the type {kind}")),
        })
    }

    fn kind(self) -> &'static str {
        match self {
            Call::Identify => "identify",
            Call::Capture => "capture",
            Call::Page => "page",
            Call::Screen => "screen",
            Call::Alias => "alias",
            Call::Group | Call::PlainGroup => "group",
        }
    }

    /// PostHog's own names start with `$`; a track call's name is the user's.
    fn event<'a>(self, message: &Message<'a>) -> Result<Cow<'a, str>, &'static str> {
        Ok(Cow::Borrowed(match self {
            Call::Identify => "$identify",
            Call::Capture => return message.event.and_then(spelt).ok_or("a track call needs an event name"),
            Call::Page => "$pageview",
            Call::Screen => "$screen",
            Call::Alias => "$create_alias",
            Call::Group => "$groupidentify",
            Call::PlainGroup => "$group",
        }))
    }
}

/// The `properties` of an event: PostHog's own, the call's, and the user's, who wins.
fn properties(
    call: Call,
    message: &Message<'_>,
    context: Option<&Members<'_>>,
    context_traits: Option<&RawValue>,
    who: &str,
    properties: &mut Object,
) -> Result<(), String> {
    let is_capture = matches!(call, Call::Capture | Call::Page | Call::Screen);
    let own = Own::of(message.properties.filter(|_| is_capture));
    // An identify's traits stand beside its properties, and a group's are not the person's.
    if call != Call::Identify && own.leaves("$set") {
        set(context_traits, message.traits.filter(|_| is_capture), properties);
    }
    if own.leaves("distinct_id") {
        properties.text("distinct_id", who);
    }
    context::write(message, context, call == Call::Page, &own, properties);
    match call {
        Call::Screen if own.leaves("$screen_name") => {
            if let Some(name) = message.name.or(own.name).or(message.event) {
                properties.raw("$screen_name", name.get());
            }
        }
        Call::Alias => {
            let previous = message.previous_id.and_then(spelt).ok_or("an alias needs a previousId")?;
            properties.text("alias", &previous);
        }
        Call::Group => group(message, properties)?,
        _ => {}
    }
    if let Some(members) = own.members {
        properties.members(members);
    }
    Ok(())
}

/// The person's properties: the first traits that say something.
fn set(first: Option<&RawValue>, second: Option<&RawValue>, object: &mut Object) {
    let is_object = |value: &&RawValue| value.get().starts_with('{');
    let mut traits = [first, second].into_iter().flatten().filter(is_object);
    let empty = traits.clone().next();
    if let Some(traits) = traits.find(|value| inside(value).is_some()).or(empty) {
        object.raw("$set", traits.get());
    }
}

/// What group analytics reads. `$groups` says that the event itself belongs to the group as well.
fn group(message: &Message<'_>, properties: &mut Object) -> Result<(), String> {
    const KIND: &str = "groupType";
    let key = group_id(message)?;
    let traits = message.traits.and_then(Members::of);
    let kind = traits.as_ref().and_then(|traits| traits.get(KIND)).and_then(spelt).filter(|kind| !kind.is_empty());
    let kind = kind.ok_or("PostHog needs to know what kind of group it is: set the trait groupType")?;
    properties.text("$group_type", &kind);
    properties.raw("$group_key", key.get());
    properties.open("$group_set");
    for (name, value) in traits.iter().flat_map(Members::iter).filter(|(name, _)| name != KIND) {
        properties.raw(&name, value.get());
    }
    properties.close();
    properties.open("$groups");
    properties.raw(&kind, key.get());
    properties.close();
    Ok(())
}

fn group_id<'a>(message: &Message<'a>) -> Result<&'a RawValue, &'static str> {
    message.group_id.ok_or("a group call needs a groupId")
}

#[cfg(test)]
mod tests;
