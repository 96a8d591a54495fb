//! Traits of the user:
//! <https://developers.google.com/analytics/devguides/collection/protocol/ga4/user-properties>.

use crate::names;
use pintle_plugin_sdk::entries::Entries;
use pintle_plugin_sdk::node::Node;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Letters of a name, at most.
const NAME_MAX: usize = 24;
/// Letters of a value, at most; of a longer one nothing is sent, as half of it would be something else.
const VALUE_MAX: usize = 36;

/// Traits that are about the event's session.
const OF_SESSION: [&str; 4] = ["engagementTimeMsec", "engagement_time_msec", "sessionId", "session_id"];

/// The user's traits and the event's own `user_properties`, as far as Google takes them.
pub fn of<'a>(event: &Node<'a>, own: Option<&Node<'a>>, withheld: &BTreeSet<String>) -> Option<Node<'a>> {
    let mut found = Entries::new();
    let traits = event.at("context.traits").map_or(&[][..], Node::members).iter();
    for (name, value) in traits.filter(|(name, _)| !OF_SESSION.contains(&&**name)) {
        add(&mut found, name.clone(), value, withheld);
    }
    for (name, value) in own.map_or(&[][..], Node::members) {
        // As Google itself writes them.
        add(&mut found, name.clone(), value.get("value").unwrap_or(value), withheld);
    }
    (!found.is_empty()).then(|| found.node())
}

fn add<'a>(found: &mut Entries<'a>, name: Cow<'a, str>, value: &Node<'a>, withheld: &BTreeSet<String>) {
    let fits = match value {
        Node::Text(text) => text.chars().count() <= VALUE_MAX,
        Node::Object(_) | Node::List(_) => false,
        _ => true,
    };
    let named = !name.is_empty() && name.chars().count() <= NAME_MAX && !names::is_reserved_user_property(&name);
    if fits && named && !value.is_blank() && !withheld.contains(&*name) {
        found.set(name, Node::Object(vec![(Cow::Borrowed("value"), value.clone())]));
    }
}
