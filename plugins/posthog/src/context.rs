//! What an event says about where it happened, as PostHog's own properties.

use crate::message::Message;
use crate::own::Own;
use pintle_plugin_sdk::json::Members;
use pintle_plugin_sdk::object::{Object, filled, spelt};
use pintle_plugin_sdk::user_agent::UserAgent;
use serde_json::value::RawValue;

/// PostHog's name for what stands in a part of the context.
fn named(part: &str, name: &str) -> Option<&'static str> {
    Some(match (part, name) {
        ("app", "build") => "$app_build",
        ("app", "name") => "$app_name",
        ("app", "namespace") => "$app_namespace",
        ("app", "version") => "$app_version",
        ("campaign", "content") => "utm_content",
        ("campaign", "medium") => "utm_medium",
        ("campaign", "name") => "utm_campaign",
        ("campaign", "source") => "utm_source",
        ("campaign", "term") => "utm_term",
        ("device", "id") => "$device_id",
        ("device", "manufacturer") => "$device_manufacturer",
        ("device", "model") => "$device_model",
        ("device", "name") => "$device_name",
        ("library", "name") => "$lib",
        ("library", "version") => "$lib_version",
        ("network", "carrier") => "$network_carrier",
        ("os", "name") => "$os",
        ("os", "version") => "$os_version",
        ("page", "loaded") => "$performance_page_loaded",
        ("page", "path") => "$pathname",
        ("page", "url") => "$current_url",
        ("screen", "density") => "$screen_density",
        ("screen", "height") => "$screen_height",
        ("screen", "width") => "$screen_width",
        _ => return None,
    })
}

/// The context's parts that [`named`] knows.
const PARTS: [&str; 8] = ["app", "campaign", "device", "library", "network", "os", "page", "screen"];

/// Writes PostHog's properties of an event, but those that the user sets.
///
/// Browser, its version and, where the context names none, the system come from the user agent of events from
/// the web: PostHog does not read it itself.
pub(crate) fn write(
    message: &Message<'_>,
    context: Option<&Members<'_>>,
    is_page: bool,
    own: &Own<'_>,
    properties: &mut Object,
) {
    let mut ip = None;
    let mut agent = None;
    let mut system = None;
    let mut url = None;
    let mut path = None;
    let mut put = |name: &str, value: Option<&RawValue>| {
        if let Some(value) = value.filter(|_| own.leaves(name)) {
            properties.raw(name, value.get());
        }
    };
    for (part, value) in context.into_iter().flat_map(Members::iter) {
        match part.as_ref() {
            "ip" => ip = filled(value),
            "locale" => put("$locale", filled(value)),
            "timezone" => put("$timezone", filled(value)),
            "userAgent" => {
                agent = filled(value);
                put("$useragent", agent);
            }
            part if PARTS.contains(&part) => {
                for (name, value) in Members::of(value).iter().flat_map(Members::iter) {
                    let Some(value) = filled(value) else { continue };
                    match named(part, &name) {
                        Some("$os") => system = Some(value),
                        Some("$current_url") => url = Some(value),
                        Some("$pathname") => path = Some(value),
                        Some(name) => put(name, Some(value)),
                        None => {}
                    }
                }
            }
            _ => {}
        }
    }
    // A page call that no browser's SDK sent has no page in its context, but says itself which it is.
    if is_page {
        url = url.or(own.url);
        path = path.or(own.path);
    }
    put("$current_url", url);
    put("$pathname", path);
    put("$os", system);
    put("$ip", message.request_ip.or(ip));
    put("$anon_distinct_id", message.anonymous_id);
    put("$time", message.original_timestamp.or(message.timestamp));
    put("$timestamp", message.time());
    put("$viewport_height", own.viewport_height);
    put("$viewport_width", own.viewport_width);

    let mut put = |name: &str, text: Option<&str>| {
        if let Some(text) = text.filter(|_| own.leaves(name)) {
            properties.text(name, text);
        }
    };
    let is_web = message.channel.and_then(spelt).is_some_and(|channel| channel.eq_ignore_ascii_case("web"));
    if let Some(agent) = agent.filter(|_| is_web).and_then(spelt) {
        let agent = UserAgent::of(&agent);
        put("$browser", agent.browser);
        put("$browser_version", agent.version);
        put("$os", agent.system.filter(|_| system.is_none()));
    }
    put("$host", url.and_then(spelt).and_then(|url| host(&url)).as_deref());
}

/// The host of a URL, with its port unless that is the scheme's own.
fn host(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?.to_ascii_lowercase();
    let port = if scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" };
    let host = host.strip_suffix(port).unwrap_or(&host);
    (!host.is_empty()).then(|| host.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_those_of_urls() {
        for (url, expected) in [
            ("https://Shop.Example.com:443/a?b#c", Some("shop.example.com")),
            ("http://u:p@localhost:8080", Some("localhost:8080")),
            ("/only/a/path", None),
            ("file:///etc", None),
        ] {
            assert_eq!(host(url).as_deref(), expected, "{url}");
        }
    }
}
