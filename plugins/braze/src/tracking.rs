//! What people do: `POST /users/track` with an event or purchases, and the attributes that come with them.

use crate::attributes::{self, Owned};
use crate::config::Config;
use crate::ecommerce;
use crate::identity::{Who, app_id};
use crate::purchases::{self, Purchase};
use pintle_plugin_sdk::fields::Fields;
use pintle_plugin_sdk::json::Members;
use pintle_plugin_sdk::{Context, Request, times};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// Who the data comes from, as Braze knows partners.
pub(crate) const PARTNER: &str = "RudderStack";

/// Objects of a kind in one request, at most.
pub(crate) const OBJECTS_MAX: usize = 75;

/// Names that an event's properties cannot have: Braze refuses the event for them.
const RESERVED: [&str; 2] = ["time", "event_name"];

/// The body of a request.
#[derive(Serialize)]
struct Tracking<'a> {
    partner: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    attributes: Option<[Owned<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<[Happened<'a>; 1]>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    purchases: &'a [Purchase<'a>],
}

/// An event.
#[derive(Serialize)]
struct Happened<'a> {
    name: &'a str,
    time: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<Properties<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_id: Option<Cow<'a, str>>,
    #[serde(flatten)]
    who: Who<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Properties<'a> {
    Sent(&'a RawValue),
    Tree(Map<String, Value>),
}

/// The requests of a track: an order that is completed makes purchases, anything else an event.
pub(crate) fn requests(
    config: &Config,
    fields: &Fields<'_>,
    context: &Context,
    name: &str,
) -> Result<Vec<Request>, String> {
    if config.ecommerce
        && let Some(kind) = ecommerce::Kind::of(name)
    {
        let properties = Some(Properties::Tree(kind.properties(fields)));
        return happened(config, fields, context, kind.name(), properties);
    }
    if name.trim().eq_ignore_ascii_case("Order Completed") {
        return bought(config, fields, context);
    }
    event(config, fields, context, name)
}

/// The request of an event with its own properties.
pub(crate) fn event(
    config: &Config,
    fields: &Fields<'_>,
    context: &Context,
    name: &str,
) -> Result<Vec<Request>, String> {
    happened(config, fields, context, name, properties(fields)?)
}

fn happened<'a>(
    config: &Config,
    fields: &Fields<'a>,
    context: &Context,
    name: &str,
    properties: Option<Properties<'a>>,
) -> Result<Vec<Request>, String> {
    let who = Who::of(fields)?;
    let time = time(fields, context);
    let event = Happened { name, time: &time, properties, app_id: app_id(fields), who: who.clone() };
    let attributes = attributes::of(config, fields)?.map(|attributes| [attributes.of_user(who)]);
    let tracking = Tracking { partner: PARTNER, attributes, events: Some([event]), purchases: &[] };
    Ok(vec![config.send("users/track", &tracking)?])
}

/// As many requests as the purchases need; the attributes are in the first.
fn bought(config: &Config, fields: &Fields<'_>, context: &Context) -> Result<Vec<Request>, String> {
    let who = Who::of(fields)?;
    let time = time(fields, context);
    let purchases = purchases::of(config, fields, &who, &time)?;
    let mut attributes = attributes::of(config, fields)?.map(|attributes| [attributes.of_user(who.clone())]);
    let pieces = purchases.chunks(OBJECTS_MAX).map(|purchases| {
        let tracking = Tracking { partner: PARTNER, attributes: attributes.take(), events: None, purchases };
        config.send("users/track", &tracking)
    });
    pieces.collect()
}

/// When it happened, as the event writes it.
fn time<'a>(fields: &Fields<'a>, context: &Context) -> Cow<'a, str> {
    let now = || Cow::Owned(times::iso(i64::try_from(context.now_ms).unwrap_or_default()));
    fields.text(&["timestamp", "originalTimestamp"]).unwrap_or_else(now)
}

/// The properties without those that Braze refuses.
fn properties<'a>(fields: &Fields<'a>) -> Result<Option<Properties<'a>>, String> {
    let Some(properties) = fields.get("properties").filter(|value| value.get().starts_with('{')) else {
        return Ok(None);
    };
    let has_reserved =
        Members::of(properties).is_some_and(|members| RESERVED.iter().any(|reserved| members.get(reserved).is_some()));
    if !has_reserved {
        return Ok(Some(Properties::Sent(properties)));
    }
    let mut tree: Map<String, Value> =
        serde_json::from_str(properties.get()).map_err(|error| format!("the event's properties: {error}"))?;
    tree.retain(|name, _| !RESERVED.contains(&name.as_str()));
    Ok(Some(Properties::Tree(tree)))
}
