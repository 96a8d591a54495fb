//! What becomes of an event.

use crate::config::{Channel, Config};
use crate::person;
use crate::template::{Scope, Writer};
use pintle_plugin_sdk::node::{Node, write_text};
use pintle_plugin_sdk::{Body, Event, Method, Outcome, Reject, Request};
use std::borrow::Cow;

/// The message about an event, if one is due.
///
/// # Errors
/// Why there can be none.
pub fn outcome(config: &Config, event: &Event<'_>) -> Result<Outcome, Reject> {
    let tree = Node::of(event.raw()).map_err(|error| format!("the event cannot be read: {error}"))?;
    match event_type(&tree)?.as_ref() {
        "identify" => identify(config, &tree),
        "track" => track(config, &tree),
        other => Err(format!("Slack is told of identify and track events, and not of {other}").into()),
    }
}

fn event_type<'n>(event: &'n Node<'_>) -> Result<Cow<'n, str>, Reject> {
    let Some(Node::Text(kind)) = event.at("type") else { return Err("the event has no type".into()) };
    Ok(if kind.bytes().any(|c| c.is_ascii_uppercase()) {
        kind.to_ascii_lowercase().into()
    } else {
        kind.as_ref().into()
    })
}

fn identify(config: &Config, event: &Node<'_>) -> Result<Outcome, Reject> {
    let traits = person::traits(event);
    let name = Node::Text(person::name(event, traits));
    let mut text = Writer::default();
    match &config.identify {
        Some(template) => {
            let allowed = allowed(config, traits);
            template.write(&scope(event, traits, &allowed, &name, None), &mut text);
        }
        None => {
            text.write("Identified ");
            text.escaped(&name);
            listed(config, traits, &mut text);
        }
    }
    Ok(request(config, None, &text.end())?.into())
}

fn track(config: &Config, event: &Node<'_>) -> Result<Outcome, Reject> {
    let event_name = event.text(&["event"]).ok_or("the track event has no name in `event`")?;
    let event_name = event_name.trim();
    if config.denied_events.iter().any(|denied| denied == event_name) {
        return Ok(Outcome::filter("the event is on the list of events that are not told"));
    }
    let traits = person::traits(event);
    let name = Node::Text(person::name(event, traits));
    let event_node = Node::Text(Cow::Borrowed(event_name));
    let allowed = allowed(config, traits);
    let template = config.events.first(event_name).unwrap_or(&config.event);
    let mut text = Writer::default();
    template.write(&scope(event, traits, &allowed, &name, Some(&event_node)), &mut text);
    Ok(request(config, config.channels.first(event_name), &text.end())?.into())
}

/// The allow-listed traits; nothing when all are allowed.
fn allowed<'a>(config: &Config, traits: Option<&Node<'a>>) -> Option<Node<'a>> {
    let Some(Node::Object(members)) = traits.filter(|_| !config.allowed_traits.is_empty()) else { return None };
    let is_allowed = |name: &str| config.allowed_traits.iter().any(|allowed| allowed == name);
    Some(Node::Object(members.iter().filter(|(name, _)| is_allowed(name)).cloned().collect()))
}

/// What templates can name, the first ones first: traits by their own names, then the fields of the event.
fn scope<'n, 'a>(
    event: &'n Node<'a>,
    traits: Option<&'n Node<'a>>,
    allowed: &'n Option<Node<'a>>,
    name: &'n Node<'a>,
    event_name: Option<&'n Node<'a>>,
) -> Scope<'n, 'a> {
    let properties = event.at("properties");
    let named = [
        ("name", Some(name)),
        ("event", event_name),
        ("traits", allowed.as_ref().or(traits)),
        ("traitsList", traits),
        ("properties", properties),
        ("propertiesList", properties),
    ];
    let named = named.into_iter().filter_map(|(name, node)| Some((name, node?))).collect();
    Scope { named, objects: traits.into_iter().chain([event]).collect() }
}

/// `key: value ` of each trait that is allowed, in the order of the allow list if there is one.
fn listed(config: &Config, traits: Option<&Node<'_>>, text: &mut Writer) {
    let Some(traits) = traits else { return };
    if config.allowed_traits.is_empty() {
        text.escaped(traits);
    }
    for name in &config.allowed_traits {
        // Not by path: a trait's name may have dots.
        if let Some(value) = traits.get(name) {
            text.member(name, value);
        }
    }
}

/// <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>: a webhook takes a JSON document, or
/// a form whose field `payload` is one. A message without a text it would refuse (`no_text`).
fn request(config: &Config, channel: Option<&Channel>, text: &str) -> Result<Request, Reject> {
    if text.trim().is_empty() {
        return Err("the template makes an empty message of the event".into());
    }
    let mut payload = String::with_capacity(text.len() + 160);
    let mut member = |name: &str, value: &str| {
        payload.push(if payload.is_empty() { '{' } else { ',' });
        write_text(name, &mut payload);
        payload.push(':');
        write_text(value, &mut payload);
    };
    if let Some(Channel::Named(channel)) = channel {
        member("channel", channel);
    }
    member("text", text);
    let own_webhook = match channel {
        Some(Channel::Webhook(url)) => Some(url),
        _ => None,
    };
    // A modern webhook has its name and icon from its app.
    if own_webhook.is_none() {
        member("username", &config.username);
        member("icon_url", &config.icon_url);
    }
    payload.push('}');
    let mut request = Request::new(Method::Post, own_webhook.unwrap_or(&config.url));
    request.body = Body::Form(vec![("payload".to_owned(), payload)]);
    Ok(request)
}
