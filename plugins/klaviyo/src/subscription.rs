//! Subscribing people to a list, and unsubscribing them.

use crate::config::{Config, Version};
use pintle_plugin_sdk::tree::put;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

/// Where people are subscribed.
pub(crate) const CREATE: &str = "https://a.klaviyo.com/api/profile-subscription-bulk-create-jobs";
/// Where people are unsubscribed.
pub(crate) const DELETE: &str = "https://a.klaviyo.com/api/profile-subscription-bulk-delete-jobs";

/// What people can be subscribed to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Channels {
    /// Emails.
    pub email: bool,
    /// Text messages.
    pub sms: bool,
}

impl Channels {
    /// Reads the consent of an event.
    pub(crate) fn read(consent: &RawValue) -> Option<Channels> {
        Channels::of(&serde_json::from_str(consent.get()).ok()?)
    }

    /// Reads a consent: a channel or a list of channels. Others than the two are Klaviyo's past, and ignored.
    /// Nothing when it names none at all.
    #[must_use]
    pub fn of(consent: &Value) -> Option<Channels> {
        let mut channels = Channels::default();
        let given = match consent {
            Value::Array(given) => given.as_slice(),
            one => std::slice::from_ref(one),
        };
        let given = given.iter().filter_map(|one| one.as_str().or_else(|| one.get("consent")?.as_str()));
        for name in given {
            channels.email |= name.trim().eq_ignore_ascii_case("email");
            channels.sms |= name.trim().eq_ignore_ascii_case("sms");
        }
        (channels != Channels::default()).then_some(channels)
    }

    fn names(self) -> impl Iterator<Item = &'static str> {
        [("email", self.email), ("sms", self.sms)].into_iter().filter_map(|(name, is_on)| is_on.then_some(name))
    }
}

/// A wish to be, or no longer to be, on a list.
#[derive(Debug)]
pub(crate) struct Wish {
    /// Whether it is to be.
    pub subscribe: bool,
    /// Which list.
    pub list: String,
    /// For what, if anybody said.
    pub channels: Option<Channels>,
    /// Who, by at least one of the two.
    pub email: Option<String>,
    /// See above.
    pub phone: Option<String>,
}

impl Wish {
    /// Where it goes.
    pub fn url(&self) -> &'static str {
        if self.subscribe { CREATE } else { DELETE }
    }

    /// The job for this one person.
    pub fn job(self, config: &Config) -> Value {
        let channels = self.reachable();
        let mut person = Map::new();
        put(&mut person, "email", self.email.map(Value::from));
        put(&mut person, "phone_number", self.phone.map(Value::from));
        let kind = if self.subscribe {
            "profile-subscription-bulk-create-job"
        } else {
            "profile-subscription-bulk-delete-job"
        };
        if config.version == Version::V1 {
            for channel in channels.names() {
                put(&mut person, &format!("channels.{channel}"), json!(["MARKETING"]));
            }
            let attributes = json!({"list_id": self.list, "subscriptions": [person]});
            return json!({"data": {"type": kind, "attributes": attributes}});
        }
        // A job that unsubscribes is for every channel until it may name them.
        if self.subscribe || config.version >= Version::V3 {
            let consent = if self.subscribe { "SUBSCRIBED" } else { "UNSUBSCRIBED" };
            for channel in channels.names() {
                put(&mut person, &format!("subscriptions.{channel}.marketing.consent"), json!(consent));
            }
        }
        json!({"data": {
            "type": kind,
            "attributes": {"profiles": {"data": [{"type": "profile", "attributes": person}]}},
            "relationships": {"list": {"data": {"type": "list", "id": self.list}}},
        }})
    }

    /// Klaviyo refuses a job that names a channel by which a person cannot be reached.
    fn reachable(&self) -> Channels {
        let channels = self.channels.unwrap_or_default();
        Channels { email: channels.email && self.email.is_some(), sms: channels.sms && self.phone.is_some() }
    }
}
