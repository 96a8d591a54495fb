//! From a body to frames: what was sent, and what the gateway knows about it.

use crate::rejection::Rejection;
use pintle_events::kind::may_lack_ids;
use pintle_events::scan::{self, Event, Flaw, Limits};
use pintle_events::{Frame, Kind, Times, sanitize};
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
    pub(crate) event_bytes_max: usize,
}

/// An event that is not taken, while its neighbours may be.
#[derive(Debug)]
pub(crate) struct Refused<'a> {
    pub(crate) why: Rejection,
    pub(crate) raw: &'a str,
    pub(crate) message_id: String,
    pub(crate) event_type: String,
}

impl Stamp<'_> {
    /// Hands every event of the body to `push`; gives those that are not taken.
    pub(crate) fn events<'b>(
        &self,
        body: &'b str,
        limits: &Limits,
        mut push: impl FnMut(&Frame<'_>),
    ) -> Result<Vec<Refused<'b>>, Rejection> {
        let mut refused = Vec::new();
        if self.kind.is_some() {
            refused.extend(self.event(&scan::event(body, limits)?, &mut push));
            return Ok(refused);
        }
        for element in scan::batch(body, limits)? {
            match element {
                Ok(event) => refused.extend(self.event(&event, &mut push)),
                Err(unfit) => {
                    let why = match unfit.flaw {
                        Flaw::NotAnObject => Rejection::NotAnEvent,
                        Flaw::TooDeep => Rejection::TooDeep,
                    };
                    let (message_id, event_type) = (String::new(), String::new());
                    refused.push(Refused { why, raw: unfit.raw, message_id, event_type });
                }
            }
        }
        Ok(refused)
    }

    fn event<'b>(&self, event: &Event<'b>, push: &mut impl FnMut(&Frame<'_>)) -> Option<Refused<'b>> {
        let user_id = clean(event.user_id.as_ref());
        let anonymous_id = clean(event.anonymous_id.as_ref());
        let own_type = event.event_type.as_deref();
        // Cleaned because it ends up in text columns and metrics; readers of the event see its own text.
        let event_type = self.kind.map_or_else(|| clean(event.event_type.as_ref()), |kind| kind.as_str().into());
        let refused = |why| {
            let message_id = clean(event.message_id.as_ref()).into_owned();
            Some(Refused { why, raw: event.raw, message_id, event_type: event_type.clone().into_owned() })
        };
        if event.raw.len() > self.event_bytes_max {
            return refused(Rejection::TooLarge("event-bytes-max"));
        }
        if user_id.is_empty() && anonymous_id.is_empty() && !may_lack_ids(&event_type) {
            return refused(Rejection::NoIds);
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
            times: Times::of(event, self.received_at_ms),
            raw: event.raw.as_bytes(),
        });
        None
    }
}

fn clean<'a>(id: Option<&'a Cow<'_, str>>) -> Cow<'a, str> {
    id.map_or(Cow::Borrowed(""), |id| sanitize::id(id))
}

#[cfg(test)]
mod tests;
