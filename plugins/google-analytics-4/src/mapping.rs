//! What becomes of an event.

use crate::config::Config;
use crate::{identity, names, parameters, rules, user_properties};
use pintle_plugin_sdk::entries::Entries;
use pintle_plugin_sdk::node::Node;
use pintle_plugin_sdk::times::{millis, millis_of};
use pintle_plugin_sdk::{Body, Method, Request};
use std::borrow::Cow;

/// How far back an event may lie:
/// <https://developers.google.com/analytics/devguides/collection/protocol/ga4/sending-events#override_timestamp>.
const PAST_MAX_MS: i64 = 72 * 60 * 60 * 1000;
/// How far ahead of us a client's clock may be.
const FUTURE_MAX_MS: i64 = 15 * 60 * 1000;

/// A name for Google, and parameters that go with it.
type Named<'a> = (Cow<'a, str>, Entries<'a>);

/// The request that carries an event.
///
/// # Errors
/// Why there is none.
pub fn request(config: &Config, mut event: Node<'_>, now_ms: u64) -> Result<Request, String> {
    let kind = event.text(&["type"]).ok_or("the event has no type")?.to_ascii_lowercase();
    let mut own = properties(&mut event, &kind);
    let user_properties = own.take("user_properties");
    let event = &event;
    let options = identity::options(event);
    let session = identity::session(event, &own, options);
    let (name, mut parameters) = match kind.as_str() {
        "track" => track(event, own)?,
        "page" if config.hybrid => return Err("in hybrid mode page calls are sent by the browser".to_owned()),
        "page" => page(event, own),
        "group" => group(event, own),
        _ => return Err(format!("Google Analytics takes no {kind} events")),
    };
    for (name, value) in session {
        parameters.set(name, value);
    }

    let mut body = Entries::new();
    let (member, id) = identity::instance(config.client, event, options)?;
    body.set(member, Node::from(id));
    body.set("user_id", identity::user(event, kind == "group").map(Node::from));
    body.set("timestamp_micros", timestamp_micros(event, now_ms)?.map(Node::from));
    body.set("non_personalized_ads", tracked(event).map(|tracked| Node::from(!tracked)));
    body.set("consent", identity::consent(options));
    body.set("user_properties", user_properties::of(event, user_properties.as_ref(), &config.withheld));
    let mut sent = Entries::new();
    sent.set("name", Node::from(name));
    sent.set("params", parameters.node());
    body.set("events", Node::List(vec![sent.node()]));

    let body = Body::Json(body.node().json().into_bytes());
    Ok(Request { query: config.query.clone(), body, ..Request::new(Method::Post, config.url) })
}

/// What an event says about itself; of a group, its traits.
fn properties<'a>(event: &mut Node<'a>, kind: &str) -> Node<'a> {
    let mut object = |name| match event.take(name) {
        Some(Node::Object(members)) => members,
        _ => Vec::new(),
    };
    let mut properties = object("properties");
    if kind == "group" {
        properties.extend(object("traits"));
    }
    Node::Object(properties)
}

fn track<'a>(event: &'a Node<'_>, mut properties: Node<'a>) -> Result<Named<'a>, String> {
    let name = match event.at("event").ok_or("the event has no name")? {
        Node::Text(name) => name.trim(),
        _ => return Err("the event's name is no text".to_owned()),
    };
    if name.is_empty() {
        return Err("the event has no name".to_owned());
    }
    let key = names::key(name);
    let known = rules::of(names::renamed(&key).unwrap_or(&key));
    let rule = known.unwrap_or(&rules::CUSTOM);
    let sent = if known.is_some() { rule.name.into() } else { names::custom(name)? };
    let campaign = if rule.name == "campaign_details" { properties.take("campaign") } else { None };
    let mut parameters = parameters::of(rule, properties)?;
    match rule.name {
        "campaign_details" => of_campaign(event, campaign.as_ref(), &mut parameters),
        "login" | "sign_up" => parameters.set("method", event.at("traits.method").cloned()),
        _ => {}
    }
    Ok((sent, parameters))
}

/// The campaign that an event was seen in, under the names that Google has for it.
fn of_campaign<'a>(event: &Node<'a>, own: Option<&Node<'a>>, parameters: &mut Entries<'a>) {
    const NAMES: [(&str, &str); 6] = [
        ("id", "campaign_id"),
        ("name", "campaign"),
        ("source", "source"),
        ("medium", "medium"),
        ("term", "term"),
        ("content", "content"),
    ];
    let seen = event.at("context.campaign");
    for (name, parameter) in NAMES {
        let value = seen.and_then(|seen| seen.at(name)).or_else(|| own?.at(name));
        parameters::place(parameters, parameter.into(), value.cloned().unwrap_or(Node::Null));
    }
}

fn page<'a>(event: &Node<'a>, properties: Node<'a>) -> Named<'a> {
    const PAGE: [(&str, &str, &str); 3] = [
        ("page_title", "context.page.title", "title"),
        ("page_referrer", "context.page.referrer", "referrer"),
        ("page_location", "context.page.url", "url"),
    ];
    let mut parameters = Entries::new();
    for (parameter, seen, own) in PAGE {
        let value = event.at(seen).or_else(|| properties.at(own)).cloned();
        parameters::place(&mut parameters, parameter.into(), value.unwrap_or(Node::Null));
    }
    customs(&mut parameters, properties);
    ("page_view".into(), parameters)
}

fn group<'a>(event: &Node<'a>, own: Node<'a>) -> Named<'a> {
    let mut parameters = Entries::new();
    customs(&mut parameters, own);
    parameters.set("group_id", event.at("groupId").filter(|id| !id.is_blank()).cloned());
    ("join_group".into(), parameters)
}

fn customs<'a>(parameters: &mut Entries<'a>, properties: Node<'a>) {
    if let Node::Object(properties) = properties {
        for (name, value) in properties {
            parameters::custom(parameters, name, value);
        }
    }
}

/// When it happened; nothing when the event does not say, which means now.
fn timestamp_micros(event: &Node<'_>, now_ms: u64) -> Result<Option<i64>, String> {
    let times = [event.at("timestamp"), event.at("originalTimestamp")];
    let found = times.into_iter().flatten().find_map(|time| match time {
        Node::Text(text) => millis_of(text),
        Node::Number(number) => millis(&number.clone().into()),
        _ => None,
    });
    let Some(time) = found else { return Ok(None) };
    let age = i64::try_from(now_ms).unwrap_or(i64::MAX).saturating_sub(time);
    if age > PAST_MAX_MS {
        return Err("it is older than 72 hours, the most that Google Analytics takes".to_owned());
    }
    if age < -FUTURE_MAX_MS {
        return Err("it is more than 15 minutes in the future".to_owned());
    }
    Ok(Some(time.saturating_mul(1000)))
}

/// Whether the device may be tracked for advertisements.
fn tracked(event: &Node<'_>) -> Option<bool> {
    match event.at("context.device.adTrackingEnabled")? {
        Node::Bool(enabled) => Some(*enabled),
        Node::Text(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Node::Text(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
