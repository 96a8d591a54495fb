//! Dead letters and what is known of them, as the API shows it.

use bytes::Bytes;
use pintle_control::{DeadLetter, DeadLetterDetail, DryRun, DryRunRequest, DryRunResult, TraceStep};
use pintle_processor::rehearsal::{self, Step, Trace};
use pintle_router::{Preview, Rehearsal};
use pintle_store::dead_letters::Stored;
use serde_json::value::{RawValue, to_raw_value};

pub(super) fn summary(stored: &Stored) -> DeadLetter {
    DeadLetter {
        id: stored.id.to_string(),
        destination_id: stored.destination.clone(),
        source_id: stored.letter.source_id.clone(),
        message_id: stored.letter.message_id.clone(),
        event_type: stored.letter.event_type.clone(),
        reason: stored.letter.reason.clone(),
        attempts: stored.letter.attempts,
        at_ms: stored.created_at_ms,
    }
}

pub(super) fn detail(stored: &Stored, trace: Trace) -> DeadLetterDetail {
    let Trace { received, steps, untold } = trace;
    DeadLetterDetail {
        letter: summary(stored),
        position: stored.letter.position.to_string(),
        connection_id: stored.letter.connection_id.clone(),
        stage: stored.stage.clone(),
        output: stored.letter.output,
        error: stored.letter.error.clone(),
        request: stored.letter.request.clone(),
        response: stored.letter.response.clone(),
        payload: json(&stored.letter.payload),
        received: received.as_ref().and_then(json),
        steps: steps.into_iter().map(step).collect(),
        untold,
    }
}

pub(super) fn dry_run(run: rehearsal::DryRun) -> DryRun {
    DryRun { steps: run.steps.into_iter().map(step).collect(), results: run.results.into_iter().map(result).collect() }
}

fn step(step: Step) -> TraceStep {
    let Step { transformation, version, events, more, ended } = step;
    TraceStep { transformation, version, events: events.into_iter().map(event).collect(), more, ended }
}

fn result(rehearsal: Rehearsal) -> DryRunResult {
    let (outcome, reason, requests) = match rehearsal {
        Rehearsal::Requests(previews) => ("send", None, previews.into_iter().map(request).collect()),
        Rehearsal::Filtered(reason) => ("filter", Some(reason), Vec::new()),
        Rehearsal::Refused(reason) => ("refuse", Some(reason), Vec::new()),
        Rehearsal::Unknown(reason) => ("unknown", Some(reason), Vec::new()),
    };
    DryRunResult { outcome: outcome.to_owned(), reason, requests }
}

fn request(preview: Preview) -> DryRunRequest {
    DryRunRequest { request: preview.request, refused: preview.refusal }
}

/// An event without its secrets. Where one stood outside of a string, it is JSON no more, and shown as a text.
fn event(text: String) -> Box<RawValue> {
    RawValue::from_string(text.clone()).unwrap_or_else(|_| to_raw_value(&text).expect("a text is JSON"))
}

fn json(bytes: &Bytes) -> Option<Box<RawValue>> {
    RawValue::from_string(String::from_utf8(bytes.to_vec()).ok()?).ok()
}
