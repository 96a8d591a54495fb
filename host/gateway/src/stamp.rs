//! From a body to frames: what was sent, and what the gateway knows about it.

use crate::rejection::Rejection;
use pintle_events::scan::{self, Event, Limits};
use pintle_events::{Frame, Kind, sanitize};
use std::borrow::Cow;
use uuid::Uuid;

/// Longer message ids do not fit into a frame; such an event gets one of ours, as if it had none.
const MESSAGE_ID_BYTES_MAX: usize = u16::MAX as usize;

/// What all events of a request have in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp<'a> {
    pub(crate) source_id: &'a str,
    pub(crate) request_ip: &'a str,
    pub(crate) received_at_ms: i64,
    /// The type that the path decides. `None` for batches, where events say it themselves.
    pub(crate) kind: Option<Kind>,
}

impl Stamp<'_> {
    /// Hands every event of the body to `push`. When it fails, what was pushed must be forgotten: one bad
    /// event refuses the whole request, as RudderStack's SDKs expect.
    pub(crate) fn events(
        &self,
        body: &str,
        limits: &Limits,
        mut push: impl FnMut(&Frame<'_>),
    ) -> Result<(), Rejection> {
        if self.kind.is_some() {
            return self.event(&scan::event(body, limits)?, &mut push);
        }
        for event in scan::batch(body, limits)? {
            self.event(&event, &mut push)?;
        }
        Ok(())
    }

    fn event(&self, event: &Event<'_>, push: &mut impl FnMut(&Frame<'_>)) -> Result<(), Rejection> {
        let user_id = clean(event.user_id.as_ref());
        let anonymous_id = clean(event.anonymous_id.as_ref());
        let own_type = event.event_type.as_deref();
        // Cleaned because it ends up in text columns and metrics; readers of the event see its own text.
        let event_type = self.kind.map_or_else(|| clean(event.event_type.as_ref()), |kind| kind.as_str().into());
        if user_id.is_empty() && anonymous_id.is_empty() && !may_lack_ids(&event_type) {
            return Err(Rejection::NoIds);
        }
        let own_id = event.message_id.as_deref().unwrap_or_default();
        let mut made = [0; uuid::fmt::Hyphenated::LENGTH];
        let message_id = match clean(event.message_id.as_ref()) {
            id if id.is_empty() || id.len() > MESSAGE_ID_BYTES_MAX => {
                Cow::Borrowed(&*Uuid::new_v4().hyphenated().encode_lower(&mut made))
            }
            id => id,
        };
        push(&Frame {
            source_id: self.source_id,
            received_at_ms: self.received_at_ms,
            request_ip: self.request_ip,
            message_id: &message_id,
            user_id: &user_id,
            anonymous_id: &anonymous_id,
            event_type: &event_type,
            forced_kind: self.kind.filter(|kind| own_type != Some(kind.as_str())),
            message_id_added: message_id != own_id,
            received_at_added: !event.has_received_at,
            request_ip_added: !event.has_request_ip,
            raw: event.raw.as_bytes(),
        });
        Ok(())
    }
}

fn clean<'a>(id: Option<&'a Cow<'_, str>>) -> Cow<'a, str> {
    id.map_or(Cow::Borrowed(""), |id| sanitize::id(id))
}

/// Rows of a warehouse rather than deeds of a user.
fn may_lack_ids(event_type: &str) -> bool {
    matches!(event_type, "record" | "extract")
}

#[cfg(test)]
mod tests;
