//! Writes down what happens to the events of one destination that somebody follows, without secrets.
//!
//! The processor and the outlet of a destination share a [`Scribe`]. Everything that it writes has passed the mask:
//! the destination's secrets and the credentials of its transformations are in no text of it, in no form.

use crate::excerpt;
use crate::http::Answer;
use crate::mask::Mask;
use crate::verdict::Failure;
use pintle_events::Position;
use pintle_events::times::now_ms;
use pintle_runtime::destination::{Context, Destination, Outcome, Request};
use pintle_runtime::{CallFailure, record};
use pintle_store::settle::Fate;
use pintle_store::traces::{Kind, Seen, Step, Tracer};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Writes for one destination. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Scribe {
    tracer: Tracer,
    destination_id: Arc<str>,
    mask: Arc<Mask>,
    /// The catalog's revision by which the destination works.
    revision: i64,
}

/// Whom a step is about.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The event.
    pub position: Position,
    /// Its source.
    pub source_id: &'a str,
    /// Its message id.
    pub message_id: &'a str,
    /// The connection.
    pub connection_id: &'a str,
}

/// A text as it may be written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The text, masked and perhaps cut.
    pub text: String,
    /// Whether something stood in it that must not be written down.
    pub masked: bool,
    /// Whether it is longer than `step-bytes-max`.
    pub cut: bool,
}

/// One try, as far as one event of it is concerned.
pub(crate) struct Try<'a> {
    pub(crate) request: &'a Request,
    pub(crate) answer: Option<&'a Answer>,
    /// None when it arrived.
    pub(crate) failure: Option<&'a Failure>,
    /// Counted from 1; of one that several requests belong to, all of them have the same number.
    pub(crate) attempt: u32,
    /// How many events the request carries.
    pub(crate) members: usize,
    pub(crate) took: Duration,
}

/// A call of the destination's component, as far as one event of it is concerned.
pub struct Mapped<'a> {
    /// What the call was told.
    pub context: Context,
    /// The event as the component got it: a JSON array of this one alone.
    pub input: &'a [u8],
    /// How many events the call was given.
    pub events: usize,
    /// Which of them it is.
    pub place: usize,
    /// What came of the call.
    pub outcomes: Result<&'a [Outcome], &'a CallFailure>,
}

impl Scribe {
    /// A scribe that masks these secrets.
    #[must_use]
    pub fn new(tracer: Tracer, destination_id: Arc<str>, mask: Mask, revision: i64) -> Scribe {
        Scribe { tracer, destination_id, mask: Arc::new(mask), revision }
    }

    /// One that writes nothing.
    #[must_use]
    pub fn off() -> Scribe {
        Scribe::new(Tracer::off(), "".into(), Mask::default(), 0)
    }

