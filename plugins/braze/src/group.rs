//! A group: the user's state in a subscription group, or an attribute that names the group.

use crate::attributes::{Attributes, Owned};
use crate::config::Config;
use crate::identity::{Who, external_id};
use crate::tracking::PARTNER;
use pintle_plugin_sdk::Request;
use pintle_plugin_sdk::fields::Fields;
use serde::{Deserialize, Serialize};

/// What an attribute that names a group begins with. Profiles that exist already have it.
const PREFIX: &str = "ab_rudder_group_";

/// The body of `POST /v2/subscription/status/set`.
#[derive(Default, Deserialize, Serialize)]
pub(crate) struct Subscriptions {
    pub subscription_groups: Vec<Subscription>,
}

/// Users who are to have a state in a subscription group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct Subscription {
    pub subscription_group_id: String,
    pub subscription_state: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub external_ids: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub phones: Vec<String>,
}

pub(crate) fn request(config: &Config, fields: &Fields<'_>) -> Result<Request, String> {
    let group = fields.text(&["groupId"]).ok_or("a group needs a groupId")?;
    if config.subscription_groups {
        return config.send("v2/subscription/status/set", &subscriptions(fields, &group)?);
    }
    #[derive(Serialize)]
    struct Tracking<'a> {
        partner: &'static str,
        attributes: [Owned<'a>; 1],
    }
    let attributes = Attributes::flag(format!("{PREFIX}{group}")).of_user(Who::of(fields)?);
    config.send("users/track", &Tracking { partner: PARTNER, attributes: [attributes] })
}

fn subscriptions(fields: &Fields<'_>, group: &str) -> Result<Subscriptions, String> {
    let state = fields.text(&["traits.subscriptionState", "traits.subscription_state"]);
    let state = state.filter(|state| matches!(state.as_ref(), "subscribed" | "unsubscribed"));
    let state = state.ok_or("the trait `subscriptionState` must be subscribed or unsubscribed")?;
    let one = |found: Option<std::borrow::Cow<'_, str>>| found.map(std::borrow::Cow::into_owned).into_iter().collect();
    let users = Subscription {
        subscription_group_id: group.to_owned(),
        subscription_state: state.into_owned(),
        external_ids: one(external_id(fields)),
        emails: one(fields.text(&["traits.email", "context.traits.email"])),
        phones: one(fields.text(&["traits.phone", "context.traits.phone"])),
    };
    if users.external_ids.is_empty() && users.emails.is_empty() && users.phones.is_empty() {
        return Err("a subscription needs a userId, or an email or phone among the traits".to_owned());
    }
    Ok(Subscriptions { subscription_groups: apart(users) })
}

/// Braze refuses addresses and numbers in one entry.
fn apart(users: Subscription) -> Vec<Subscription> {
    if users.emails.is_empty() || users.phones.is_empty() {
        return vec![users];
    }
    let by_phone = Subscription { external_ids: Vec::new(), emails: Vec::new(), ..users.clone() };
    vec![Subscription { phones: Vec::new(), ..users }, by_phone]
}
