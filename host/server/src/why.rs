//! What is known of one event, gathered from where it is known: the log, the destinations, what waits, what is
//! dead, and what was recorded.

use crate::plant::Parts;
use pintle_control::Question;
use pintle_control::views::gateway::RejectedView;
use pintle_control::views::traces::{SearchedView, StepView, WhyDestination, WhyEvent, WhyView};
use pintle_processor::whereabouts::Place;
use pintle_store::dead_letters::{self, Filter};
use pintle_store::log::search::{Occurrence, Wanted};
use pintle_store::traces::steps::{self, Stored};
use pintle_store::{Error, parked, rejected};
use serde_json::Value;
use serde_json::value::RawValue;

/// Steps of one answer, at most.
const STEPS_MAX: u32 = 2_000;
/// Dead letters and refused events of one answer, at most, each.
const OTHERS_MAX: u32 = 100;

/// Everything that is known of the events with a message id.
pub async fn answer(parts: &Parts, question: Question) -> Result<WhyView, Error> {
    let Question { message_id, source, since_ms, until_ms } = question;
    let catalog = parts.catalog.borrow().clone();
    let sources = match &source {
        Some(source) => vec![source.clone()],
        None => catalog.sources.keys().cloned().collect(),
    };
    let bytes_max = parts.trace.search_bytes_max.get();
    let wanted = Wanted { message_id: &message_id, sources: &sources, since_ms, until_ms, bytes_max };
    let found = parts.log.find(&wanted).await?;
    let mut places = Vec::with_capacity(found.events.len());
    for one in &found.events {
        places.push(parts.processor.whereabouts(&catalog, one).await?);
    }
    // What is settled by now has its rows then: a dead letter is not told as something that merely ended.
    parts.processor.flush().await;
    let only = source.as_deref();
    let steps = steps::of(&parts.store, &message_id, only, STEPS_MAX).await?;
    let outcomes = Outcomes::read(parts, &message_id, only).await?;
    let mut events = Vec::new();
    for (one, places) in found.events.iter().zip(places) {
        let first = found.events.iter().find(|other| is_first_of(other, one));
        let mut event = in_log(one, first);
        event.destinations = outcomes.destinations(&event.position, places);
        events.push(event);
    }
    // Steps outlive the log.
    for step in steps.iter().filter(|step| step.kind == "accepted") {
        let position = step.position.to_string();
        if events.iter().all(|event| event.position != position) {
            let mut event = recorded(step);
            event.destinations = outcomes.destinations(&position, Vec::new());
            events.push(event);
        }
    }
    for event in &mut events {
        event.steps = steps.iter().filter(|step| step.position.to_string() == event.position).map(step).collect();
        for destination in &mut event.destinations {
            tell_exactly(destination, &event.steps);
        }
    }
    let rejected = outcomes.rejected;
    let searched =
        SearchedView { sources, bytes: found.bytes, log_begins_ms: found.log_begins_ms, back_to_ms: found.back_to_ms };
    Ok(WhyView { message_id, events, rejected, searched })
}

/// Rows that speak of the message id.
struct Outcomes {
    letters: Vec<dead_letters::Stored>,
    waiting: Vec<parked::Waiting>,
    rejected: Vec<RejectedView>,
}

impl Outcomes {
    async fn read(parts: &Parts, message_id: &str, source: Option<&str>) -> Result<Outcomes, Error> {
        let store = &parts.store;
        let filter =
            Filter { message_id: Some(message_id.to_owned()), source: source.map(str::to_owned), ..Filter::default() };
        let letters = dead_letters::list(store, &filter, OTHERS_MAX).await?;
        let waiting = parked::of(store, message_id, source).await?;
        let refused = rejected::of_message(store, message_id, source, OTHERS_MAX).await?;
        let rejected = refused.into_iter().map(RejectedView::from).collect();
        Ok(Outcomes { letters, waiting, rejected })
    }