    /// Whether any event may be followed: where it says no, nothing else is to be asked.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.tracer.is_active()
    }

    /// Whether an event that the destination reads is to be followed.
    #[must_use]
    pub fn sees(&self, seen: &Seen<'_>) -> bool {
        self.tracer.sees(seen)
    }

    /// Whether an event is followed.
    #[must_use]
    pub fn follows(&self, subject: &Subject<'_>) -> bool {
        self.tracer.follows(subject.position, subject.connection_id)
    }

    /// The catalog's revision by which the destination works.
    #[must_use]
    pub fn revision(&self) -> i64 {
        self.revision
    }

    /// A text as it may be written down.
    #[must_use]
    pub fn written(&self, text: &[u8]) -> Written {
        let max = self.tracer.config().step_bytes_max.get();
        self.written_up_to(text, max)
    }

    /// The same for a whole batch.
    #[must_use]
    pub fn written_batch(&self, text: &[u8]) -> Written {
        self.written_up_to(text, self.tracer.config().batch_bytes_max.get())
    }

    fn written_up_to(&self, bytes: &[u8], max: usize) -> Written {
        let cut = bytes.len() > max;
        let text = self.mask.excerpt_bytes(bytes, max);
        // Apart from the mark at a cut, nothing but the mask changes a text.
        let masked = !bytes.starts_with(text.strip_suffix('…').filter(|_| cut).unwrap_or(&text).as_bytes());
        Written { text, masked, cut }
    }

    /// Writes a step about an event that is followed.
    pub fn record(&self, subject: &Subject<'_>, kind: Kind, body: Value) {
        self.tracer.record(Step {
            at_ms: now_ms(),
            position: subject.position,
            source_id: subject.source_id.to_owned(),
            message_id: subject.message_id.to_owned(),
            destination_id: self.destination_id.to_string(),
            connection_id: subject.connection_id.to_owned(),
            kind,
            body,
        });
    }

    /// Writes what the destination's component made of an event that is followed.
    pub fn mapped(&self, subject: &Subject<'_>, plugin: &Destination, mapped: &Mapped<'_>) {
        let Mapped { context, input, events, place, outcomes } = mapped;
        let output = match outcomes {
            Ok(outcomes) => outcomes.get(*place).map(record::outcome).unwrap_or_default(),
            Err(failure) => record::failure(failure),
        };
        let (input, output) = (self.written(input), self.written(output.as_bytes()));
        let mut body = json!({
            "plugin": plugin.manifest().name,
            "version": plugin.manifest().version,
            "digest": plugin.digest(),
            "revision": self.revision,
            "now_ms": context.now_ms,
            // As text: not every reader of JSON knows whole numbers of that size.
            "seed": context.random_seed.to_string(),
            "attempt": context.attempt,
            "events": events,
        });
        body["rerun"] = not_again(&input, &output).into();
        body["input"] = input.text.into();
        body["output"] = output.text.into();
        self.record(subject, Kind::Destination, body);
    }

    /// Writes that an event ends here, or waits.
    pub fn settled(&self, subject: &Subject<'_>, output: u32, fate: &Fate) {
        if !self.follows(subject) {
            return;
        }
        let shown = |text: &str| self.written(text.as_bytes()).text;
        let body = match fate {
            Fate::Delivered => json!({"output": output, "how": "delivered"}),
            Fate::Filtered { reason } => json!({"output": output, "how": "filtered", "reason": shown(reason)}),
            Fate::Dead(letter) => json!({
                "output": output, "how": "dead-letter", "reason": shown(&letter.reason), "attempts": letter.attempts,
                "error": letter.error.as_deref().map(shown),
            }),
            Fate::Parked(parked) => json!({
                "output": output, "how": "parked", "reason": shown(&parked.last_error), "attempts": parked.attempt,
                "next_at_ms": parked.next_at_ms,
            }),
        };
        self.record(subject, Kind::Settled, body);
    }

    /// Writes that an event waits in memory for its next try.
    pub(crate) fn waits(&self, subject: &Subject<'_>, output: u32, attempts: u32, wait: Option<Duration>) {
        if !self.follows(subject) {
            return;
        }
        let body = match wait {
            Some(wait) => json!({
                "output": output, "how": "waits", "attempts": attempts,
                "next_at_ms": now_ms().saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)),
            }),
            None => json!({
                "output": output, "how": "waits", "attempts": attempts,
                "reason": "nothing is sent to the destination now: it is throttled, or its breaker is open",
            }),
        };
        self.record(subject, Kind::Settled, body);
    }

    /// Writes a request and what became of it.
    pub(crate) fn attempt(&self, subject: &Subject<'_>, tried: &Try<'_>) {
        if !self.follows(subject) {
            return;
        }
        let max = self.tracer.config().step_bytes_max.get();
        let mut body = json!({
            "attempt": tried.attempt,
            "request": excerpt::request(tried.request, &self.mask, max),
            "took_ms": u64::try_from(tried.took.as_millis()).unwrap_or(u64::MAX),
            "verdict": tried.failure.map_or("delivered", Failure::verdict),
        });
        if tried.members > 1 {
            body["events"] = tried.members.into();
        }
        if let Some(answer) = tried.answer {
            body["status"] = answer.status.into();
            body["answer"] = excerpt::answer(answer, &self.mask, max).into();
        }
        if let Some(failure) = tried.failure {
            body["reason"] = self.mask.excerpt(failure.reason(), max).into();
        }
        self.record(subject, Kind::Attempt, body);
    }
}

/// Why a recorded call cannot be run again, when what was recorded of it is not all.
#[must_use]
pub fn not_again(input: &Written, output: &Written) -> Option<&'static str> {
    if input.masked {
        Some("its input holds a secret value, which is not recorded")
    } else if input.cut {
        Some("its input is longer than what is recorded of it (trace: step-bytes-max, batch-bytes-max)")
    } else if output.cut {
        Some("its output is longer than what is recorded of it (trace: step-bytes-max)")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_not_be_written_is_told_apart_from_what_is_only_long() {
        let scribe = Scribe::new(Tracer::off(), "d".into(), Mask::new(["hush-hush"]), 0);
        let plain = scribe.written(b"{\"a\":1}");
        assert_eq!(plain, Written { text: "{\"a\":1}".to_owned(), masked: false, cut: false });
        let secret = scribe.written(br#"{"a":"hush-hush"}"#);
        assert_eq!(secret, Written { text: r#"{"a":"***"}"#.to_owned(), masked: true, cut: false });
        let long = scribe.written(&vec![b'x'; 70_000]);
        assert!(long.cut && !long.masked && long.text.len() < 70_000);
        let encoded = scribe.written(b"Basic dXNlcjpodXNoLWh1c2g=");
        assert!(encoded.masked && !encoded.text.contains("dXNl"), "{encoded:?}");
    }
}
