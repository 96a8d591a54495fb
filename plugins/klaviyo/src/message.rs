//! An event's members, each looked at once.

use pintle_plugin_sdk::json::Members;
use pintle_plugin_sdk::object::{filled, spelt};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// What a mapping needs of an event, as it was sent. `null` and the empty text count as absent.
#[derive(Debug, Default)]
pub(crate) struct Message<'a> {
    pub kind: Option<&'a RawValue>,
    pub event: Option<&'a RawValue>,
    pub name: Option<&'a RawValue>,
    pub user_id: Option<&'a RawValue>,
    pub anonymous_id: Option<&'a RawValue>,
    pub group_id: Option<&'a RawValue>,
    pub message_id: Option<&'a RawValue>,
    pub timestamp: Option<&'a RawValue>,
    pub original_timestamp: Option<&'a RawValue>,
    pub traits: Option<&'a RawValue>,
    pub properties: Option<&'a RawValue>,
    /// `context.traits`.
    pub context_traits: Option<&'a RawValue>,
    /// `context.externalId`.
    pub external_ids: Option<&'a RawValue>,
    /// `context.mappedToDestination`.
    pub mapped: Option<&'a RawValue>,
    /// What the event says to this destination alone.
    pub integration: Option<&'a RawValue>,
}

impl<'a> Message<'a> {
    /// Takes an event apart; nothing if it is no object.
    pub fn of(event: &'a RawValue) -> Option<Message<'a>> {
        let mut message = Message::default();
        for (name, value) in Members::of(event)?.iter() {
            let member = match name.as_ref() {
                "type" => &mut message.kind,
                "event" => &mut message.event,
                "name" => &mut message.name,
                "userId" => &mut message.user_id,
                "anonymousId" => &mut message.anonymous_id,
                "groupId" => &mut message.group_id,
                "messageId" => &mut message.message_id,
                "timestamp" => &mut message.timestamp,
                "originalTimestamp" => &mut message.original_timestamp,
                "traits" => &mut message.traits,
                "properties" => &mut message.properties,
                "context" => {
                    message.look_into_context(value);
                    continue;
                }
                "integrations" => {
                    let all = Members::of(value);
                    let mut own = all.iter().flat_map(Members::iter);
                    message.integration =
                        own.find(|(name, _)| name.eq_ignore_ascii_case("klaviyo")).map(|(_, own)| own);
                    continue;
                }
                _ => continue,
            };
            *member = filled(value);
        }
        Some(message)
    }

    fn look_into_context(&mut self, context: &'a RawValue) {
        for (name, value) in Members::of(context).iter().flat_map(Members::iter) {
            match name.as_ref() {
                "traits" => self.context_traits = filled(value),
                "externalId" => self.external_ids = filled(value),
                "mappedToDestination" => self.mapped = filled(value),
                _ => {}
            }
        }
    }
}

/// A text, or a number or boolean as it is spelt, if it is not blank.
pub(crate) fn said(value: Option<&RawValue>) -> Option<Cow<'_, str>> {
    spelt(value?).filter(|text| !text.trim().is_empty())
}
