//! Events that could not be delivered: looked at, delivered again, or given up. Whatever is done to them is
//! written down.

use super::{Api, body};
use crate::access::Caller;
use crate::dead_letters::{
    DeadLetterBatch, DeadLetterDetail, DeadLetterFilter, DeadLetterPage, DiscardedBatch, DryRun, DryRunOutcome,
    RefusedRetry, RetriedBatch, RetryBody, RetryOutcome,
};
use crate::plant::Order;
use crate::problem::{Code, Problem};
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use pintle_store::audit::{self, Action};
use serde::Deserialize;
use serde_json::value::RawValue;

/// What a filter is made of, for messages.
const FILTER: &str =
    "destination, source, connection, stage, type, message_id, reason, since_ms, until_ms, before and after";

/// A filter behind the `?`, and how many. One level: `serde`'s flattening would read every number as a text.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    destination: Option<String>,
    source: Option<String>,
    connection: Option<String>,
    stage: Option<String>,
    #[serde(rename = "type")]
    event_type: Option<String>,
    message_id: Option<String>,
    reason: Option<String>,
    since_ms: Option<i64>,
    until_ms: Option<i64>,
    before: Option<String>,
    after: Option<String>,
    limit: Option<u32>,
}

/// GET /dead-letters: newest first.
pub(super) async fn list(State(api): State<Api>, request: Request) -> Result<Json<DeadLetterPage>, Problem> {
    let which: Which = body::query(request.uri(), &format!("limit, {FILTER}"))?;
    let limit = api.limit(which.limit)?;
    let filter = checked(DeadLetterFilter {
        destination: which.destination,
        source: which.source,
        connection: which.connection,
        stage: which.stage,
        event_type: which.event_type,
        message_id: which.message_id,
        reason: which.reason,
        since_ms: which.since_ms,
        until_ms: which.until_ms,
        before: which.before,
        after: which.after,
    })?;
    let dead_letters = api.plant.dead_letters(filter, limit).await?;
    let full = dead_letters.len() >= limit as usize;
    let next_before = dead_letters.last().filter(|_| full).map(|last| last.id.clone());
    Ok(Json(DeadLetterPage { dead_letters, next_before }))
}

/// GET /dead-letters/{id}
pub(super) async fn show(State(api): State<Api>, Path(id): Path<String>) -> Result<Json<DeadLetterDetail>, Problem> {
    let found = api.plant.dead_letter(id.clone()).await?;
    found.map(Json).ok_or_else(|| missing(&id))
}

/// POST /dead-letters/{id}/retry: as it is, or with the event that is sent along in its place.
pub(super) async fn retry(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let reason = body::reason(request.headers(), String::new)?;
    let RetryBody { message } = body::json_or_default(&api, request.into_body()).await?;
    if let Some(message) = message {
        is_event(&message)?;
        let by = Order { author: caller.name.clone(), subject: id.clone(), reason: reason.clone() };
        if !api.plant.edit(id.clone(), message, by).await? {
            return Err(missing(&id));
        }
    }
    match api.plant.retry(id.clone()).await? {
        outcome @ RetryOutcome::Queued => {
            note(&api, caller, "dead-letter.retry", id, reason, 1).await?;
            Ok((StatusCode::ACCEPTED, Json(outcome)).into_response())
        }
        RetryOutcome::NotFound => Err(missing(&id)),
        RetryOutcome::Refused { reason } => Err(Problem::new(Code::Conflict, reason)),
    }
}

