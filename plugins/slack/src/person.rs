//! What a message calls the user.

use pintle_plugin_sdk::node::Node;
use std::borrow::Cow;

/// The user's traits: those of the event itself, or else those of its context.
pub fn traits<'n, 'a>(event: &'n Node<'a>) -> Option<&'n Node<'a>> {
    let filled =
        |path: &str| event.at(path).filter(|node| matches!(node, Node::Object(members) if !members.is_empty()));
    filled("traits").or_else(|| filled("context.traits"))
}

/// A name for the user: of what is known, the most personal.
pub fn name<'n>(event: &'n Node<'_>, traits: Option<&'n Node<'_>>) -> Cow<'n, str> {
    let of_traits = |name: &str| traits.and_then(|traits| traits.text(&[name]));
    let full_name = || {
        let parts = [of_traits("firstName"), of_traits("lastName")];
        let name = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
        (!name.is_empty()).then_some(Cow::Owned(name))
    };
    let known_as = |path: &str, before: &str| event.text(&[path]).map(|id| Cow::Owned(format!("{before} {id}")));
    of_traits("name")
        .or_else(full_name)
        .or_else(|| of_traits("username"))
        .or_else(|| event.text(&["properties.email"]))
        .or_else(|| of_traits("email"))
        .or_else(|| known_as("userId", "User"))
        .or_else(|| known_as("anonymousId", "Anonymous user"))
        .unwrap_or(Cow::Borrowed("Somebody"))
}
