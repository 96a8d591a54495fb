//! An event's members, each looked at once.

use pintle_plugin_sdk::json::Members;
use pintle_plugin_sdk::object::filled;
use serde_json::value::RawValue;

/// What a mapping needs of an event, as it was sent. `null` and the empty text count as absent.
#[derive(Debug, Default)]
pub(crate) struct Message<'a> {
    pub kind: Option<&'a RawValue>,
    pub event: Option<&'a RawValue>,
    pub name: Option<&'a RawValue>,
    pub channel: Option<&'a RawValue>,
    pub user_id: Option<&'a RawValue>,
    pub anonymous_id: Option<&'a RawValue>,
    pub previous_id: Option<&'a RawValue>,
    pub group_id: Option<&'a RawValue>,
    pub message_id: Option<&'a RawValue>,
    pub timestamp: Option<&'a RawValue>,
    pub original_timestamp: Option<&'a RawValue>,
    pub request_ip: Option<&'a RawValue>,
    pub context: Option<&'a RawValue>,
    pub traits: Option<&'a RawValue>,
    pub properties: Option<&'a RawValue>,
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
                "channel" => &mut message.channel,
                "userId" => &mut message.user_id,
                "anonymousId" => &mut message.anonymous_id,
                "previousId" => &mut message.previous_id,
                "groupId" => &mut message.group_id,
                "messageId" => &mut message.message_id,
                "timestamp" => &mut message.timestamp,
                "originalTimestamp" => &mut message.original_timestamp,
                "request_ip" => &mut message.request_ip,
                "context" => &mut message.context,
                "traits" => &mut message.traits,
                "properties" => &mut message.properties,
                _ => continue,
            };
            *member = filled(value);
        }
        Some(message)
    }

    /// When it happened.
    pub fn time(&self) -> Option<&'a RawValue> {
        self.timestamp.or(self.original_timestamp)
    }
}
