//! Who did it, in which session, and with whose leave.

use crate::config::Client;
use pintle_plugin_sdk::entries::Entries;
use pintle_plugin_sdk::node::Node;
use std::borrow::Cow;

/// What events call this destination in their `integrations`.
const INTEGRATION: [&str; 3] = ["Google Analytics 4 (GA4)", "Google Analytics 4", "GA4"];

/// The options that an event carries for this destination.
pub fn options<'n, 'a>(event: &'n Node<'a>) -> Option<&'n Node<'a>> {
    let all = event.get("integrations")?.members().iter();
    let ours = |name: &str| INTEGRATION.iter().any(|ours| name.eq_ignore_ascii_case(ours));
    all.filter(|(name, options)| ours(name) && matches!(options, Node::Object(_))).map(|(_, options)| options).next()
}

/// The member of the request that says which browser or installation it was, and its value.
///
/// # Errors
/// When the event does not say: Google requires it.
pub fn instance<'n>(
    client: Client,
    event: &'n Node<'_>,
    options: Option<&'n Node<'_>>,
) -> Result<(&'static str, Cow<'n, str>), &'static str> {
    match client {
        Client::Gtag => {
            let of_tag = options.and_then(|options| options.text(&["clientId"]));
            let id = of_tag
                .or_else(|| external_id(event, "ga4ClientId"))
                .or_else(|| event.text(&["anonymousId", "rudderId"]))
                .ok_or("there is no client id: an external id ga4ClientId, or an anonymousId")?;
            Ok(("client_id", id))
        }
        Client::Firebase => {
            let id = external_id(event, "ga4AppInstanceId").ok_or("there is no external id ga4AppInstanceId")?;
            Ok(("app_instance_id", id))
        }
    }
}

fn external_id<'n>(event: &'n Node<'_>, kind: &str) -> Option<Cow<'n, str>> {
    let ids = event.at("context.externalId")?.items().iter();
    ids.filter(|id| id.text(&["type"]).as_deref() == Some(kind)).find_map(|id| id.text(&["id"]))
}

/// The user, where the event names one.
pub fn user<'n>(event: &'n Node<'_>, is_group: bool) -> Option<Cow<'n, str>> {
    // A group's traits describe the group.
    let own: &[&str] = if is_group { &["userId"] } else { &["userId", "traits.userId", "traits.id"] };
    event.text(own).or_else(|| event.text(&["context.traits.userId", "context.traits.id"]))
}

/// `engagement_time_msec`, `session_id` and `session_number`, without which reports show no user activity:
/// <https://developers.google.com/analytics/devguides/collection/protocol/ga4/sending-events#recommended_parameters_for_reports>.
///
/// `own` are the event's properties, or a group's traits.
pub fn session<'a>(
    event: &Node<'a>,
    own: &Node<'a>,
    options: Option<&Node<'a>>,
) -> [(&'static str, Option<Node<'a>>); 3] {
    let first = |from: Option<&Node<'a>>, names: &[&str]| {
        names.iter().find_map(|name| from?.get(name).filter(|value| value.truthy())).cloned()
    };
    let traits = event.at("context.traits");

    let engaged = ["engagementTimeMsec", "engagement_time_msec"];
    let time = first(event.get("traits"), &engaged)
        .or_else(|| first(Some(own), &engaged))
        .or_else(|| first(traits, &engaged))
        .unwrap_or_else(|| Node::from(1_i64));

    let ids = ["sessionId", "session_id"];
    let id = first(Some(own), &ids)
        .or_else(|| first(traits, &ids))
        .or_else(|| first(options, &["sessionId"]))
        .or_else(|| first(event.get("context"), &["sessionId"]));
    let number = first(Some(own), &["sessionNumber", "session_number"]);
    let number = number.or_else(|| first(options, &["sessionNumber"]));
    [("engagement_time_msec", Some(time)), ("session_id", id), ("session_number", number)]
}

/// What the user allows: <https://developers.google.com/analytics/devguides/collection/protocol/ga4/reference#payload_consent>.
pub fn consent(options: Option<&Node<'_>>) -> Option<Node<'static>> {
    let given = options?.get("consents")?;
    let mut consent = Entries::new();
    for name in ["ad_user_data", "ad_personalization"] {
        let value = given.text(&[name]).map(|value| value.to_ascii_uppercase());
        consent.set(name, value.filter(|value| matches!(value.as_str(), "GRANTED" | "DENIED")).map(Node::from));
    }
    (!consent.is_empty()).then(|| consent.node())
}