    /// What cursors and configuration say of each connection, and what rows say better.
    fn destinations(&self, position: &str, places: Vec<Place>) -> Vec<WhyDestination> {
        let view = |place: Place| WhyDestination {
            destination_id: place.destination_id,
            connection_id: place.connection_id,
            how: place.how.as_str().to_owned(),
            reason: place.reason,
            ..WhyDestination::default()
        };
        let mut destinations: Vec<WhyDestination> = places.into_iter().map(view).collect();
        for waiting in self.waiting.iter().filter(|waiting| waiting.position.to_string() == position) {
            let one = of(&mut destinations, &waiting.destination, "");
            one.how = "parked".to_owned();
            one.reason.clone_from(&waiting.last_error);
            one.attempts = Some(waiting.attempts);
            one.next_at_ms = Some(waiting.next_at_ms);
        }
        for letter in self.letters.iter().filter(|stored| stored.letter.position.to_string() == position) {
            let one = of(&mut destinations, &letter.destination, &letter.letter.connection_id);
            one.how = "dead-letter".to_owned();
            one.reason.clone_from(&letter.letter.reason);
            one.attempts = Some(letter.letter.attempts);
            one.next_at_ms = None;
            one.dead_letter = Some(letter.id.to_string());
        }
        destinations
    }
}

/// A destination's part; it may have been removed from the catalog, and still have rows.
fn of<'a>(all: &'a mut Vec<WhyDestination>, id: &str, connection: &str) -> &'a mut WhyDestination {
    let at = all.iter().position(|one| one.destination_id == id).unwrap_or_else(|| {
        let (destination_id, connection_id) = (id.to_owned(), connection.to_owned());
        all.push(WhyDestination { destination_id, connection_id, ..WhyDestination::default() });
        all.len() - 1
    });
    &mut all[at]
}

/// Cursors do not tell delivered from filtered; steps do.
fn tell_exactly(destination: &mut WhyDestination, steps: &[StepView]) {
    if !matches!(destination.how.as_str(), "settled" | "filtered" | "pending") {
        return;
    }
    let ends: Vec<&StepView> = steps
        .iter()
        .filter(|step| step.destination_id == destination.destination_id)
        .filter(|step| matches!(step.kind.as_str(), "filtered" | "settled"))
        .collect();
    let how = |step: &StepView| match step.kind.as_str() {
        "filtered" => "filtered".to_owned(),
        _ => step.told["how"].as_str().unwrap_or_default().to_owned(),
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match destination.how.as_str() {
        // With several outputs, one that was delivered counts.
        "settled" => {
            let delivered = ends.iter().find(|step| how(step) == "delivered");
            if let Some(end) = delivered.or(ends.iter().rfind(|step| how(step) == "filtered")) {
                (destination.how, destination.reason) = (how(end), text(&end.told["reason"]));
            }
        }
        "filtered" => {
            if let Some(end) = ends.iter().rfind(|step| how(step) == "filtered") {
                destination.reason = text(&end.told["reason"]);
            }
        }
        _ => {
            if let Some(end) = ends.last().filter(|step| how(step) == "waits") {
                destination.attempts = end.told["attempts"].as_u64().and_then(|n| u32::try_from(n).ok());
                destination.next_at_ms = end.told["next_at_ms"].as_i64();
            }
        }
    }
}

fn is_first_of(first: &Occurrence, copy: &Occurrence) -> bool {
    copy.is_duplicate && !first.is_duplicate && first.event().source_id == copy.event().source_id
}

fn in_log(found: &Occurrence, first: Option<&Occurrence>) -> WhyEvent {
    let event = found.event();
    let mut message = Vec::with_capacity(event.raw.len() + 192);
    event.write_message(&mut message);
    WhyEvent {
        position: found.position.to_string(),
        source_id: event.source_id.to_owned(),
        event_type: event.event_type.to_owned(),
        user_id: event.user_id.to_owned(),
        anonymous_id: event.anonymous_id.to_owned(),
        received_at_ms: event.received_at_ms,
        request_ip: Some(event.request_ip.to_owned()),
        duplicate: found.is_duplicate,
        first: first.map(|first| first.position.to_string()),
        message: String::from_utf8(message).ok().and_then(|text| RawValue::from_string(text).ok()),
        destinations: Vec::new(),
        steps: Vec::new(),
    }
}

/// An event that the log does not have any more.
fn recorded(step: &Stored) -> WhyEvent {
    let text = |name: &str| step.body[name].as_str().unwrap_or_default().to_owned();
    WhyEvent {
        position: step.position.to_string(),
        source_id: step.source_id.clone(),
        event_type: text("event_type"),
        user_id: text("user_id"),
        anonymous_id: text("anonymous_id"),
        received_at_ms: step.body["received_at_ms"].as_i64().unwrap_or_default(),
        ..WhyEvent::default()
    }
}

fn step(step: &Stored) -> StepView {
    StepView {
        id: step.id.to_string(),
        at_ms: step.at_ms,
        kind: step.kind.clone(),
        destination_id: step.destination_id.clone(),
        connection_id: step.connection_id.clone(),
        told: step.body.clone(),
    }
}
