//! What every event says about itself:
//! <https://developers.facebook.com/docs/marketing-api/conversions-api/parameters/server-event>.

use crate::config::Config;
use pintle_plugin_sdk::entries::Entries;
use pintle_plugin_sdk::node::Node;
use pintle_plugin_sdk::times::{millis, millis_of};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// How far back an event may lie.
const PAST_MAX_MS: i64 = 7 * DAY_MS;
/// The same for what happened in a shop.
const PAST_MAX_IN_SHOP_MS: i64 = 62 * DAY_MS;
/// How far ahead of us a client's clock may be.
const FUTURE_MAX_MS: i64 = 60_000;

/// Where an event can have happened.
const SOURCES: [&str; 9] = [
    "email",
    "website",
    "app",
    "phone_call",
    "chat",
    "physical_store",
    "system_generated",
    "business_messaging",
    "other",
];

/// Where it happened: the event says it, or the kind of SDK that it comes from.
///
/// # Errors
/// When the event says something that Meta does not know.
pub fn source(event: &Node<'_>, options: Option<&Node<'_>>) -> Result<&'static str, String> {
    let said = event
        .text(&["traits.action_source", "context.traits.action_source", "properties.action_source"])
        .or_else(|| options?.text(&["action_source"]));
    let Some(said) = said else {
        return Ok(match event.text(&["channel"]).as_deref() {
            Some("web") => "website",
            Some("mobile") => "app",
            _ => "other",
        });
    };
    let known = SOURCES.iter().find(|known| ***known == *said).copied();
    known.ok_or_else(|| format!("{said:?} is no action_source of Meta; it knows {}", SOURCES.join(", ")))
}

/// When it happened, in milliseconds.
///
/// # Errors
/// When Meta would refuse it: it is too old, or in the future.
pub fn time(event: &Node<'_>, source: &str, now_ms: u64) -> Result<i64, String> {
    let times = [event.at("timestamp"), event.at("originalTimestamp")];
    let time = times.into_iter().flatten().find_map(|time| match time {
        Node::Text(text) => millis_of(text),
        Node::Number(number) => millis(&number.clone().into()),
        _ => None,
    });
    let time = time.ok_or("the event has no timestamp")?;
    let age = i64::try_from(now_ms).unwrap_or(i64::MAX).saturating_sub(time);
    let (most, days) = if source == "physical_store" { (PAST_MAX_IN_SHOP_MS, 62) } else { (PAST_MAX_MS, 7) };
    if age > most {
        return Err(format!("it is older than {days} days, the most that Meta takes"));
    }
    if age < -FUTURE_MAX_MS {
        return Err("it is in the future".to_owned());
    }
    Ok(time)
}

/// What identifies the event, where it happened, and how its data may be used.
pub fn describe<'a>(config: &Config, event: &'a Node<'_>, server: &mut Entries<'a>) {
    let ids = ["traits.event_id", "context.traits.event_id", "properties.event_id", "messageId"];
    server.set("event_id", event.text(&ids).map(Node::from));
    server.set("event_source_url", event.text(&["context.page.url", "properties.url"]).map(Node::from));
    server.set("opt_out", event.first(&["traits.opt_out", "context.traits.opt_out", "properties.opt_out"]).cloned());
    // [["LDU"], country, state]: <https://developers.facebook.com/docs/marketing-apis/data-processing-options>.
    if config.limits_data_use
        && let [options, place @ ..] = event.at("context.dataProcessingOptions").map_or(&[][..], Node::items)
    {
        server.set("data_processing_options", options.clone());
        for (name, value) in ["data_processing_options_country", "data_processing_options_state"].into_iter().zip(place)
        {
            server.set(name, value.clone());
        }
    }
}