/// POST /dead-letters/{id}/dry-run: what a retry would send now, of it or of the event that is sent along.
pub(super) async fn dry_run(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<DryRun>, Problem> {
    let reason = body::reason(request.headers(), String::new)?;
    let RetryBody { message } = body::json_or_default(&api, request.into_body()).await?;
    if let Some(message) = &message {
        is_event(message)?;
    }
    match api.plant.dry_run(id.clone(), message).await? {
        DryRunOutcome::Done(run) => {
            note(&api, caller, "dead-letter.dry-run", id, reason, 1).await?;
            Ok(Json(run))
        }
        DryRunOutcome::NotFound => Err(missing(&id)),
        DryRunOutcome::Refused { reason } => Err(Problem::new(Code::Conflict, reason)),
    }
}

/// POST /dead-letters/retry: many, oldest first, in batches of `dead-letters-max` at most.
pub(super) async fn retry_many(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Json<RetriedBatch>, Problem> {
    let reason = body::reason(request.headers(), String::new)?;
    let DeadLetterBatch { filter, limit } = body::json(&api, request.into_body()).await?;
    let (filter, limit) = (checked(filter)?, batch_limit(&api, limit)?);
    let ids = api.plant.oldest_dead_letters(filter.clone(), limit).await?;
    let next_after = ids.last().filter(|_| ids.len() >= limit as usize).cloned();
    let mut batch = RetriedBatch { next_after, ..RetriedBatch::default() };
    for id in ids {
        match api.plant.retry(id.clone()).await? {
            RetryOutcome::Queued => batch.queued += 1,
            // Somebody else was quicker.
            RetryOutcome::NotFound => {}
            RetryOutcome::Refused { reason } => batch.refused.push(RefusedRetry { id, reason }),
        }
    }
    if batch.queued > 0 {
        note(&api, caller, "dead-letter.retry", subject(&filter), reason, batch.queued).await?;
    }
    Ok(Json(batch))
}

/// POST /dead-letters/discard: many, oldest first, in batches of `dead-letters-max` at most. It wants a reason.
pub(super) async fn discard_many(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Json<DiscardedBatch>, Problem> {
    let reason = needed(body::reason(request.headers(), String::new)?)?;
    let DeadLetterBatch { filter, limit } = body::json(&api, request.into_body()).await?;
    let (filter, limit) = (checked(filter)?, batch_limit(&api, limit)?);
    let by = Order { author: caller.name, subject: subject(&filter), reason };
    let discarded = api.plant.discard(filter, limit, by).await?;
    Ok(Json(DiscardedBatch { discarded, more: discarded >= u64::from(limit) }))
}

/// DELETE /dead-letters/{id}: given up. It wants a reason.
pub(super) async fn discard(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    request: Request,
) -> Result<StatusCode, Problem> {
    let reason = needed(body::reason(request.headers(), String::new)?)?;
    let number: i64 = id.parse().map_err(|_| missing(&id))?;
    let (before, after) = (number.checked_add(1), number.checked_sub(1));
    let (Some(before), Some(after)) = (before, after) else { return Err(missing(&id)) };
    let filter = DeadLetterFilter {
        before: Some(before.to_string()),
        after: Some(after.to_string()),
        ..DeadLetterFilter::default()
    };
    let by = Order { author: caller.name, subject: id.clone(), reason };
    match api.plant.discard(filter, 1, by).await? {
        0 => Err(missing(&id)),
        _ => Ok(StatusCode::NO_CONTENT),
    }
}

fn is_event(message: &RawValue) -> Result<(), Problem> {
    match message.get().starts_with('{') {
        true => Ok(()),
        false => Err(Problem::new(Code::BadRequest, "message: an event is a JSON object")),
    }
}

fn checked(filter: DeadLetterFilter) -> Result<DeadLetterFilter, Problem> {
    match filter.stage.as_deref() {
        None | Some("transformation" | "delivery") => Ok(filter),
        Some(_) => Err(Problem::new(Code::BadRequest, "stage: it is `transformation` or `delivery`")),
    }
}

fn batch_limit(api: &Api, asked: Option<u32>) -> Result<u32, Problem> {
    let max = api.config.dead_letters_max;
    let limit = asked.unwrap_or(max);
    if limit == 0 || limit > max {
        let detail = format!("limit is {limit}; use 1 to {max} (dead-letters-max), and go on with another request");
        return Err(Problem::new(Code::BadRequest, detail));
    }
    Ok(limit)
}

fn needed(reason: String) -> Result<String, Problem> {
    if reason.is_empty() {
        let detail = "what is discarded is gone for good: say why in the header pintle-reason (--reason)";
        return Err(Problem::new(Code::BadRequest, detail));
    }
    Ok(reason)
}

fn subject(filter: &DeadLetterFilter) -> String {
    serde_json::to_string(filter).expect("a filter is texts and numbers")
}

async fn note(
    api: &Api,
    caller: Caller,
    action: &'static str,
    subject: String,
    reason: String,
    count: u64,
) -> Result<(), Problem> {
    // Without a catalog there is nowhere to write it down.
    let Ok(office) = api.office() else { return Ok(()) };
    let action = Action { author: caller.name, action, subject, reason, count };
    Ok(audit::note(office.editor.store(), &action).await?)
}

fn missing(id: &str) -> Problem {
    let detail =
        format!("there is no dead letter {id:?}: it was delivered again, was discarded, has expired, or never was");
    Problem::new(Code::NotFound, detail)
}
