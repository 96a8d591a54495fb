//! What a request is answered with.

use super::body::BodyPlan;
use bytes::Bytes;
use std::time::Duration;

/// An answer, or another way to treat a request.
#[derive(Clone, Debug)]
pub struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) delay: Option<Duration>,
    pub(super) held: bool,
    pub(super) action: Action,
}

#[derive(Clone, Debug)]
pub(super) enum Action {
    Respond(BodyPlan),
    Hang,
    Close,
    Reset,
}

impl Answer {
    fn new(status: u16, action: Action) -> Answer {
        Answer { status, headers: Vec::new(), delay: None, held: false, action }
    }

    /// This status and an empty body.
    #[must_use]
    pub fn status(status: u16) -> Answer {
        Answer::new(status, Action::Respond(BodyPlan::Whole(Bytes::new())))
    }

    /// 429, with a `Retry-After` header when given.
    #[must_use]
    pub fn throttle(retry_after: Option<&str>) -> Answer {
        let answer = Answer::status(429);
        match retry_after {
            Some(value) => answer.header("retry-after", value),
            None => answer,
        }
    }

    /// Reads the request and never answers.
    #[must_use]
    pub fn hang() -> Answer {
        Answer::new(0, Action::Hang)
    }

    /// Reads the request and closes the connection.
    #[must_use]
    pub fn close() -> Answer {
        Answer::new(0, Action::Close)
    }

    /// Reads the request and resets the connection.
    #[must_use]
    pub fn reset() -> Answer {
        Answer::new(0, Action::Reset)
    }

    /// Sends the head and a part of the body, then resets the connection.
    #[must_use]
    pub fn reset_mid_body(status: u16) -> Answer {
        Answer::new(status, Action::Respond(BodyPlan::Broken)).header("content-length", "1000")
    }

    /// Sends the head at once, and the body one byte at a time with these pauses.
    #[must_use]
    pub fn drip(status: u16, bytes: usize, pause: Duration) -> Answer {
        Answer::new(status, Action::Respond(BodyPlan::Drip { bytes, pause }))
    }

    /// A body of this many bytes.
    #[must_use]
    pub fn huge(status: u16, bytes: usize) -> Answer {
        Answer::new(status, Action::Respond(BodyPlan::Huge { bytes }))
    }

    /// The answer with this body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Answer {
        self.action = Action::Respond(BodyPlan::Whole(body.into()));
        self
    }

    /// The answer with one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Answer {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The answer, so much later.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Answer {
        self.delay = Some(delay);
        self
    }

    /// The answer, once the test says [`super::Receiver::release`].
    #[must_use]
    pub fn held(mut self) -> Answer {
        self.held = true;
        self
    }

    pub(super) fn shown_status(&self) -> u16 {
        self.status
    }
}
